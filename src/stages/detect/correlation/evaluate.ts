import { gather } from './gather.ts'
import type { CorrelationMatch } from './match.ts'
import { mergeHits, walkPlace } from './place.ts'
import type { CorrelationRule, Signal } from './rule.ts'

/**
 * All matches that are certain at a time, from all signals at once: the same that the correlator finds if it gets the signals as
 * they happen. With `nowMs` Infinity everything is evaluated with the given signals, like a run of a schedule over its look-back.
 */
export function evaluate(rule: CorrelationRule, signals: readonly Signal[], nowMs: number, graceMs = 0): CorrelationMatch[] {
  const { places } = gather(rule, signals, undefined)
  const matches: CorrelationMatch[] = []
  for (const { key, hits } of places.values()) {
    matches.push(
      ...walkPlace(
        rule,
        { key, hits: mergeHits([], hits), done: new Map(), settledMs: Number.MIN_SAFE_INTEGER, isCut: false },
        { nowMs, graceMs },
      ).matches,
    )
  }
  return matches.sort((a, b) => a.timeMs - b.timeMs || (a.rowId < b.rowId ? -1 : 1))
}
