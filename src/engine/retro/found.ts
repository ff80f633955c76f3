import type { FoundSpan } from '../../model/replay.ts'
import type { DaySightings } from '../../pipeline/retro/index-search.ts'

/** Bounds of what is judged again for one search. */
export interface FoundLimits {
  /** Maximum number of events. */
  readonly events: number
  /** Maximum number of spans, which are stored while their events are read. */
  readonly spans: number
  /** Maximum length of all values together. */
  readonly chars: number
}

export const FOUND_LIMITS: FoundLimits = { events: 50_000, spans: 4000, chars: 150_000 }

export interface Found {
  /** By log type. */
  readonly spans: Readonly<Record<string, readonly FoundSpan[]>>
  /** Values beyond the limits, with the number of their events, the most frequent first. */
  readonly left: readonly { readonly value: string; readonly events: number }[]
}

/**
 * What of the sightings is judged again: values with few events before those with many, since a value that is everywhere says little.
 */
export function foundOf(
  sightings: readonly DaySightings[],
  learnedMs: (value: string) => number,
  limits: FoundLimits = FOUND_LIMITS,
): Found {
  const byValue = new Map<string, { events: number; seen: DaySightings[] }>()
  for (const one of sightings) {
    const value = byValue.get(one.value) ?? { events: 0, seen: [] }
    byValue.set(one.value, value)
    value.events += one.count
    value.seen.push(one)
  }
  const spans: Record<string, FoundSpan[]> = {}
  const left: { value: string; events: number }[] = []
  const used = { events: 0, spans: 0, chars: 0 }
  for (const [value, { events, seen }] of [...byValue].sort((a, b) => a[1].events - b[1].events)) {
    const own = { events, spans: seen.reduce((n, one) => n + one.spans.length, 0), chars: value.length }
    const isOver = (['events', 'spans', 'chars'] as const).some((what) => used[what] + own[what] > limits[what])
    if (isOver) {
      left.unshift({ value, events })
      continue
    }
    for (const what of ['events', 'spans', 'chars'] as const) used[what] += own[what]
    for (const { logType, spans: times } of seen) {
      spans[logType] ??= []
      for (const [from, to] of times) spans[logType].push([value, from, to, learnedMs(value)])
    }
  }
  for (const list of Object.values(spans)) list.sort((a, b) => a[1] - b[1])
  return { spans, left }
}
