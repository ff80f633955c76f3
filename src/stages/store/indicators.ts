import type { TableSpec } from '../../model/column.ts'
import { INDICATOR_FIELDS } from '../../model/event.ts'
import { type Keeping, quoteName, quoteText, settingsOf, tableName } from './ddl.ts'

/**
 * The index of indicators: which value was seen in which log type, when and how often. Its rows are finished together with the events
 * that they count, and stored once under a separate token, so that it agrees with the events whatever is repeated.
 */
export const INDEX: TableSpec = {
  database: 'monitor',
  table: 'indicators',
  timeColumn: 'p_parse_time',
  columns: [
    { name: 'kind', kind: 'string', required: true },
    { name: 'value', kind: 'string', required: true },
    { name: 'p_log_type', kind: 'string', required: true },
    { name: 'p_source_id', kind: 'string', required: true },
    { name: 'count', kind: 'ubigint', required: true },
    { name: 'first', kind: 'timestamp', required: true },
    { name: 'last', kind: 'timestamp', required: true },
    { name: 'p_parse_time', kind: 'timestamp', required: true },
  ],
}

/** True for the index. Its stored columns are special: it sums up rows of the same value, and has the day. */
export function isIndex({ database, table }: Pick<TableSpec, 'database' | 'table'>): boolean {
  return database === INDEX.database && table === INDEX.table
}

/** Maximum number of spans that a row of the index keeps; a row with this number of them may have lost some. */
export const MAX_SPANS = 16

/**
 * When the indicator was seen, more exactly than by day: one span for each insert, its first and last second in the upper and lower half
 * of a number. Reading the events of an address then takes a few seconds of the table instead of days. The default fills it from `first`
 * and `last`, for inserts as well as for rows from before the column existed.
 */
const SPANS = `spans SimpleAggregateFunction(groupUniqArrayArray(${MAX_SPANS}), Array(UInt64)) DEFAULT [bitOr(bitShiftLeft(${second('first')}, 32), ${second('last')})]`

function second(column: string): string {
  return `toUInt64(greatest(0, least(4294967295, toUnixTimestamp64Second(${column}))))`
}

/** What brings an index from an earlier version up to date. */
export const ADD_SPANS = `ADD COLUMN IF NOT EXISTS ${SPANS}`

/** The statement that creates the index. */
export function createIndicators(keeping: Keeping): string {
  const columns = [
    'kind LowCardinality(String)',
    'value String',
    'p_log_type LowCardinality(String)',
    'p_source_id LowCardinality(String)',
    'day Date32',
    'count SimpleAggregateFunction(sum, UInt64)',
    "first SimpleAggregateFunction(min, DateTime64(9, 'UTC'))",
    "last SimpleAggregateFunction(max, DateTime64(9, 'UTC'))",
    "p_parse_time SimpleAggregateFunction(max, DateTime64(9, 'UTC'))",
    SPANS,
  ]
  return `CREATE TABLE IF NOT EXISTS ${tableName(INDEX)} (${columns.join(', ')}) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMMDD(toMonday(p_parse_time)) ORDER BY (kind, value, p_log_type, p_source_id, day)
SETTINGS ${settingsOf(keeping).join(', ')}`
}

/**
 * The columns that an insert fills, and the expressions for them: `c0` … are those of `INDEX`. Its rows are not summed up at once: few
 * have the same value, merges will do it, and it takes half of an insert's CPU.
 */
export const INDEX_INSERT = {
  columns: [...INDEX.columns.map(({ name }) => name), 'day'],
  values: [...INDEX.columns.map((_, i) => `c${i}`), `toDate32(c${INDEX.columns.findIndex(({ name }) => name === 'first')})`],
  settings: { optimize_on_insert: 0 },
}

/** An older version had views here that filled the index at each insert. */
export const OLD_VIEWS = 'internal'

/** True for a table whose rows the index counts. */
export function isIndexed(database: string, columns: readonly { readonly name: string }[]): boolean {
  const names = new Set(columns.map(({ name }) => name))
  return (
    database === 'logs' && ['p_log_type', 'p_source_id', 'p_parse_time', ...INDICATOR_FIELDS].every((name) => names.has(name))
  )
}

/** The index rows for an events table's stored rows. `settings`: a clause of SQL. */
export function indexStored(table: string, settings = ''): string {
  const values = INDICATOR_FIELDS.map(
    (field) => `arrayMap(v -> (${quoteText(field.replace('p_any_', ''))}, v), ${quoteName(field)})`,
  )
  return `INSERT INTO ${tableName(INDEX)} (kind, value, p_log_type, p_source_id, day, count, first, last, p_parse_time)
SELECT seen.1 AS kind, seen.2 AS value, p_log_type, p_source_id, toDate32(p_event_time) AS day, count() AS count,
min(p_event_time) AS first, max(p_event_time) AS last, max(t.p_parse_time) AS p_parse_time
FROM ${tableName({ database: 'logs', table })} AS t ARRAY JOIN arrayConcat(${values.join(', ')}) AS seen
GROUP BY kind, value, p_log_type, p_source_id, day${settings}`
}
