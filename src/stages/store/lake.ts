import type { z } from 'zod'
import type { TableSpec } from '../../model/column.ts'
import type { SystemProblem } from '../../model/system-problem.ts'
import type { Definition } from '../../util/define.ts'
import { Refused } from '../../util/errors.ts'

/** A row that the lake would not take; the others of its insert were stored. */
export interface RejectedRow {
  /** Index in the insert. */
  readonly index: number
  readonly message: string
}

export interface QueryOptions {
  /** Values for `{name:Type}` placeholders. */
  readonly params?: Readonly<Record<string, string | number>>
  /** The answer is cut after this many rows, and says so. */
  readonly maxRows?: number
  /** For everything, waiting included. */
  readonly timeoutMs?: number
  /** The query begins when this has resolved. */
  readonly after?: Promise<unknown>
  /** Aborting really ends the query. */
  readonly signal?: AbortSignal
}

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** One exact JSON array text per row; times as RFC 3339 UTC. */
  readonly rows: readonly string[]
  /** True when `maxRows` cut the answer. */
  readonly truncated: boolean
  readonly ms: number
}

/** The query did not stop at its time limit or when it was cancelled, so that the lake's process had to be ended. */
export class LakeEnded extends Refused {}

/** The same query text has ended the lake's process too often; it is refused for a while. */
export class QueryBarred extends Refused {}

/** Where events are kept and asked. All methods may be called at the same time. */
export interface Lake {
  /**
   * Makes the table, or brings its columns to the spec: adds what it lacks, changes types (see docs/lake.md). Cheap when nothing
   * changed. `late`: the rows to come were finished before another spec took this one's place, so the present types stay.
   * Rejects with `Refused` when the table can never be so, with `RetryLater` when it cannot now.
   */
  ensure(table: TableSpec, late?: boolean): Promise<void>
  /**
   * Stores the rows of a file that `RowWriter` made, all or none. The same token inserts once, ever. Gives a message when the rows
   * can never be stored together, because of one of them or of their number. Rejects with `RetryLater` when the same call may be made
   * again, with `Refused` when the table has no place for any of the rows.
   */
  store(table: TableSpec, file: string, token: string): Promise<string | undefined>
  /**
   * Read-only SQL: can reach nothing but the lake. Rejects with `Refused` and the engine's message on a bad query or one that ran out
   * of time, and with `RetryLater` when the lake could not serve it now: it never began, or it was under way when the process ended.
   */
  query(sql: string, options?: QueryOptions): Promise<QueryResult>
  /** Deletes every event and match row of a source (`p_source_id`), and its dead letters. */
  removeSource(sourceId: string): Promise<void>
  /** Resolves when the lake can be used, with the tables that its last start brought to the present layout. */
  ready(): Promise<readonly Brought[]>
  close(): Promise<void>
}

/** A table of an older layout, brought to the present one. */
export interface Brought {
  readonly table: string
  readonly rowsBefore: number
  readonly rowsAfter: number
}

/** The part of a lake that takes finished rows. */
export interface LakeWriter extends Pick<Lake, 'ensure'> {
  /**
   * Stores blocks (`src/util/block/writer.ts`). The same token inserts the same rows once, ever. Rows that can never be stored are found
   * by bisection and returned; the rest is stored. Rejects as `Lake.store` does.
   */
  insert(table: TableSpec, blocks: readonly Uint8Array[], token: string): Promise<readonly RejectedRow[]>
}

/** What a lake may use of the outside. */
export interface LakeDeps {
  /** The product's data folder; a lake that keeps files makes a folder of its own in it. */
  readonly dataDir: string
  /** Longest run of any query. */
  readonly maxQueryMs: number
  /** Rows of an answer, unless the query asks for fewer or more. */
  readonly maxRows: number
  /** Rows are deleted this many days after they were parsed; never when absent. */
  readonly retentionDays?: number | undefined
  /** Gets everything that is wrong with the lake, whenever that changes. */
  readonly onProblems: (problems: readonly SystemProblem[]) => void
}

export interface LakeDefinition<T extends string, S extends z.ZodRawShape> extends Definition<T, S> {
  /** Opens the lake. Rejects with `NotSupported` or `StorageError`, and a text that says what to do. */
  create(config: z.output<z.ZodObject<S>>, deps: LakeDeps): Promise<Lake>
}

/** Keeps the literal types of a lake's definition. */
export function defineLake<const T extends string, S extends z.ZodRawShape>(
  definition: LakeDefinition<T, S>,
): LakeDefinition<T, S> {
  return definition
}
