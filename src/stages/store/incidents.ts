import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { Clock } from '../../util/clock.ts'

/** The end of a process is reported for this long: it is replaced within a second, but the user should still learn of it. */
const REPORTED_MS = 60 * 60_000

/** The ends of the lake's process, as system problems. */
export class Incidents {
  readonly #clock: Clock
  readonly #onProblems: (problems: readonly SystemProblem[]) => void
  #ends: readonly { readonly at: number; readonly why: string }[] = []
  #down: string | undefined

  /** `onProblems` is called with all of them whenever they change. */
  constructor(clock: Clock, onProblems: (problems: readonly SystemProblem[]) => void) {
    this.#clock = clock
    this.#onProblems = onProblems
  }

  /** The process of an open lake ended; the reason is a clause that begins with "it". */
  replaced(why: string): void {
    this.#ends = [...this.#recent(), { at: this.#clock.now(), why }]
    this.#clock.after(REPORTED_MS, () => this.#report())
    this.#report()
  }

  /** The lake cannot be opened, for this reason. */
  down(why: string): void {
    this.#down = why
    this.#report()
  }

  /** The lake is open. */
  opened(): void {
    if (this.#down === undefined) return
    this.#down = undefined
    this.#report()
  }

  #recent() {
    return this.#ends.filter(({ at }) => this.#clock.now() - at < REPORTED_MS)
  }

  #report(): void {
    this.#ends = this.#recent()
    const problems: SystemProblem[] = []
    if (this.#down !== undefined) {
      problems.push(systemProblem('LakeDown', 'process', `The lake is not open: ${this.#down}.`))
    }
    const last = this.#ends.at(-1)
    if (last) {
      const times = this.#ends.length === 1 ? 'once' : `${this.#ends.length} times`
      const message = `The lake's process was replaced ${times} within the last hour, the last time because ${last.why}.`
      problems.push(systemProblem('LakeReplaced', '', message))
    }
    this.#onProblems(problems)
  }
}
