import type { JsonObject } from '../../../model/json.ts'
import { lowerBound } from '../../../util/lower-bound.ts'
import type { Prefilter } from './prefilter.ts'
import type { Shadow } from './shadow.ts'

/** The events of a batch that some rule must see, and which rule sees which of them. */
export interface Selection {
  /** Ascending indexes of the events in the batch. The indexes below refer to this list. */
  readonly events: readonly number[]
  /** For each rule the events that it sees, ascending. */
  readonly byRule: readonly (readonly number[])[]
  /** Events that all eligible rules see, to verify the prefilter: event → the rules that would have seen it anyway. */
  readonly shadowed: ReadonlyMap<number, ReadonlySet<number>>
}

/** Applies the prefilter to each event; an event without candidates is dropped here unless it is in the sample. */
export function selectEvents(
  events: readonly JsonObject[],
  prefilter: Prefilter,
  shadow: Pick<Shadow, 'isSampled'>,
  ruleCount: number,
): Selection {
  const selected: number[] = []
  const byRule: number[][] = Array.from({ length: ruleCount }, () => [])
  const shadowed = new Map<number, ReadonlySet<number>>()
  for (const [at, event] of events.entries()) {
    const candidates = prefilter.candidates(event)
    const number = selected.length
    if (shadow.isSampled()) {
      shadowed.set(number, new Set(candidates))
      for (const [rule, list] of byRule.entries()) if (prefilter.allows(rule, event)) list.push(number)
    } else {
      if (candidates.length === 0) continue
      for (const rule of candidates) byRule[rule]!.push(number)
    }
    selected.push(at)
  }
  return { events: selected, byRule, shadowed }
}

/** The part of a selection within `first`..`first + count`, with indexes relative to `first`. */
export function sliceByRule(
  byRule: readonly (readonly number[])[],
  first: number,
  count: number,
): readonly (readonly number[])[] {
  return byRule.map((list) => {
    const from = lowerBound(list, first)
    return list.slice(from, lowerBound(list, first + count)).map((number) => number - first)
  })
}
