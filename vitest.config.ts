import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // With a command of their own, `npm run test:peers`.
    exclude: ['test/peers/**', 'node_modules/**'],
    sequence: { shuffle: true },
    // Children (Python, lake) and threads are real in these tests and start in seconds on a small machine.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Each file starts its own processes: two files at a time is what two cores carry.
    maxWorkers: 2,
  },
})
