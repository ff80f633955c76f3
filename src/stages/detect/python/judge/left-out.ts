import type { RuleError } from '../../../../model/match.ts'
import type { LoadWatch } from '../sandbox/protocol.ts'

/** Rules, data models and helpers that could not be loaded, with the reasons. */
export class LeftOut {
  /** Rules that could not be loaded, including those that a later child may load. */
  readonly errors: RuleError[] = []
  /** Numbers of rules and data models that are not loaded again. */
  readonly skipped = new Set<number>()
  /** Those of them that are left out permanently. */
  readonly banned = new Set<number>()
  /** Indexes of helpers that are not imported again, with the reasons. */
  readonly broken = new Map<number, string>()
  /** When to check whether an import has changed shared state. */
  watch: LoadWatch = 'end'

  /** Something took too long or ended the child, which may not happen again. */
  get mayRecover(): boolean {
    return this.broken.size > 0 || this.errors.some(({ cause }) => cause === 'timeout' || cause === 'crash')
  }

  /** The start of another attempt: only items that changed shared state stay out. */
  again(): LeftOut {
    const again = new LeftOut()
    for (const number of this.banned) {
      again.skipped.add(number)
      again.banned.add(number)
    }
    for (const error of this.errors) if (error.cause === 'tampering') again.errors.push(error)
    again.watch = 'each'
    return again
  }

  add(error: RuleError): void {
    // A replacement child loads again; known errors are not reported twice.
    if (!this.errors.some((known) => known.ruleId === error.ruleId)) this.errors.push(error)
  }
}
