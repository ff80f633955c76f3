import type { Finding, RuleError } from '../../../model/match.ts'
import type { Rule } from '../../../model/rule.ts'
import type { Prefilter } from './prefilter.ts'
import type { Selection } from './selection.ts'

/** All rules see a sample of the events, so that a wrong prefilter raises an alert instead of silently losing matches. */
export interface Shadow {
  /** Whether the next event is in the sample. */
  isSampled(): boolean
  /** Number of events since the last one in the sample. */
  readonly count: number
  /** Continues counting where another one stopped. */
  inherit(before: Shadow): void
  /**
   * What the prefilter would have missed in a batch judged with this selection: an error for each rule, in addition to the match,
   * which is kept. The rule sees every event from then on. Findings use the event indexes of the selection.
   */
  check(findings: readonly Finding[], selection: Selection, rules: readonly Rule[], prefilter: Prefilter): readonly RuleError[]
}

/** Every `every`th event; 0 for none, 1 for all. Counted rather than random, so that the same events yield the same sample. */
export function createShadow(every: number): Shadow {
  let count = 0
  return {
    get count() {
      return count
    },
    inherit(before) {
      count = before.count
    },
    isSampled() {
      if (every <= 0) return false
      count = (count + 1) % every
      return count === 0
    },
    check(findings, { shadowed }, rules, prefilter) {
      if (shadowed.size === 0) return []
      const numbers = new Map(rules.map((rule, number) => [rule.id, number]))
      const errors = new Map<number, RuleError>()
      for (const finding of findings) {
        const candidates = shadowed.get(finding.event)
        const rule = numbers.get(finding.ruleId)
        // Errors without a match are ignored on purpose: see `RuleErrorMode`.
        if (finding.kind !== 'match' || !candidates || rule === undefined || candidates.has(rule) || errors.has(rule)) continue
        prefilter.distrust(rule)
        errors.set(rule, missed(rules[rule]!, finding.event))
      }
      return [...errors.values()]
    },
  }
}

function missed({ id, source }: Rule, event: number): RuleError {
  const message =
    `${source.file}: the rule matched an event that the prefilter would have withheld, so matches before this one ` +
    'may be missing. The rule sees every event from now on. Replay the time before to find them, and report this rule as a bug'
  return { kind: 'error', ruleId: id, event, cause: 'prefilter', message }
}
