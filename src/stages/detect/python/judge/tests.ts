import type { TableRows } from '../../../../model/lookup.ts'
import type { TestRun } from '../../language.ts'
import { markedTest, type TestRequest } from '../sandbox/protocol.ts'
import { SandboxDied } from '../sandbox/sandbox.ts'
import type { Runtime } from './runtime.ts'

/** A unit test and its waiting caller. */
export interface WaitingTest {
  readonly request: TestRequest
  readonly rows: TableRows | undefined
  readonly resolve: (run: TestRun) => void
  readonly reject: (error: unknown) => void
}

/** Maximum number of tests in one crossing into Python, so that little is repeated if a child dies. */
const MAX_TESTS = 200
const MAX_CHARS = 1024 * 1024

/** Runs tests in few crossings and settles each with its outcome. Rejects if no child can be started. */
export async function runTests(tests: readonly WaitingTest[], runtime: Runtime): Promise<void> {
  let from = 0
  let chars = 0
  for (const [at, { request }] of tests.entries()) {
    if (at > from && (at - from >= MAX_TESTS || chars + request.log.length > MAX_CHARS)) {
      await runTogether(tests.slice(from, at), runtime)
      from = at
      chars = 0
    }
    chars += request.log.length
  }
  if (from < tests.length) await runTogether(tests.slice(from), runtime)
}

/** If the child dies, the test at fault fails and the others run again: in halves while it is unknown. */
async function runTogether(tests: readonly WaitingTest[], runtime: Runtime): Promise<void> {
  if (tests.length === 0) return
  try {
    const answers = await runtime.test(
      tests.map(({ request }) => request),
      (table, key, mark) => tests[markedTest(mark) ?? -1]?.rows?.find(table, key) ?? { problem: 'the test has no tables' },
    )
    for (const [i, { resolve }] of tests.entries()) resolve(answers[i]!)
  } catch (error) {
    if (!(error instanceof SandboxDied)) throw error
    const known = error.mark === undefined ? undefined : markedTest(error.mark)
    const guilty = tests.length === 1 ? 0 : known !== undefined && known < tests.length ? known : undefined
    if (guilty === undefined) {
      const middle = tests.length >> 1
      await runTogether(tests.slice(0, middle), runtime)
      await runTogether(tests.slice(middle), runtime)
      return
    }
    tests[guilty]!.resolve(failedRun(`${error.how}: ${error.message}`))
    await runTogether(tests.slice(0, guilty), runtime)
    await runTogether(tests.slice(guilty + 1), runtime)
  }
}

/** The outcome of a test that could not run. */
export function failedRun(message: string): TestRun {
  return { out: {}, errors: { detection: message }, printed: '', ms: 0 }
}
