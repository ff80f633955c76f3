import { defineConfig } from 'vitest/config'

// Tests that run in this process and fast: a mutant runs every test that reaches it. Those that kill processes or run the
// built program see no mutant, or take too long for thousands of them.
export default defineConfig({
  test: {
    include: ['src/pipeline/**/*.test.ts', 'src/stages/{alert,deliver,enrich}/**/*.test.ts'],
    exclude: ['**/crash.test.ts', '**/spool.test.ts'],
    testTimeout: 30_000,
  },
})
