import type { SystemProblem } from '../../model/system-problem.ts'

/** Looks for one kind of system problem, repeatedly. */
export interface Check {
  /** What is checked, for the sentence that it does not answer. */
  readonly name: string
  /** All of its current problems. */
  run(): readonly SystemProblem[] | Promise<readonly SystemProblem[]>
}
