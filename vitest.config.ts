import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    sequence: { shuffle: true },
    // Children (Python, lake) and threads are real in these tests and start in seconds on a small machine.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Each file starts its own processes: two files at a time is what two cores carry.
    maxWorkers: 2,
  },
})
