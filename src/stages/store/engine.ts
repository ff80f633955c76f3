import type { TableSpec } from '../../model/column.ts'
import type { Cluster } from './cluster.ts'
import { quoteText } from './ddl.ts'
import type { EraseAsk, Sought } from './erase.ts'
import { OLD_VIEWS } from './indicators.ts'
import type { Surface } from './sql-guard.ts'

/** A file whose rows a statement reads. */
export interface RowFile {
  readonly path: string
  readonly format: 'Native' | 'Parquet' | 'JSONCompactEachRow'
  /** Names and types of its columns, as SQL. */
  readonly structure: string
}

export interface Statements {
  /** Runs one statement and returns its answer's text. Throws the engine's error. */
  run(sql: string, format?: string): Promise<string>
  /** The servers over which the tables are spread; absent: the engine has them whole. */
  readonly cluster?: Cluster | undefined
}

/** A connection to the engine: statements run one after another. */
export interface Session extends Statements {
  /** Runs `work`, whose statements of this session may read the file: as the table that `work` is called with. */
  withFile<T>(file: RowFile, work: (table: string) => Promise<T>): Promise<T>
  /** Writes the rows of a SELECT without settings to a file, with these settings. */
  toFile(format: 'Parquet' | 'Native', select: string, settings: Settings, path: string): Promise<void>
  close(): void
}

/** Settings of the engine, in the order in which they are set. */
export type Settings = Readonly<Record<string, string | number>>

/** `default` has no tables. */
export type ReaderDatabase = 'logs' | 'default'

/** Rows for a table, in one block. */
export interface Insert {
  readonly spec: TableSpec
  /** The stored columns to fill, and the expressions for them over the file's columns `c0`, `c1` …. */
  readonly columns: readonly string[]
  readonly values: readonly string[]
  readonly settings?: Settings | undefined
  /** In the format Native. */
  readonly file: RowFile
  readonly token: string
}

/** The opened engine. Permissions are set here once and never change. */
export interface Engine {
  /** For inserts and table definitions only; every insert carries a token. */
  readonly writer: Session
  /** Opens a session for one long operation, so that inserts and queries need not wait for it. */
  open(): Session
  /** Opens a session for users' SQL only. Names without a database are found in this one. */
  openReader(database: ReaderDatabase): Promise<Session>
  /** For ending queries. */
  readonly control: Session
  readonly surface: Surface
  /** Marks the statements of this lake's queries; empty if no other has queries on the engine. */
  readonly name: string
  /** Repairs what a crash left behind. Call it once, before any insert. */
  repair(): Promise<void>
  /** Stores rows, all or none, once per token. Throws the engine's error. Calls must not overlap. */
  insert(insert: Insert): Promise<void>
  /** Runs `work` with the value to delete as SQL: what the engine keeps of the deletion is removed by `scrub`, or does not show the value. */
  withSought<T>(ask: EraseAsk, work: (sought: Sought) => Promise<T>): Promise<T>
  /** Removes from disk what is left of deleted rows. Nothing may be inserted meanwhile. */
  scrub(): Promise<void>
}

/** Limits of users' SQL. */
export interface QueryLimits {
  readonly maxQueryMs: number
  readonly maxQueryBytes: number
  /** Maximum size of a query's answer in bytes. */
  readonly maxResultBytes: number
}

/** For definitions and inserts; inserts also need `ONE_BLOCK`. */
export const WRITER: Settings = {
  async_insert: 0,
  max_insert_threads: 1,
  max_partitions_per_insert_block: 1000,
  deduplicate_blocks_in_dependent_materialized_views: 1,
}

/** Makes each insert a single block: the engine neither splits nor joins the contents of a file, and reads it in one thread. */
export const UNDIVIDED: Settings = {
  max_insert_threads: 1,
  max_threads: 1,
  use_strict_insert_block_limits: 0,
  max_insert_block_size: 1048449,
  min_insert_block_size_rows: 1048449,
  min_insert_block_size_bytes: 268402944,
}

/** The same with a token, which stands for one block. Deduplication of `INSERT … SELECT` has to be enabled explicitly. */
export const ONE_BLOCK: Settings = { deduplicate_insert_select: 'force_enable', ...UNDIVIDED }

/**
 * Settings of users' SQL. Without simdjson, which rejects a whole document for a single integer beyond 64 bits: a sender could use that to
 * hide an event's nested fields from every query.
 *
 * `readonly` comes last, because no setting can be changed after it. The exception, surprisingly, is SETTINGS in a subquery (26.7), where
 * even `readonly = 0` takes effect, so the guard refuses that word.
 */
export function readerSettings({ maxQueryMs, maxQueryBytes, maxResultBytes }: QueryLimits, more: Settings = {}): Settings {
  return {
    ...more,
    max_execution_time: maxQueryMs / 1000,
    timeout_overflow_mode: 'throw',
    max_memory_usage: maxQueryBytes,
    max_result_bytes: maxResultBytes,
    result_overflow_mode: 'throw',
    max_bytes_before_external_group_by: Math.floor(maxQueryBytes / 2),
    max_bytes_before_external_sort: Math.floor(maxQueryBytes / 2),
    max_temporary_data_on_disk_size_for_query: 10_000_000_000,
    output_format_json_quote_64bit_integers: 0,
    output_format_json_escape_forward_slashes: 0,
    output_format_json_validate_utf8: 1,
    output_format_json_named_tuples_as_objects: 1,
    date_time_output_format: 'iso',
    session_timezone: 'UTC',
    allow_simdjson: 0,
    allow_introspection_functions: 0,
    allow_ddl: 0,
    readonly: 1,
  }
}

/** As SQL: `a = 1, b = 'x'`. */
export function settingsText(settings: Settings): string {
  const pairs = Object.entries(settings)
  return pairs.map(([name, value]) => `${name} = ${typeof value === 'number' ? value : quoteText(value)}`).join(', ')
}

/** The same as a clause, which is empty without settings. */
export function withSettings(settings: Settings): string {
  return Object.keys(settings).length === 0 ? '' : ` SETTINGS ${settingsText(settings)}`
}

/** The engine's names that the guard of users' SQL must know. `more`: databases that may come. */
export async function readSurface(session: Session, more: readonly string[] = []): Promise<Surface> {
  const rows = async (sql: string) => rowsOf<string[]>(await session.run(sql))
  const tableFunctions = await rows('SELECT lower(name) FROM system.table_functions')
  const functions = await rows("SELECT DISTINCT lower(name) FROM system.functions WHERE alias_to = ''")
  const aliases = await rows("SELECT lower(name), lower(alias_to) FROM system.functions WHERE alias_to != ''")
  const databases = await rows('SELECT lower(name) FROM system.databases')
  return {
    tableFunctions: new Set(tableFunctions.map(([name]) => name!)),
    functions: new Set(functions.map(([name]) => name!)),
    aliases: new Map(aliases.map(([name, to]) => [name!, to!])),
    databases: new Set([...databases.map(([name]) => name!), OLD_VIEWS, ...more]),
  }
}

/** The SQL that ends the statement beginning with `marker`. */
export function killStatement(marker: string): string {
  return `KILL QUERY WHERE startsWith(query, ${quoteText(marker)}) ASYNC`
}

/** The SQL that says how far the statement beginning with `marker` is. */
export function progressStatement(marker: string): string {
  return `SELECT read_rows, read_bytes, total_rows_approx FROM system.processes WHERE startsWith(query, ${quoteText(marker)})`
}

/** Parses rows in the default format of `Session.run`. */
export function rowsOf<Row>(text: string): Row[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Row)
}
