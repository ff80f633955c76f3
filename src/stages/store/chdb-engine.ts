import { NotSupported, StorageError } from '../../util/errors.ts'
import type { ChildOptions } from './chdb-protocol.ts'
import { quoteText } from './ddl.ts'
import { OLD_VIEWS } from './indicators.ts'
import type { Surface } from './sql-guard.ts'

const MIB = 1024 * 1024

/** A connection to the engine: a serial session whose settings persist. */
export interface Session {
  /** Runs one statement and returns its answer's text. Throws the engine's error. */
  run(sql: string, format?: string): Promise<string>
  close(): void
}

/** `default` has no tables. */
export type ReaderDatabase = 'logs' | 'default'

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
}

/** For definitions and inserts; inserts also need `ONE_BLOCK`. */
const WRITER = `async_insert = 0, max_insert_threads = 1, max_partitions_per_insert_block = 1000,
  deduplicate_blocks_in_dependent_materialized_views = 1`

/** Makes each insert a single block: the engine neither splits nor joins the contents of a file, and reads it in one thread. */
export const UNDIVIDED = `max_insert_threads = 1, max_threads = 1, use_strict_insert_block_limits = 0, max_insert_block_size = 1048449, min_insert_block_size_rows = 1048449,
min_insert_block_size_bytes = 268402944`

/** The same with a token, which stands for one block. Deduplication of `INSERT … SELECT` has to be enabled explicitly. */
export const ONE_BLOCK = `deduplicate_insert_select = 'force_enable', ${UNDIVIDED}`

/**
 * Without simdjson, which rejects a whole document for a single integer beyond 64 bits: a sender could use that to hide an event's nested
 * fields from every query.
 *
 * `readonly` comes last, because no setting can be changed after it. The exception, surprisingly, is SETTINGS in a subquery (26.7), where
 * even `readonly = 0` takes effect, so the guard refuses that word.
 */
function reader(options: ChildOptions): string {
  return `max_execution_time = ${options.maxQueryMs / 1000}, timeout_overflow_mode = 'throw',
  max_memory_usage = ${options.maxQueryBytes}, max_result_bytes = ${options.maxResultBytes}, result_overflow_mode = 'throw',
  max_bytes_before_external_group_by = ${Math.floor(options.maxQueryBytes / 2)},
  max_bytes_before_external_sort = ${Math.floor(options.maxQueryBytes / 2)}, max_temporary_data_on_disk_size_for_query = 10000000000,
  output_format_json_quote_64bit_integers = 0, output_format_json_escape_forward_slashes = 0, output_format_json_validate_utf8 = 1,
  output_format_json_named_tuples_as_objects = 1, date_time_output_format = 'iso', session_timezone = 'UTC',
  allow_simdjson = 0, allow_introspection_functions = 0, allow_ddl = 0, readonly = 1`
}

/** Settings that cannot be changed later. The caches' default limits are gigabytes, far more than the lake of a small machine needs. */
function serverArguments({ maxMemoryBytes }: ChildOptions): string[] {
  return [
    `--max_server_memory_usage=${maxMemoryBytes}`,
    `--mark_cache_size=${64 * MIB}`,
    `--primary_index_cache_size=${64 * MIB}`,
    `--query_condition_cache_size=${16 * MIB}`,
    `--compiled_expression_cache_size=${16 * MIB}`,
    // Otherwise it checks its memory 20 times a second, even on an idle machine.
    '--memory_worker_period_ms=500',
  ]
}

/** Opens the lake at `options.path`. Throws `NotSupported` without the engine, and `StorageError` if another process has the folder. */
export async function openEngine(options: ChildOptions): Promise<Engine> {
  const chdb = await import('chdb').catch((cause: unknown) => {
    throw new NotSupported(
      `the embedded lake on this machine, because the package 'chdb' cannot be loaded (${String(cause)}): ` +
        'run `npm install chdb` (Linux or macOS, x64 or arm64), or configure another lake',
    )
  })
  const open = (): Session => {
    const session = new chdb.Session(options.path, { connectionArgs: serverArguments(options) })
    return {
      run: async (sql, format = 'JSONCompactEachRow') => (await session.queryAsync(sql, { format })).text(),
      close: () => session.close(),
    }
  }
  let writer: Session
  try {
    writer = open()
  } catch (cause) {
    throw new StorageError(`the lake at ${options.path} cannot be opened: ${String(cause)}`, { cause })
  }
  await writer.run(`SET ${WRITER}`)
  const control = open()
  const surface = await readSurface(control)
  const openReader = async (database: ReaderDatabase) => {
    const session = open()
    await session.run(`USE ${database}`)
    await session.run(`SET ${reader(options)}`)
    return session
  }
  return { writer, control, open, openReader, surface }
}

async function readSurface(session: Session): Promise<Surface> {
  const rows = async (sql: string) => rowsOf<string[]>(await session.run(sql))
  const tableFunctions = await rows('SELECT lower(name) FROM system.table_functions')
  const functions = await rows("SELECT DISTINCT lower(name) FROM system.functions WHERE alias_to = ''")
  const aliases = await rows("SELECT lower(name), lower(alias_to) FROM system.functions WHERE alias_to != ''")
  const databases = await rows('SELECT lower(name) FROM system.databases')
  return {
    tableFunctions: new Set(tableFunctions.map(([name]) => name!)),
    functions: new Set(functions.map(([name]) => name!)),
    aliases: new Map(aliases.map(([name, to]) => [name!, to!])),
    databases: new Set([...databases.map(([name]) => name!), OLD_VIEWS]),
  }
}

/** The SQL that ends the statement beginning with `marker`. */
export function killStatement(marker: string): string {
  return `KILL QUERY WHERE startsWith(query, ${quoteText(marker)}) ASYNC`
}

/** Parses rows in the default format of `Session.run`. */
export function rowsOf<Row>(text: string): Row[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Row)
}
