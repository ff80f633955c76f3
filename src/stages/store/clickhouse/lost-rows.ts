import type { Column } from '../../../model/column.ts'
import { quoteName, tableName } from '../ddl.ts'
import type { Insert } from '../engine.ts'
import { INDEX, isIndex } from '../indicators.ts'

/** What identifies a row of an events or matches table; rows of tables without these are known by all their columns of single values. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  logs: ['p_row_id'],
  matches: ['p_row_id', 'p_rule_id', 'p_alert_id'],
}

/** The SELECT of those rows of an insert that its table does not have. `rows`: the table with all of them, columns `c0`, `c1` …. */
export function lostRows(insert: Insert, rows: string): string {
  return isIndex(insert.spec) ? lostIndexRows(rows) : lostTableRows(insert, rows)
}

function lostTableRows({ spec, columns }: Insert, rows: string): string {
  const place = (name: string) => spec.columns.findIndex((column) => column.name === name)
  const key = KEYS[spec.database]
  const names = key?.every((name) => place(name) !== -1) ? key : spec.columns.filter(isPlain).map(({ name }) => name)
  const given = names.map((name) => `c${place(name)}`)
  const stored = names.map((name) => quoteName(columns[place(name)]!))
  // Rows are written with the time at which they were received, so few have to be read.
  const time = place('p_parse_time') === -1 ? spec.timeColumn : 'p_parse_time'
  const span = `(SELECT min(c${place(time)}) FROM ${rows}) AND (SELECT max(c${place(time)}) FROM ${rows})`
  return `SELECT * FROM ${rows} WHERE ${keyOf(given)} NOT IN (
SELECT ${keyOf(stored)} FROM ${tableName(spec)} WHERE ${quoteName(columns[place(time)]!)} BETWEEN ${span})`
}

function isPlain({ kind }: Column): boolean {
  return kind === 'string' || kind === 'timestamp' || kind === 'int' || kind === 'bigint'
}

/** NULL is a value like any other, and a list of values is not confused with another one. */
function keyOf(values: readonly string[]): string {
  return `sipHash128(${values.map((value) => `${value} IS NULL, ifNull(toString(${value}), '')`).join(', ')})`
}

/**
 * Rows of the index are summed up, so they cannot be found again. But the index knows when an indicator was last received, and inserts
 * into it come in the order of that time: a row that is as new, and spans as much, is this one or a later one.
 */
function lostIndexRows(rows: string): string {
  const at = (name: string) => `c${INDEX.columns.findIndex((column) => column.name === name)}`
  const key = ['kind', 'value', 'p_log_type', 'p_source_id']
  const day = `toDate32(given.${at('first')})`
  return `SELECT given.* FROM ${rows} AS given LEFT JOIN (
SELECT ${key.join(', ')}, day, max(p_parse_time) AS received, min(first) AS began, max(last) AS ended FROM ${tableName(INDEX)}
WHERE (kind, value) IN (SELECT ${at('kind')}, ${at('value')} FROM ${rows}) GROUP BY ${key.join(', ')}, day) AS stored
ON ${key.map((name) => `given.${at(name)} = stored.${name}`).join(' AND ')} AND ${day} = stored.day
WHERE stored.received < given.${at('p_parse_time')} OR stored.began > given.${at('first')} OR stored.ended < given.${at('last')}`
}
