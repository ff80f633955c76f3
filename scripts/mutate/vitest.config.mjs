import { defineConfig } from 'vitest/config'

// Tests of the mutated folder alone, which is what they should hold by themselves and takes a tenth of the time. Those that kill
// processes or run the built program see no mutant, or take too long for thousands of them.
export default defineConfig({
  test: {
    include: [`${process.env.MUTATE_FOLDER}/**/*.test.ts`],
    exclude: ['**/crash.test.ts', '**/spool.test.ts', '**/flush-kills.test.ts', '**/packs.test.ts'],
    testTimeout: 30_000,
  },
})
