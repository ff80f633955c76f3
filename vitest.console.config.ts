import { defineConfig } from 'vitest/config'

/** The console in a real browser: see test/console/README.md. */
export default defineConfig({
  test: {
    include: ['test/console/**/*.test.ts'],
    testTimeout: 120_000,
    // The browser may have to be installed first.
    hookTimeout: 900_000,
    // What is awaited may take long on a busy machine; vitest gives up after a second.
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: 1,
    reporters: ['verbose'],
  },
})
