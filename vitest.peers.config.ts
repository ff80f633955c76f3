import { defineConfig } from 'vitest/config'

/** Real servers and shippers: see test/peers/README.md. */
export default defineConfig({
  test: {
    include: ['test/peers/**/*.test.ts'],
    testTimeout: 300_000,
    // A peer may have to be installed first.
    hookTimeout: 900_000,
    // What is awaited may take long on a busy machine; vitest gives up after a second.
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: 1,
    reporters: ['verbose'],
  },
})
