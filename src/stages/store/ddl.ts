import type { Column, ColumnKind, TableSpec } from '../../model/column.ts'
import { STANDARD_COLUMNS } from '../../model/standard-columns.ts'
import { Refused } from '../../util/errors.ts'

/** The lake's databases. No others are created, and users' SQL can reach no others. */
export const DATABASES = ['logs', 'matches', 'signals', 'monitor', 'lookups'] as const

/** Databases that have a view `all` over all their tables. */
export const UNITED = ['logs', 'matches'] as const

/** The name of that view, which no table may have. */
export const ALL = 'all'

/** Number of inserted parts per table remembered by token. A retry only concerns the last insert, so this is more than enough. */
const DEDUPLICATION_WINDOW = 10_000

/** Replicas forget tokens after this time as well: a week, which no outage of the lake should exceed. */
const DEDUPLICATION_SECONDS = 604_800

/**
 * Parts below this size, in bytes before compression, store all columns in one file. The engine's default of 10 MiB is smaller than an
 * insert under high load: it would create two to four files for each of forty columns, which used half of the lake's CPU.
 */
const WIDE_PART_BYTES = 128 * 1024 * 1024

const TYPES: Record<ColumnKind, string> = {
  string: 'String',
  int: 'Int32',
  smallint: 'Int16',
  bigint: 'Int64',
  ubigint: 'UInt64',
  float: 'Float64',
  boolean: 'Bool',
  timestamp: "DateTime64(9, 'UTC')",
  json: 'String',
  strings: 'Array(String)',
}

/** A column as the engine reports it. */
export interface StoredColumn {
  readonly name: string
  readonly type: string
  /** Part of the table's sorting or partition key, so its type can never change. */
  readonly isKey?: boolean
}

/** The engine's type of a column. ClickHouse arrays cannot be null: a missing one is empty. */
export function typeOf(column: Column): string {
  const type = TYPES[column.kind]
  return column.required || column.kind === 'strings' ? type : `Nullable(${type})`
}

/** A name in backquotes. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}

/** Text as a string literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** `database`.`table`, quoted. */
export function tableName(spec: { readonly database: string; readonly table: string }): string {
  return `${quoteName(spec.database)}.${quoteName(spec.table)}`
}

/** Throws `Refused` if the lake cannot store the table as specified. */
export function checkSpec(spec: TableSpec): void {
  const name = `lake table ${spec.database}.${spec.table}`
  if (!(DATABASES as readonly string[]).includes(spec.database)) {
    throw new Refused(`${name}: there is no database '${spec.database}'; known: ${DATABASES.join(', ')}`)
  }
  if (!/^[A-Za-z0-9_]{1,128}$/.test(spec.table)) throw new Refused(`${name}: a table name has letters, digits and '_' only`)
  if (spec.table === ALL)
    throw new Refused(`${name}: the name '${ALL}' is the view over all tables; choose another log type name`)
  const time = spec.columns.find((column) => column.name === spec.timeColumn)
  if (time?.kind !== 'timestamp') throw new Refused(`${name}: its time column '${spec.timeColumn}' must be a timestamp column`)
  const seen = new Set<string>()
  for (const column of spec.columns) {
    if (seen.has(column.name)) throw new Refused(`${name}: column '${column.name}' is there twice`)
    seen.add(column.name)
    if (column.name === '' || column.name.length > 512) throw new Refused(`${name}: a column name has 1 to 512 characters`)
    // ClickHouse would treat arrays `a.b` and `a.c` as parts of one nested table and require equal lengths.
    if (column.kind === 'strings' && column.name.includes('.')) {
      throw new Refused(`${name}: list column '${column.name}' may not have a dot in its name; rename the field in the schema`)
    }
  }
}

/** How the lake's tables are stored. */
export interface Keeping {
  /** Inserts are synced to disk. */
  readonly fsync: boolean
  /** Their replicas remember tokens in common. */
  readonly isReplicated?: boolean
  /** The server's storage policy of all tables; absent: its default. */
  readonly storagePolicy?: string | undefined
  /** The volume of that policy to which events and matches move; absent: they stay where they are. */
  readonly cold?: { readonly volume: string; readonly afterDays: number } | undefined
}

/**
 * Settings of a new events table. The index of indicators names single events, and a granule is the least that is read of a table: with
 * the engine's default of 8192 rows, five hundred events of a month would take more than half of it. Small granules would compress badly
 * in parts with a single file, unless their columns are compressed together.
 */
const FINE = ['index_granularity = 256', 'compress_per_column_in_compact_parts = 0']

/** The statement that creates the table. */
export function createTable(spec: TableSpec, keeping: Keeping): string {
  const columns = storedColumnsOf(spec).map((column) => `${quoteName(column.name)} ${typeOf(column)}`)
  const settings = [...settingsOf(keeping), ...(spec.database === 'logs' ? FINE : [])]
  const ttl = hasParseTime(spec) ? ttlOf(spec.database, keeping) : undefined
  return `CREATE TABLE IF NOT EXISTS ${tableName(spec)} (${columns.join(', ')}) ENGINE = MergeTree
PARTITION BY ${partitionKey(spec)} ORDER BY ${quoteName(spec.timeColumn)}${ttl === undefined ? '' : `\nTTL ${ttl}`}
SETTINGS ${settings.join(', ')}`
}

/** The settings of a table whose inserts carry tokens. Partitions are weeks, so that parts expire as a whole. */
export function settingsOf({ fsync, isReplicated = false, storagePolicy }: Keeping): readonly string[] {
  const settings = [
    ...(isReplicated
      ? [
          `replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`,
          `replicated_deduplication_window_seconds = ${DEDUPLICATION_SECONDS}`,
        ]
      : [`non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`]),
    'ttl_only_drop_parts = 1',
    `min_bytes_for_wide_part = ${WIDE_PART_BYTES}`,
  ]
  if (fsync) settings.push('fsync_after_insert = 1', 'fsync_part_directory = 1')
  if (storagePolicy !== undefined) settings.push(`storage_policy = ${quoteText(storagePolicy)}`)
  return settings
}

/**
 * When rows of a database's tables move to another volume, in the engine's own words; `undefined`: never. A part moves once all of its rows
 * were received before that.
 */
export function ttlOf(database: string, { cold }: Keeping): string | undefined {
  if (!cold || !/^(?:logs|matches)(?:_local)?$/.test(database)) return undefined
  return `toDateTime(p_parse_time) + toIntervalDay(${cold.afterDays}) TO VOLUME ${quoteText(cold.volume)}`
}

/** The columns of `<database>.all`: those common to all its tables, or the standard columns if there are none. */
export function allColumns(common: readonly StoredColumn[]): readonly StoredColumn[] {
  return common.length > 0 ? common : STANDARD_COLUMNS.map((column) => ({ name: column.name, type: typeOf(column) }))
}

/** The statement that creates `<database>.all`, which automatically includes later tables. */
export function createAll(database: string, columns: readonly StoredColumn[]): string {
  const shown = columns.map(({ name, type }) => `${quoteName(name)} ${type}`)
  return `CREATE OR REPLACE TABLE ${tableName({ database, table: ALL })} (${shown.join(', ')}) ENGINE = Merge(${quoteText(database)}, '.*')`
}

/** The spec's columns as they are stored: the time column is a sorting key, so it is never null. */
export function storedColumnsOf(spec: TableSpec): Column[] {
  return spec.columns.map((column) => (column.name === spec.timeColumn ? { ...column, required: true } : column))
}

/**
 * Partitions by week of `p_parse_time`, from which retention counts. Each partition of an insert becomes a part on disk. Unlike event
 * times, parse times are our own, so an insert is one part, whatever times the events claim.
 */
function partitionKey(spec: TableSpec): string {
  return hasParseTime(spec) ? 'toYYYYMMDD(toMonday(`p_parse_time`))' : `toYYYYMM(${quoteName(spec.timeColumn)})`
}

function hasParseTime({ columns }: TableSpec): boolean {
  return columns.some(({ name, kind, required }) => name === 'p_parse_time' && kind === 'timestamp' && required)
}
