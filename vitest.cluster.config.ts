import { defineConfig } from 'vitest/config'

/** The whole program on real servers that are killed: see test/cluster/README.md. */
export default defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    // Each file starts servers and nodes, which are ten processes.
    fileParallelism: false,
    testTimeout: 3 * 60 * 60_000,
    // A server may have to be installed first.
    hookTimeout: 900_000,
    reporters: ['verbose'],
  },
})
