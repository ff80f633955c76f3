import type { Finding, RuleError } from '../../../model/match.ts'
import type { Rule } from '../../../model/rule.ts'
import type { Prefilter } from './prefilter.ts'
import type { Selection } from './selection.ts'

/** All rules see a sample of the events, so that a wrong prefilter raises an alert instead of silently losing matches. */
export interface Shadow {
  /** Whether the next event is in the sample. */
  isSampled(): boolean
  /** Number of events since the current period of sampling began. */
  readonly count: number
  /** Continues counting where another one stopped. */
  inherit(before: Shadow): void
  /**
   * What the prefilter would have missed in a batch judged with this selection: an error for each rule, in addition to the match,
   * which is kept. The rule sees every event from then on. Findings use the event indexes of the selection.
   */
  check(findings: readonly Finding[], selection: Selection, rules: readonly Rule[], prefilter: Prefilter): readonly RuleError[]
}

/**
 * The longest run of consecutive sampled events. A batch without candidates goes to Python for its sampled events alone, and that costs
 * nearly as much for one of them as for a run.
 */
const MAX_RUN = 16
/** A run is at most this fraction of the interval between two samples, so frequent samples are single events. */
const RUN_FRACTION = 1 / 64

/**
 * One in `every` events; 0 for none, 1 for all. Rare samples come in runs. Counted rather than random, so that the same events yield the
 * same sample.
 */
export function createShadow(every: number): Shadow {
  const run = Math.min(Math.max(Math.floor(every * RUN_FRACTION), 1), MAX_RUN)
  const period = every * run
  // The first sample comes as early as without runs: in a quiet stream the second one may take days.
  const first = every % period
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
      count = (count + 1) % period
      return count >= first && count < first + run
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
