import type { IndicatorField } from '../../model/event.ts'
import type { Term } from './terms.ts'

/** A time range, epoch ms: from `sinceMs`, before `untilMs`. */
export interface Range {
  readonly sinceMs: number
  readonly untilMs: number
}

/** Where a page begins: after this event, newest first. */
export interface Place {
  /** As the lake returns it, with its nine digits. */
  readonly time: string
  readonly rowId: string
}

/** A query for the lake; values are parameters, so that its text contains no foreign text. */
export interface Statement {
  readonly sql: string
  readonly params: Readonly<Record<string, string>>
}

/** What the index knows of the indicator in events of one log type. */
export interface Sighted {
  readonly logType: string
  /** Spellings by field. */
  readonly values: ReadonlyMap<IndicatorField, readonly string[]>
  /** Times at which it was seen, epoch seconds, both included, in order and apart. */
  readonly spans: readonly (readonly [from: number, to: number])[]
}

/** Collects a statement's parameters. */
export class Params {
  readonly values: Record<string, string> = {}

  add(value: string, type = 'String'): string {
    const name = `v${Object.keys(this.values).length}`
    this.values[name] = value
    return `{${name}:${type}}`
  }

  list(values: readonly string[]): string {
    return values.map((value) => this.add(value)).join(', ')
  }
}

/** Spans of an indicator in one log type that the index returns; with more, they are joined. */
export const MAX_SPANS = 500
const DAY_MS = 86_400_000

/** Every spelling of the indicator in the index, by log type, with the times at which it was seen. */
export function sightingsSql(terms: readonly Term[], { sinceMs, untilMs }: Range): Statement {
  const params = new Params()
  const second = (column: string) => `intDiv(toUnixTimestamp64Milli(${column}), 1000)`
  const spans = `arrayMap(span -> [bitShiftRight(span, 32), bitAnd(span, 4294967295)], groupUniqArrayArray(${MAX_SPANS})(spans))`
  const where = [
    termsCondition(terms, params),
    `day >= toDate32(${moment(sinceMs)}) AND day <= toDate32(${moment(untilMs)})`,
    // An event may claim to be a little later than it was received.
    `p_parse_time >= ${moment(sinceMs - DAY_MS)}`,
  ]
  return {
    sql: `SELECT kind, value, p_log_type, max(length(spans)), ${spans}, min(${second('first')}), max(${second('last')})
FROM monitor.indicators WHERE ${where.join(' AND ')} GROUP BY kind, value, p_log_type ORDER BY p_log_type, kind, value`,
    params: params.values,
  }
}

/** Where the indicator was seen at all, by log type, and when first and last. */
export function seenSql(terms: readonly Term[]): Statement {
  const params = new Params()
  return {
    sql: `SELECT p_log_type, min(first), max(last) AS latest FROM monitor.indicators WHERE ${termsCondition(terms, params)}
GROUP BY p_log_type ORDER BY latest DESC, p_log_type`,
    params: params.values,
  }
}

function termsCondition(terms: readonly Term[], params: Params): string {
  const conditions = terms.map(
    (term) => `(kind = ${params.add(term.field.slice('p_any_'.length))} AND (${valueCondition(term, params)}))`,
  )
  return `(${conditions.join(' OR ')})`
}

/** The beginnings are conditions that the order of the index can use. */
function valueCondition({ match, texts }: Term, params: Params): string {
  if (match === 'exact') return `value IN (${params.list(texts)})`
  if (match === 'folded') {
    const isAscii = texts.every((text) => /^[\x20-\x7e]+$/.test(text))
    if (!isAscii) return `lowerUTF8(value) IN (${params.list(texts)})`
    return `(${beginnings(casesOf(texts[0]!.slice(0, 3)), params)}) AND lower(value) IN (${params.list(texts)})`
  }
  const [text] = texts as [string]
  const isSame = `toIPv6OrNull(value) = toIPv6OrNull(${params.add(text)})`
  if (!text.includes(':')) {
    // An IPv4 address may also be spelled as an IPv6 address.
    return `value = ${params.add(text)} OR ((${beginnings(['::', '0:', '00:', '000:', '0000:'], params)}) AND ${isSame})`
  }
  const first = text.startsWith('::') ? [':', '0'] : [...casesOf(text[0]!), ...(text.indexOf(':') < 4 ? ['0'] : [])]
  return `(${beginnings(first, params)}) AND ${isSame}`
}

function beginnings(texts: readonly string[], params: Params): string {
  return texts.map((text) => `startsWith(value, ${params.add(text)})`).join(' OR ')
}

/** Every way to write a short text in lower and upper case. */
function casesOf(text: string): string[] {
  const [first, ...rest] = text
  if (first === undefined) return ['']
  const heads = [...new Set([first.toLowerCase(), first.toUpperCase()])]
  return casesOf(rest.join('')).flatMap((tail) => heads.map((head) => head + tail))
}

/** The places of the newest events after `after`. */
export function placesSql(sighted: readonly Sighted[], range: Range, after: Place | undefined, limit: number): Statement {
  const params = new Params()
  const last = after && { time: params.add(after.time), rowId: params.add(after.rowId) }
  const time = last && `parseDateTime64BestEffort(${last.time}, 9, 'UTC')`
  const later = last ? ` AND p_event_time <= ${time} AND (p_event_time < ${time} OR p_row_id < ${last.rowId})` : ''
  const order = `ORDER BY p_event_time DESC, p_row_id DESC LIMIT ${limit}`
  const parts = sighted.map(
    (one) =>
      `(SELECT p_event_time, p_row_id, p_log_type FROM ${tableOf(one.logType)} WHERE ${eventCondition(one, range, params)}${later} ${order})`,
  )
  return { sql: `SELECT * FROM (${parts.join('\nUNION ALL ')}) ${order}`, params: params.values }
}

/** The number of events by log type and hour, or day. */
export function countsSql(sighted: readonly Sighted[], range: Range, bucket: 'hour' | 'day'): Statement {
  const params = new Params()
  const start = bucket === 'hour' ? 'toStartOfHour' : 'toStartOfDay'
  const parts = sighted.map(
    (one) =>
      `SELECT ${params.add(one.logType)} AS log_type, ${start}(p_event_time) AS start, count() AS events FROM ${tableOf(one.logType)} WHERE ${eventCondition(one, range, params)} GROUP BY start`,
  )
  return { sql: `SELECT * FROM (${parts.join('\nUNION ALL ')}) ORDER BY start, log_type`, params: params.values }
}

/** The rows of events of one log type. */
export function rowsSql(logType: string, places: readonly Place[]): Statement {
  const params = new Params()
  const times = [...new Set(places.map(({ time }) => time))].map(
    (time) => `parseDateTime64BestEffort(${params.add(time)}, 9, 'UTC')`,
  )
  // Each time by itself: a range from the first to the last may be most of the table.
  const where = `p_event_time IN (${times.join(', ')}) AND p_row_id IN (${params.list(places.map(({ rowId }) => rowId))})`
  return { sql: `SELECT * FROM ${tableOf(logType)} WHERE ${where}`, params: params.values }
}

/** The alerts whose matches name the indicator, the latest match first. */
export function alertsSql(sighted: readonly Sighted[], { sinceMs, untilMs }: Range, limit: number): Statement {
  const params = new Params()
  const values = new Map<IndicatorField, Set<string>>()
  for (const one of sighted)
    for (const [field, spelled] of one.values) values.set(field, new Set([...(values.get(field) ?? []), ...spelled]))
  const has = [...values].map(([field, spelled]) => hasAny(field, [...spelled], params)).join(' OR ')
  const time = `p_event_time >= ${moment(sinceMs)} AND p_event_time < ${moment(untilMs)}`
  return {
    sql: `SELECT p_alert_id, count(), max(p_event_time) AS last FROM signals.correlation_signals
WHERE ${time} AND p_alert_id IS NOT NULL AND (${has}) GROUP BY p_alert_id ORDER BY last DESC, p_alert_id LIMIT ${limit}`,
    params: params.values,
  }
}

function eventCondition({ spans, values }: Sighted, { sinceMs, untilMs }: Range, params: Params): string {
  const times = spans.map(([from, to]) => {
    const [first, end] = [Math.max(from * 1000, sinceMs), Math.min((to + 1) * 1000, untilMs)]
    return `(p_event_time >= ${moment(first)} AND p_event_time < ${moment(end)})`
  })
  const has = [...values].map(([field, spelled]) => hasAny(field, spelled, params))
  return `(${times.join(' OR ')}) AND (${has.join(' OR ')})`
}

function hasAny(field: IndicatorField, values: readonly string[], params: Params): string {
  return `hasAny(${field}, [${params.list(values)}])`
}

/** Names of log types have been checked. */
export function tableOf(logType: string): string {
  return `logs.${tableNameOf(logType)}`
}

/** The table of a log type in the lake, or `undefined` if no table can have that name. */
export function tableNameOf(logType: string): string | undefined {
  const table = logType.replaceAll('.', '_').toLowerCase()
  return /^[a-z0-9_]{1,128}$/.test(table) ? table : undefined
}

/** A time in SQL, epoch ms. */
export function moment(ms: number): string {
  return `fromUnixTimestamp64Milli(toInt64(${Math.trunc(ms)}))`
}
