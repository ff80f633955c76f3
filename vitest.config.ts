import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // With commands of their own: `npm run test:peers`, `npm run test:cluster` and `npm run test:console`.
    exclude: ['test/peers/**', 'test/cluster/**', 'test/console/**', 'node_modules/**'],
    sequence: { shuffle: true },
    // Children (Python, lake) and threads are real in these tests and start in seconds on a small machine.
    testTimeout: 60_000,
    // What is awaited may take long on a busy machine; vitest gives up after a second.
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 120_000,
    // Each file starts its own processes: two files at a time is what two cores carry.
    maxWorkers: 2,
    projects: [
      // Files beside the source share a worker, which loads it once: they take half the time. None may leave anything behind.
      { extends: true, test: { name: 'src', include: ['src/**/*.test.ts'], isolate: false } },
      // These change the working folder, the environment and the like.
      { extends: true, test: { name: 'test', include: ['test/**/*.test.ts'] } },
    ],
  },
})
