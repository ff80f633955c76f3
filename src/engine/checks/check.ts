import type { SystemProblem } from '../../model/system-problem.ts'

/** Looks for system problems of its own, again and again. */
export interface Check {
  /** What is asked, for the sentence that it does not answer. */
  readonly name: string
  /** All of its problems as they are now. */
  run(): readonly SystemProblem[] | Promise<readonly SystemProblem[]>
}
