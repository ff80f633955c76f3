import type { Hit } from './hit.ts'
import { combinations, type JoinValues, joinValues } from './join-values.ts'
import type { CorrelationRule, Signal } from './rule.ts'

/** A hit that does not determine by itself which keys it belongs to. */
export interface OpenHit extends Hit {
  /** The values it could be joined on, for each join; `null`: any. Absent if the entry that stores it determines the key. */
  readonly values?: readonly (readonly string[] | null)[]
}

/** Hits that are evaluated together. */
export interface Gathered {
  /**
   * The join key that all hits share; `undefined` if the rule's members are not all joined on everything, in which case all its
   * hits are here.
   */
  readonly key: readonly string[] | undefined
  readonly hits: OpenHit[]
}

/** True if each member is joined on everything, so that every join key can be evaluated separately. */
export function isFullyJoined({ members }: CorrelationRule): boolean {
  return members.every(({ fields }) => fields.every((list) => list !== undefined))
}

/**
 * Signals → hits, by join key. `cut` counts signals whose lists were too long to join on completely. `seenMs` is when they
 * arrived; `undefined`: when they happened.
 */
export function gather(
  rule: CorrelationRule,
  signals: readonly Signal[],
  seenMs: number | undefined,
): { readonly places: ReadonlyMap<string, Gathered>; readonly cut: number } {
  const isFull = isFullyJoined(rule)
  const places = new Map<string, Gathered>()
  let cut = 0
  const add = (key: readonly string[] | undefined, hit: OpenHit) => {
    const name = JSON.stringify(key ?? null)
    const place = places.get(name)
    if (place) place.hits.push(hit)
    else places.set(name, { key, hits: [hit] })
  }
  for (const signal of signals) {
    for (const [at, member] of rule.members.entries()) {
      const joined = member.ruleId === signal.ruleId ? joinValues(signal, member) : undefined
      if (!joined) continue
      const hit: Hit = { member: at, timeMs: signal.timeMs, rowId: signal.rowId, seenMs: seenMs ?? signal.timeMs }
      if (isFull) {
        const { keys, isCut } = combinations(joined)
        for (const key of keys) add(key, hit)
        if (isCut) cut++
      } else {
        add(undefined, { ...hit, values: joined.values.map((values) => values ?? null) })
        if (joined.isCut) cut++
      }
    }
  }
  return { places, cut }
}

/** Groups open hits by join key: the keys come from members joined on everything; other hits go with each key that they fit. */
export function keysOf(
  rule: CorrelationRule,
  hits: readonly OpenHit[],
): readonly { readonly key: readonly string[]; readonly hits: readonly OpenHit[] }[] {
  const keys = new Map<string, readonly string[]>()
  for (const { member, values } of hits) {
    if (rule.members[member]!.isAbsent || !values || values.includes(null)) continue
    for (const key of combinations({ values, isCut: false } as JoinValues).keys) keys.set(JSON.stringify(key), key)
  }
  return [...keys].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => ({ key, hits: hits.filter((hit) => fits(hit, key)) }))
}

function fits({ values }: OpenHit, key: readonly string[]): boolean {
  return values === undefined || values.every((list, at) => list === null || list.includes(key[at]!))
}
