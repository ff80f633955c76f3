import { type Event, INDICATOR_FIELDS, type IndicatorField } from '../model/event.ts'
import type { ValueRow } from '../util/block/encode.ts'
import { isBefore } from '../util/instant.ts'

/** The parts of an event that go into the index of indicators. */
export type Indicated = Pick<Event, 'p_log_type' | 'p_source_id' | 'p_event_time' | 'p_parse_time'> & {
  readonly [field in IndicatorField]?: unknown
}

/** The values of one field, each with how often and when it was seen, column by column in order of appearance. */
class Seen {
  readonly values: string[] = []
  readonly counts: number[] = []
  readonly first: string[] = []
  readonly last: string[] = []
  readonly #places = new Map<string, number>()

  add(value: string, time: string): void {
    const place = this.#places.get(value)
    if (place === undefined) {
      this.#places.set(value, this.values.length)
      this.values.push(value)
      this.counts.push(1)
      this.first.push(time)
      this.last.push(time)
      return
    }
    this.counts[place]!++
    if (isBefore(time, this.first[place]!)) this.first[place] = time
    else if (isBefore(this.last[place]!, time)) this.last[place] = time
  }
}

/** What was seen in events of one log type, source and day, by field. */
interface Group {
  readonly logType: string
  readonly sourceId: string
  readonly day: string
  readonly byField: readonly Seen[]
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
const KINDS = INDICATOR_FIELDS.map((field) => field.slice('p_any_'.length))

/** The columns of `INDEX`. */
class Index {
  readonly kinds: string[] = []
  readonly #values: string[] = []
  readonly #logTypes: string[] = []
  readonly #sources: string[] = []
  readonly #counts: number[] = []
  readonly #first: string[] = []
  readonly #last: string[] = []
  readonly #parsed: string[] = []

  add(kind: string, { values, counts, first, last }: Seen, { logType, sourceId, parsed }: Group): void {
    for (let i = 0; i < values.length; i++) {
      this.kinds.push(kind)
      this.#values.push(values[i]!)
      this.#logTypes.push(logType)
      this.#sources.push(sourceId)
      this.#counts.push(counts[i]!)
      this.#first.push(first[i]!)
      this.#last.push(last[i]!)
      this.#parsed.push(parsed)
    }
  }

  get columns(): readonly (readonly unknown[])[] {
    return [this.kinds, this.#values, this.#logTypes, this.#sources, this.#counts, this.#first, this.#last, this.#parsed]
  }
}

/** Rows of the index (`INDEX` in `src/stages/store/indicators.ts`), as its columns. */
export interface IndicatorColumns {
  readonly count: number
  readonly columns: readonly (readonly unknown[])[]
}

/** The rows that events add to the index, each value once for its source and day. */
export function indicatorColumns(events: readonly Indicated[]): IndicatorColumns {
  const groups = new Map<string, Group>()
  let group: Group | undefined
  for (const event of events) group = addEvent(event, group, groups)
  const index = new Index()
  for (const one of groups.values()) for (const [i, seen] of one.byField.entries()) index.add(KINDS[i]!, seen, one)
  return { count: index.kinds.length, columns: index.columns }
}

/** The same, row by row. */
export function indicatorRows(events: readonly Indicated[]): ValueRow[] {
  const { count, columns } = indicatorColumns(events)
  return Array.from({ length: count }, (_, row) => columns.map((column) => column[row]))
}

/** A function of its own, so that it is optimised by itself: the loop around it runs once per batch. */
function addEvent(event: Indicated, current: Group | undefined, groups: Map<string, Group>): Group {
  const { p_event_time: time, p_parse_time: parsed } = event
  const group = current && isOf(current, event) ? current : groupOf(event, groups)
  if (parsed !== group.parsed && isBefore(group.parsed, parsed)) group.parsed = parsed
  for (let i = 0; i < READERS.length; i++) {
    const values = READERS[i]!(event)
    if (Array.isArray(values)) for (let at = 0; at < values.length; at++) group.byField[i]!.add(values[at] as string, time)
  }
  return group
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
    group = { logType, sourceId, day, parsed, byField: INDICATOR_FIELDS.map(() => new Seen()) }
    groups.set(key, group)
  }
  return group
}
