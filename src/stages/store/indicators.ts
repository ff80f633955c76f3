import { INDICATOR_FIELDS } from '../../model/event.ts'
import { type Keeping, quoteName, quoteText, settingsOf, tableName, ttlOf } from './ddl.ts'

/**
 * The index of indicators: which value was seen in which log type, when and how often. A materialized view for each events
 * table fills it as a part of the insert and under the insert's token, so a row counts once, whatever is repeated.
 */
export const INDICATORS = { database: 'monitor', table: 'indicators' }

/** Where the views are; people's SQL does not reach it. */
export const VIEWS = 'internal'

/** The statement that makes the index. */
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
  ]
  return `CREATE TABLE IF NOT EXISTS ${tableName(INDICATORS)} (${columns.join(', ')}) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMMDD(toMonday(p_parse_time)) ORDER BY (kind, value, p_log_type, p_source_id, day)${ttlOf(keeping)}
${settingsOf(keeping)}`
}

/** True for a table whose rows the index counts. */
export function isIndexed(database: string, columns: readonly { readonly name: string }[]): boolean {
  const names = new Set(columns.map(({ name }) => name))
  return (
    database === 'logs' && ['p_log_type', 'p_source_id', 'p_parse_time', ...INDICATOR_FIELDS].every((name) => names.has(name))
  )
}

/** The statement that lets inserts into an events table fill the index. */
export function createView(table: string): string {
  const name = tableName({ database: VIEWS, table: `indicators_of_${table}` })
  return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${name} TO ${tableName(INDICATORS)} AS ${seenIn(table)}`
}

/** What an events table's stored rows add to the index. */
export function indexStored(table: string): string {
  return `INSERT INTO ${tableName(INDICATORS)} (${COLUMNS}) ${seenIn(table)}`
}

const COLUMNS = 'kind, value, p_log_type, p_source_id, day, count, first, last, p_parse_time'

function seenIn(table: string): string {
  const values = INDICATOR_FIELDS.map(
    (field) => `arrayMap(v -> (${quoteText(field.replace('p_any_', ''))}, v), ${quoteName(field)})`,
  )
  return `SELECT seen.1 AS kind, seen.2 AS value, p_log_type, p_source_id, toDate32(p_event_time) AS day, count() AS count,
min(p_event_time) AS first, max(p_event_time) AS last, max(t.p_parse_time) AS p_parse_time
FROM ${tableName({ database: 'logs', table })} AS t ARRAY JOIN arrayConcat(${values.join(', ')}) AS seen
GROUP BY kind, value, p_log_type, p_source_id, day`
}
