import { z } from 'zod'
import type { Trial } from '../engine/authoring/trial.ts'
import { problemOf, problemSchema } from './problem.ts'

const testSchema = z.object({
  name: z.string(),
  passed: z.boolean(),
  expected: z.boolean(),
  result: z.boolean().nullable().describe('What the rule returned; null: it failed.'),
  functions: z.record(z.string(), z.string()).describe('What its other functions returned, as JSON text.'),
  errors: z.record(z.string(), z.string()).describe('Functions that failed, and why; `detection` is the rule itself.'),
  printed: z.string(),
  ms: z.number(),
  diff: z.array(z.string()).describe('What was expected, what happened, and where, for people. Empty if it passed.'),
})

export const trialSchema = z.object({
  passed: z.boolean().describe('Every test passed, and every file could be used.'),
  rules: z.array(
    z.object({
      id: z.string(),
      tests: z.array(testSchema),
      errors: z.array(z.string()).describe('Why the rule cannot be loaded.'),
    }),
  ),
  problems: z.array(z.object({ file: z.string(), message: z.string() })).describe('Why files cannot be used.'),
})

/** A change that was refused because of what it would do: problem details with the reasons. */
export const refusedSchema = problemSchema.extend({
  rules: trialSchema.shape.rules.describe('The tests that were run.'),
  problems: trialSchema.shape.problems,
})

export function trialView({ rules, problems }: Trial): z.output<typeof trialSchema> {
  const isGood = (rule: Trial['rules'][number]) => rule.errors.length === 0 && rule.tests.every(({ passed }) => passed)
  return {
    passed: problems.length === 0 && rules.every(isGood),
    rules: rules.map(({ id, tests, errors }) => ({
      id,
      tests: tests.map(({ functions, errors: failed, diff, result = null, ...test }) => ({
        ...test,
        result,
        functions: { ...functions },
        errors: { ...failed },
        diff: [...diff],
      })),
      errors: [...errors],
    })),
    problems: problems.map((problem) => ({ ...problem })),
  }
}

/** Why nothing was written. */
interface Refusal {
  readonly code: 'broken' | 'tests_failed'
  readonly detail: string
}

/** The body of a 422 answer: nothing was written. */
export function refusedView({ code, detail }: Refusal, trial: Trial): z.output<typeof refusedSchema> {
  const { rules, problems } = trialView(trial)
  return { ...problemOf(422, code, detail), rules, problems }
}
