import type { z } from 'zod'
import type { TableSpec } from '../../model/column.ts'
import type { SystemProblem } from '../../model/system-problem.ts'
import type { Definition } from '../../util/define.ts'
import { Refused } from '../../util/errors.ts'
import type { LookupVersion, LookupView } from './lookups.ts'

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
}

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
   * Makes the rows of a version of a lookup table those in force; earlier ones stay as history. All or nothing, and the same call may be
   * repeated. Rejects as `ensure` does.
   */
  storeLookup(version: LookupVersion): Promise<void>
  /** Makes these the views of `lookups`; all others are removed, their rows stay. The same call may be repeated. */
  showLookups(views: readonly LookupView[]): Promise<void>
  /** Deletes every event and match row of a source (`p_source_id`), and its dead letters. */
  removeSource(sourceId: string): Promise<void>
  /**
   * Makes a copy of all files of the lake as they are now, from which a lake can be opened, and returns its folder. Writes wait meanwhile.
   * There is one copy at a time, and it takes room until `dropSnapshot` or the next start.
   */
  snapshot(): Promise<string>
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
  /** Rows are deleted this many days after they were parsed. Default: never. */
  readonly retentionDays?: number | undefined
  /** Called with all current problems of the lake whenever they change. */
  readonly onProblems: (problems: readonly SystemProblem[]) => void
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
