import { type Event, INDICATOR_FIELDS, type IndicatorField } from '../model/event.ts'
import type { ValueRow } from '../util/block/encode.ts'
import { isBefore } from '../util/instant.ts'

/** What of an event goes into the index of indicators. */
export type Indicated = Pick<Event, 'p_log_type' | 'p_source_id' | 'p_event_time' | 'p_parse_time'> & {
  readonly [field in IndicatorField]?: unknown
}

interface Seen {
  count: number
  first: string
  last: string
}

/** What events of one log type, source and day have seen: field → value → how often and when. */
interface Group {
  readonly logType: string
  readonly sourceId: string
  readonly byField: readonly Map<string, Seen>[]
  parsed: string
}

/** The rows that events add to the index (`INDEX` in `src/stages/store/indicators.ts`), each value once for its source and day. */
export function indicatorRows(events: readonly Indicated[]): ValueRow[] {
  const groups = new Map<string, Group>()
  let group: Group | undefined
  let lastKey = ''
  for (const event of events) {
    const { p_event_time: time, p_parse_time: parsed } = event
    const key = `${event.p_log_type}\0${event.p_source_id}\0${time.slice(0, 10)}`
    if (key !== lastKey || !group) {
      group = groups.get(key) ?? newGroup(event)
      groups.set(key, group)
      lastKey = key
    }
    if (isBefore(group.parsed, parsed)) group.parsed = parsed
    for (let i = 0; i < INDICATOR_FIELDS.length; i++) {
      const values = event[INDICATOR_FIELDS[i]!]
      if (Array.isArray(values)) for (const value of values) count(group.byField[i]!, value as string, time)
    }
  }
  return [...groups.values()].flatMap(rowsOfGroup)
}

function newGroup({ p_log_type: logType, p_source_id: sourceId, p_parse_time: parsed }: Indicated): Group {
  return { logType, sourceId, parsed, byField: INDICATOR_FIELDS.map(() => new Map()) }
}

function count(seen: Map<string, Seen>, value: string, time: string): void {
  const before = seen.get(value)
  if (!before) {
    seen.set(value, { count: 1, first: time, last: time })
    return
  }
  before.count++
  if (isBefore(time, before.first)) before.first = time
  else if (isBefore(before.last, time)) before.last = time
}

function rowsOfGroup({ logType, sourceId, parsed, byField }: Group): ValueRow[] {
  const rows: ValueRow[] = []
  INDICATOR_FIELDS.forEach((field, i) => {
    const kind = field.slice('p_any_'.length)
    for (const [value, { count: n, first, last }] of byField[i]!)
      rows.push([kind, value, logType, sourceId, n, first, last, parsed])
  })
  return rows
}
