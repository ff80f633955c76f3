import { type Event, INDICATOR_FIELDS, type IndicatorField } from '../model/event.ts'
import type { ValueRow } from '../util/block/encode.ts'
import { isBefore } from '../util/instant.ts'

/** The parts of an event that go into the index of indicators. */
export type Indicated = Pick<Event, 'p_log_type' | 'p_source_id' | 'p_event_time' | 'p_parse_time'> & {
  readonly [field in IndicatorField]?: unknown
}

interface Seen {
  count: number
  first: string
  last: string
}

/** What was seen in events of one log type, source and day: field → value → how often and when. */
interface Group {
  readonly logType: string
  readonly sourceId: string
  readonly day: string
  readonly byField: readonly Map<string, Seen>[]
  parsed: string
}

/** Reads each field by a constant name, since a name that varies between calls is looked up each time. */
const READ: Readonly<Record<IndicatorField, (event: Indicated) => unknown>> = {
  p_any_ip_addresses: (event) => event.p_any_ip_addresses,
  p_any_domain_names: (event) => event.p_any_domain_names,
  p_any_emails: (event) => event.p_any_emails,
  p_any_usernames: (event) => event.p_any_usernames,
  p_any_md5_hashes: (event) => event.p_any_md5_hashes,
  p_any_sha1_hashes: (event) => event.p_any_sha1_hashes,
  p_any_sha256_hashes: (event) => event.p_any_sha256_hashes,
  p_any_aws_arns: (event) => event.p_any_aws_arns,
  p_any_aws_account_ids: (event) => event.p_any_aws_account_ids,
  p_any_aws_instance_ids: (event) => event.p_any_aws_instance_ids,
  p_any_aws_tags: (event) => event.p_any_aws_tags,
  p_any_trace_ids: (event) => event.p_any_trace_ids,
}
const READERS = INDICATOR_FIELDS.map((field) => READ[field])

/** The rows that events add to the index (`INDEX` in `src/stages/store/indicators.ts`), each value once for its source and day. */
export function indicatorRows(events: readonly Indicated[]): ValueRow[] {
  const groups = new Map<string, Group>()
  let group: Group | undefined
  for (const event of events) {
    const { p_event_time: time, p_parse_time: parsed } = event
    if (!group || !isOf(group, event)) group = groupOf(event, groups)
    if (parsed !== group.parsed && isBefore(group.parsed, parsed)) group.parsed = parsed
    for (let i = 0; i < READERS.length; i++) {
      const values = READERS[i]!(event)
      if (Array.isArray(values)) for (const value of values) count(group.byField[i]!, value as string, time)
    }
  }
  return [...groups.values()].flatMap(rowsOfGroup)
}

function isOf({ logType, sourceId, day }: Group, event: Indicated): boolean {
  return event.p_log_type === logType && event.p_source_id === sourceId && event.p_event_time.startsWith(day)
}

function groupOf(event: Indicated, groups: Map<string, Group>): Group {
  const { p_log_type: logType, p_source_id: sourceId, p_parse_time: parsed } = event
  const day = event.p_event_time.slice(0, 10)
  const key = `${logType}\0${sourceId}\0${day}`
  let group = groups.get(key)
  if (!group) {
    group = { logType, sourceId, day, parsed, byField: INDICATOR_FIELDS.map(() => new Map()) }
    groups.set(key, group)
  }
  return group
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
