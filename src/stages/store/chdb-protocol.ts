import type { TableSpec } from '../../model/column.ts'
import type { Brought } from './lake.ts'
import type { LookupVersion, LookupView } from './lookups.ts'

/** The child's settings at startup (its only argument, as JSON). */
export interface ChildOptions {
  /** Absolute path of the lake's folder. */
  readonly path: string
  readonly readers: number
  /** Memory limits for one query and for the whole engine, in bytes. */
  readonly maxQueryBytes: number
  readonly maxMemoryBytes: number
  /** Time limit for any query. */
  readonly maxQueryMs: number
  /** Maximum size of a query's answer in bytes. */
  readonly maxResultBytes: number
  /** Syncs each insert to disk before it is answered. Applies to tables created from now on. */
  readonly fsync: boolean
  /** Rows are deleted this many days after they were parsed. Default: never. */
  readonly retentionDays?: number
}

/** Requests of the parent. */
export type Request =
  | { readonly op: 'ensure'; readonly id: number; readonly spec: TableSpec; readonly late: boolean }
  | { readonly op: 'store'; readonly id: number; readonly spec: TableSpec; readonly file: string; readonly token: string }
  | { readonly op: 'storeLookup'; readonly id: number; readonly version: LookupVersion }
  | { readonly op: 'showLookups'; readonly id: number; readonly views: readonly LookupView[] }
  | {
      readonly op: 'query'
      readonly id: number
      readonly sql: string
      readonly params: Readonly<Record<string, string | number>>
      readonly maxRows: number
      /** The answer says how many rows were read. */
      readonly counted: boolean
      /** Patterns of the only log types whose rows it may read. Default: all. */
      readonly logTypes?: readonly string[]
    }
  /** Ends the query with that id, which is then answered with an error. */
  | { readonly op: 'cancel'; readonly id: number }
  /** Answered as soon as both the process and the engine respond at all. */
  | { readonly op: 'ping'; readonly id: number }
  | { readonly op: 'removeSource'; readonly id: number; readonly sourceId: string }
  | { readonly op: 'snapshot'; readonly id: number }
  | { readonly op: 'close'; readonly id: number }

/** Answers of the child. `ready` comes first and only once. The rows of a query are the frame's payload, one per line. */
export type Reply =
  | { readonly op: 'ready'; readonly brought: readonly Brought[] }
  | { readonly op: 'failed'; readonly code: string; readonly message: string }
  /** A reader has started the query with that id. */
  | { readonly op: 'began'; readonly id: number }
  | { readonly op: 'done'; readonly id: number; readonly refused?: string; readonly answer?: AnswerHead }
  | { readonly op: 'error'; readonly id: number; readonly code: string; readonly message: string }

export interface AnswerHead {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly truncated: boolean
  readonly ms: number
  readonly rowsRead?: number
}
