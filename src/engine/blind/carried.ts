import type { Column } from '../../model/column.ts'
import type { FieldPath } from '../../model/rule-reads.ts'
import { instant } from '../../pipeline/rejudge/sql.ts'
import { quoteName, quoteText, tableName } from '../../stages/store/ddl.ts'
import type { LogTypeReads } from './reads.ts'

const DAY_MS = 86_400_000
/** The column with the fields that no schema has. */
const EXTRA = 'extra'

/** The condition in SQL that an event has a value in this field. `undefined`: every event has one. */
export function hasValue(path: FieldPath, columns: readonly Column[]): string | undefined {
  const [name = '', ...rest] = path
  const lower = name.toLowerCase()
  const column =
    columns.find((one) => one.name === name) ??
    columns.find((one) => one.name.toLowerCase() === lower) ??
    columns.find((one) => one.name === EXTRA)
  if (!column) return undefined
  const quoted = quoteName(column.name)
  if (column.kind === 'strings') return `length(${quoted}) > 0`
  const isExtra = column.name === EXTRA && name !== EXTRA
  const inside = isExtra ? path : rest
  if (column.kind === 'json' && inside.length > 0)
    return `ifNull(JSONType(${quoted}, ${inside.map(quoteText).join(', ')}), 'Null') != 'Null'`
  if (column.required) return undefined
  return column.kind === 'json' ? `ifNull(${quoted}, 'null') NOT IN ('null', '', '[]', '{}')` : `isNotNull(${quoted})`
}

/**
 * Which conditions some event of the last 24 hours meets: a row of 0 and 1. Reading ends at the first such event, so only fields that
 * are missing cost a whole day.
 */
export function recentSql({ table }: Pick<LogTypeReads, 'table'>, conditions: readonly string[], nowMs: number): string {
  const found = conditions.map(
    (condition) =>
      `(SELECT count() FROM (SELECT 1 FROM ${logsTable(table)} WHERE ${between(nowMs - DAY_MS, nowMs)} AND ${condition} LIMIT 1))`,
  )
  return `SELECT ${found.join(', ')}`
}

/** A row for each of the last eight days with events, 0 being the last 24 hours: the day, its events, how many meet each condition. */
export function dailySql({ table }: Pick<LogTypeReads, 'table'>, conditions: readonly string[], nowMs: number): string {
  const counts = conditions.map((condition) => `countIf(${condition})`)
  const day = `intDiv(toInt64(${nowMs}) - 1 - toUnixTimestamp64Milli(p_parse_time), ${DAY_MS})`
  return `SELECT ${day} AS day, count(), ${counts.join(', ')} FROM ${logsTable(table)} WHERE ${between(nowMs - 8 * DAY_MS, nowMs)} GROUP BY day`
}

function between(fromMs: number, untilMs: number): string {
  return `p_parse_time >= ${instant(fromMs)} AND p_parse_time < ${instant(untilMs)}`
}

function logsTable(table: string): string {
  return tableName({ database: 'logs', table })
}
