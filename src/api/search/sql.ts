import { moment, Params, type Place, type Range, type Statement } from '../timeline/sql.ts'
import { conditionOf, fieldIn, holdsWithout, textCondition, valuesOf } from './condition.ts'
import type { Filter } from './filters.ts'
import { quoteText } from './quote.ts'
import type { Table } from './tables.ts'

/** What is searched for. */
export interface Search {
  readonly range: Range
  /** In place of the range: the number of seconds before the time at which the query runs. */
  readonly lastSeconds?: number | undefined
  readonly filters: readonly Filter[]
  readonly text: string | undefined
}

/** Bars of a histogram, at most. */
const MAX_BARS = 60
/** Seconds that a bar may stand for. */
const STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000]

const ORDER = 'ORDER BY p_event_time DESC, p_row_id DESC'

/** Which part of the events, newest first: those after `after`, without the first `skip`. */
export interface Part {
  readonly after: Place | undefined
  readonly skip: number
  readonly limit: number
}

/** The places of a part of the events. */
export function placesSql(tables: readonly Table[], search: Search, { after, skip, limit }: Part): Statement {
  const params = new Params()
  const last = after && { time: params.add(after.time), rowId: params.add(after.rowId) }
  const time = last && `parseDateTime64BestEffort(${last.time}, 9, 'UTC')`
  const later = last ? ` AND p_event_time <= ${time} AND (p_event_time < ${time} OR p_row_id < ${last.rowId})` : ''
  const parts = tables.map(
    (table) =>
      `(SELECT p_event_time, p_row_id, p_log_type FROM logs.${table.name} WHERE ${where(table, search, params)}${later} ${ORDER} LIMIT ${skip + limit})`,
  )
  return { sql: `SELECT * FROM (${parts.join('\nUNION ALL ')}) ${ORDER} LIMIT ${limit} OFFSET ${skip}`, params: params.values }
}

/** The number of events by log type and bar. */
export function histogramSql(tables: readonly Table[], search: Search, stepSeconds: number): Statement {
  const params = new Params()
  const parts = tables.map(
    (table) =>
      `SELECT p_log_type, toStartOfInterval(p_event_time, INTERVAL ${stepSeconds} SECOND, 'UTC') AS start, count() AS events FROM logs.${table.name} WHERE ${where(table, search, params)} GROUP BY p_log_type, start`,
  )
  return { sql: `SELECT * FROM (${parts.join('\nUNION ALL ')}) ORDER BY start, p_log_type`, params: params.values }
}

/** Seconds that each bar of a histogram stands for. */
export function stepOf({ sinceMs, untilMs }: Range): number {
  const seconds = (untilMs - sinceMs) / 1000
  return STEPS.find((step) => seconds / step <= MAX_BARS) ?? STEPS.at(-1)!
}

/** A field's values with the number of events that have them, as a subquery. */
function countsOf(tables: readonly Table[], search: Search, field: string, params: Params): string {
  const parts = tables.map(
    (table) =>
      `SELECT ${valuesOf(fieldIn(table.columns, field)!, params)} AS value, count() AS events FROM logs.${table.name} WHERE ${where(table, search, params)} GROUP BY value`,
  )
  return `(${parts.join('\nUNION ALL ')})`
}

/** The values of a field that most events have. */
export function topSql(tables: readonly Table[], search: Search, field: string, limit: number): Statement {
  const params = new Params()
  const sql = `SELECT value, sum(events) AS events FROM ${countsOf(tables, search, field, params)} WHERE value != '' GROUP BY value ORDER BY events DESC, value LIMIT ${limit}`
  return { sql, params: params.values }
}

/** How many different values a field has, approximately above some thousands, and in how many cases it has one. */
export function distinctSql(tables: readonly Table[], search: Search, field: string): Statement {
  const params = new Params()
  const sql = `SELECT uniq(value), sum(events) FROM ${countsOf(tables, search, field, params)} WHERE value != ''`
  return { sql, params: params.values }
}

/** The number of events. */
export function totalSql(tables: readonly Table[], search: Search): Statement {
  const params = new Params()
  const parts = tables.map((table) => `SELECT count() AS events FROM logs.${table.name} WHERE ${where(table, search, params)}`)
  return { sql: `SELECT sum(events) FROM (${parts.join('\nUNION ALL ')})`, params: params.values }
}

/** What people can run themselves in place of a search: of one log type all columns, of several those that all have. */
export function shownSql(tables: readonly Table[], search: Search, limit: number): string {
  const params = new Params()
  const [only] = tables
  const columns = tables.length === 1 ? '*' : 'p_event_time, p_log_type, p_row_id, p_source_label'
  const parts = tables.map((table) => `SELECT ${columns} FROM logs.${table.name} WHERE ${where(table, search, params)}`)
  const sql = tables.length === 1 && only ? parts[0]! : `SELECT * FROM (\n${parts.join('\nUNION ALL\n')}\n)`
  return literal({ sql: `${sql}\n${ORDER} LIMIT ${limit}`, params: params.values })
}

/** The statement with its values as literals. Each is put in once, so that a value cannot be taken for a placeholder. */
function literal({ sql, params }: Statement): string {
  return sql.replaceAll(/\{(v\d+):String\}/g, (_, name: string) => quoteText(params[name]!))
}

/** The time at which a query runs; the lake's port has a value for it, which for a scheduled run is its due time. */
const NOW = "toDateTime64({query_time:String}, 9, 'UTC')"

function timeCondition({ range, lastSeconds }: Search): string {
  return lastSeconds === undefined
    ? `p_event_time >= ${moment(range.sinceMs)} AND p_event_time < ${moment(range.untilMs)}`
    : `p_event_time >= ${NOW} - INTERVAL ${lastSeconds} SECOND AND p_event_time < ${NOW}`
}

function where({ columns }: Table, search: Search, params: Params): string {
  const { filters, text } = search
  const conditions = filters.map((filter) => {
    const field = fieldIn(columns, filter.field)
    return field ? conditionOf(filter, field, params) : String(holdsWithout(filter.op))
  })
  return [
    timeCondition(search),
    ...conditions,
    ...(text === undefined ? [] : [textCondition(text, columns.values(), params)]),
  ].join(' AND ')
}
