import type { z } from 'zod'
import type { TableSpec } from '../../model/column.ts'
import type { SystemProblem } from '../../model/system-problem.ts'
import type { Clock } from '../../util/clock.ts'
import type { Definition } from '../../util/define.ts'
import { Refused, type StorageError } from '../../util/errors.ts'
import type { SecretReference } from '../../util/secret.ts'
import type { ArchiveDays, ExportAsk, ImportAsk, Imported, RowSum } from './archive.ts'
import type { DataAnswers, MoveAsk } from './chdb-protocol.ts'
import type { EraseAsk, FoundRows } from './erase.ts'
import type { LookupVersion, LookupView } from './lookups.ts'
import type { Partition, PartitionId, RetireAsk, Retired } from './partitions.ts'

/** A row that the lake refused; the others of its insert were stored. */
export interface RejectedRow {
  /** Index in the insert. */
  readonly index: number
  readonly message: string
}

export interface QueryOptions {
  /** Values for `{name:Type}` placeholders. */
  readonly params?: Readonly<Record<string, string | number>>
  /** The result is truncated after this many rows, and marked as such. */
  readonly maxRows?: number
  /** The query is only checked: the answer has its columns and no rows, and nothing is read for it. */
  readonly checksOnly?: boolean
  /** The result says how many stored rows were read for it. */
  readonly counted?: boolean
  /** Patterns of the only log types whose rows the query may read, such as `Nginx.*`. Default: all. */
  readonly logTypes?: readonly string[]
  /** Time limit for everything, including waiting. */
  readonly timeoutMs?: number
  /** The query begins once this has resolved. */
  readonly after?: Promise<unknown>
  /** Aborting really stops the query. */
  readonly signal?: AbortSignal
  /** Called when it is sent to the engine, with a function that says how far it is. */
  readonly onBegin?: (progress: () => Promise<QueryProgress | undefined>) => void
}

/** How far a running query is; the engine estimates the total. */
export interface QueryProgress {
  readonly rowsRead: number
  readonly bytesRead: number
  readonly rowsTotal: number
}

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** One exact JSON array text per row; times as RFC 3339 UTC. */
  readonly rows: readonly string[]
  /** True if `maxRows` truncated the result. */
  readonly truncated: boolean
  readonly ms: number
  /** Number of stored rows that were read for it, if it was asked for. */
  readonly rowsRead?: number
  /** Their size in bytes, uncompressed. */
  readonly bytesRead?: number
}

/** The engine cannot make sense of the query: its syntax, or a name or type in it. In another dialect the same text may be right. */
export class QueryNotUnderstood extends Refused {}

/** The query did not stop at its time limit or when it was cancelled, so the lake's process had to be killed. */
export class LakeEnded extends Refused {}

/** The same query text has brought down the lake's process too often and is refused for a while. */
export class QueryBarred extends Refused {}

/** Where events are stored and queried. All methods may be called concurrently. */
export interface Lake {
  /**
   * Creates the table, or changes its columns to match the spec: adds missing ones, changes types (see docs/lake.md). Cheap if
   * nothing changed. `late`: the rows to come were finished before another spec replaced this one, so the current types stay.
   * Rejects with `Refused` if the table can never match the spec, and with `RetryLater` if it cannot now.
   */
  ensure(table: TableSpec, late?: boolean): Promise<void>
  /**
   * Stores all rows of a file written by `RowWriter`, or none. Each token inserts only once, ever. Returns a message if the rows can
   * never be stored together, because of one of them or because of their number. Rejects with `RetryLater` if the same call may be
   * repeated, and with `Refused` if the table has no column for any of the rows.
   */
  store(table: TableSpec, file: string, token: string): Promise<string | undefined>
  /**
   * Runs read-only SQL that can reach nothing but the lake. Rejects with `Refused` and the engine's message if the query is invalid or
   * ran out of time, and with `RetryLater` if the lake could not run it now: it never began, or it was running when the process ended.
   */
  query(sql: string, options?: QueryOptions): Promise<QueryResult>
  /**
   * Writes rows of a result, one JSON array per line in the file `from`, as a Parquet file `to` with these columns. Rejects with `Refused`
   * if Parquet has no such type, and with `RetryLater` if the lake cannot do it now.
   */
  toParquet(from: string, columns: QueryResult['columns'], to: string): Promise<void>
  /**
   * Makes the rows of a version of a lookup table those in force; earlier ones stay as history. All or nothing, and the same call may be
   * repeated. Rejects as `ensure` does.
   */
  storeLookup(version: LookupVersion): Promise<void>
  /** Makes these the views of `lookups`; all others are removed, their rows stay. The same call may be repeated. */
  showLookups(views: readonly LookupView[]): Promise<void>
  /** Deletes every event and match row of a source (`p_source_id`), and its dead letters; `held`: but for the rows of these alerts. */
  removeSource(sourceId: string, held?: readonly string[]): Promise<void>
  /** All partitions of all tables. */
  partitions(): Promise<readonly Partition[]>
  /** The log types of a partition's rows. */
  logTypesIn(partition: PartitionId): Promise<readonly string[]>
  /** Deletes rows of a partition; see `RetireAsk`. The same call may be repeated. */
  retire(ask: RetireAsk): Promise<Retired>
  /** The rows that `retire` would delete, by the day on which they were received; of tables of events and matches only. */
  archiveDays(ask: RetireAsk): Promise<ArchiveDays>
  /** Writes a part of a day's rows as Parquet, and returns what the file contains when it is read back. */
  exportDay(ask: ExportAsk): Promise<RowSum>
  /** Loads such a file into its table, which is created or altered if it has to be; rows that are there already are left out. */
  importFile(ask: ImportAsk): Promise<Imported>
  /** Rows of all tables that have a value in a column of text. */
  find(ask: EraseAsk): Promise<readonly FoundRows[]>
  /** Deletes them, but for those of alerts on hold. */
  erase(ask: EraseAsk): Promise<readonly FoundRows[]>
  /** Removes from disk what is left of deleted rows. */
  scrub(): Promise<void>
  /** For moving all rows to another lake while nothing else uses either. */
  move<A extends MoveAsk>(ask: A): Promise<DataAnswers[A['do']]>
  /**
   * Makes a copy of all files of the lake as they are now, from which a lake can be opened, and returns its folder. Writes wait meanwhile.
   * There is one copy at a time, and it takes room until `dropSnapshot` or the next start. `undefined`: the lake has no files on this
   * machine, and is backed up where it is.
   */
  snapshot(): Promise<string | undefined>
  dropSnapshot(): Promise<void>
  /** Resolves when the lake can be used, with the tables that its last start migrated to the current layout. */
  ready(): Promise<readonly Brought[]>
  close(): Promise<void>
}

/** A table that was migrated from an older layout. */
export interface Brought {
  readonly table: string
  readonly rowsBefore: number
  readonly rowsAfter: number
}

/** The part of a lake that accepts finished rows. */
export interface LakeWriter extends Pick<Lake, 'ensure'> {
  /**
   * Stores blocks (`src/util/block/writer.ts`). Each token inserts the same rows only once, ever. Rows that can never be stored are
   * found by bisection and returned; the rest is stored. Rejects as `Lake.store` does.
   */
  insert(table: TableSpec, blocks: readonly Uint8Array[], token: string): Promise<readonly RejectedRow[]>
}

/** What a lake can access. */
export interface LakeDeps {
  /** Caracal's data folder; a lake with files creates its own folder in it. */
  readonly dataDir: string
  /** Time limit for any query. */
  readonly maxQueryMs: number
  /** Maximum number of rows in an answer, unless the query sets its own limit. */
  readonly maxRows: number
  /** Called with all current problems of the lake whenever they change. */
  readonly onProblems: (problems: readonly SystemProblem[]) => void
  /** The secret that the configuration refers to. Throws `ConfigError` if it is not there. */
  readonly secret: (reference: SecretReference) => string
  /** Authorities to trust in TLS connections. */
  readonly trusted: { readonly ca?: string[] }
  /** Default: that of the machine. */
  readonly clock?: Clock
  /** A server that this data folder has used before may be away: then one of these is called later. Absent: it must answer now. */
  readonly late?: LateLake
}

export interface LateLake {
  /** It answers; returns the tables that were migrated to the current layout. */
  readonly onOpened: (brought: readonly Brought[]) => void
  /** It answers, and cannot be used. */
  readonly onRefused: (error: StorageError) => void
}

export interface LakeDefinition<T extends string, S extends z.ZodRawShape> extends Definition<T, S> {
  /** Opens the lake. Rejects with `NotSupported` or `StorageError` and a message that says what to do. */
  create(config: z.output<z.ZodObject<S>>, deps: LakeDeps): Promise<Lake>
}

/** Keeps the literal types of a lake's definition. */
export function defineLake<const T extends string, S extends z.ZodRawShape>(
  definition: LakeDefinition<T, S>,
): LakeDefinition<T, S> {
  return definition
}
