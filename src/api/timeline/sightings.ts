import type { IndicatorField } from '../../model/event.ts'
import { MAX_SPANS, type Range, type Sighted, tableNameOf } from './sql.ts'

/** A row of `sightingsSql`. */
type Row = [kind: string, value: string, logType: string, most: number, spans: [number, number][], first: number, last: number]

/** Spans that a row of the index can have: one with as many may have lost some. */
const FULL_ROW = 16
/** Ranges of time in the condition on a table. */
const MAX_RANGES = 64
/** What a span can hold is limited to 32 bits. */
const LAST_SECOND = 4_294_967_295

interface Found {
  readonly values: Map<IndicatorField, string[]>
  readonly spans: (readonly [number, number])[]
}

/** Where and when the indicator was seen within the range, by log type. */
export function sightedOf(rows: readonly string[], { sinceMs, untilMs }: Range): Sighted[] {
  const found = new Map<string, Found>()
  for (const text of rows) {
    const [kind, value, logType, most, spans, first, last] = JSON.parse(text) as Row
    if (tableNameOf(logType) === undefined) continue
    const one: Found = found.get(logType) ?? { values: new Map(), spans: [] }
    found.set(logType, one)
    const field = `p_any_${kind}` as IndicatorField
    one.values.set(field, [...(one.values.get(field) ?? []), value])
    const isComplete =
      most < FULL_ROW && spans.length < MAX_SPANS && spans.every(([from, to]) => from > 0 && from <= to && to < LAST_SECOND)
    one.spans.push(...(isComplete ? spans : [[Number(first), Number(last)] as const]))
  }
  return [...found].flatMap(([logType, { values, spans }]) => {
    const within = spans.filter(([from, to]) => (to + 1) * 1000 > sinceMs && from * 1000 < untilMs)
    return within.length === 0 ? [] : [{ logType, values, spans: joined(within) }]
  })
}

/** The spans in order and apart; many are one. */
function joined(spans: readonly (readonly [number, number])[]): [number, number][] {
  const ranges: [number, number][] = []
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = ranges.at(-1)
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else ranges.push([from, to])
  }
  return ranges.length <= MAX_RANGES ? ranges : [[ranges[0]![0], Math.max(...ranges.map(([, to]) => to))]]
}
