import type { RuleError } from '../../../../model/match.ts'
import type { LoadWatch } from '../sandbox/protocol.ts'

/** What the rules of a load are without: rules, data models and helpers that could not be loaded, and why. */
export class LeftOut {
  /** Rules that could not be loaded, also those that a later child may load again. */
  readonly errors: RuleError[] = []
  /** Numbers of rules and data models that are not loaded again. */
  readonly skipped = new Set<number>()
  /** Of these, those that are kept out for good. */
  readonly banned = new Set<number>()
  /** Helpers by index that are not imported again, and why. */
  readonly broken = new Map<number, string>()
  /** When to look whether an import has changed what all rules share. */
  watch: LoadWatch = 'end'

  /** Something took too long or ended the child: on another day it may not. */
  get mayRecover(): boolean {
    return this.broken.size > 0 || this.errors.some(({ cause }) => cause === 'timeout' || cause === 'crash')
  }

  /** Where another try begins: only what changed what all rules share stays out. */
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
    // A replaced child loads again: what is known is not said twice.
    if (!this.errors.some((known) => known.ruleId === error.ruleId)) this.errors.push(error)
  }
}
