import type { TableSpec } from '../../model/column.ts'
import type { Brought } from './lake.ts'

/** The child's settings at startup (its only argument, as JSON). */
export interface ChildOptions {
  /** Absolute path of the lake's folder. */
  readonly path: string
  readonly readers: number
  /** Most memory of one query, and of the whole engine, in bytes. */
  readonly maxQueryBytes: number
  readonly maxMemoryBytes: number
  /** Longest run of any query. */
  readonly maxQueryMs: number
  /** Largest answer of a query, in bytes. */
  readonly maxResultBytes: number
  /** An insert is on the disk, not only with the operating system, when it is answered. Counts for tables made from now on. */
  readonly fsync: boolean
  /** Rows are deleted this many days after they were parsed. Default: never. */
  readonly retentionDays?: number
}

/** What the parent asks. */
export type Request =
  | { readonly op: 'ensure'; readonly id: number; readonly spec: TableSpec; readonly late: boolean }
  | { readonly op: 'store'; readonly id: number; readonly spec: TableSpec; readonly file: string; readonly token: string }
  | {
      readonly op: 'query'
      readonly id: number
      readonly sql: string
      readonly params: Readonly<Record<string, string | number>>
      readonly maxRows: number
    }
  /** Ends the query of that id; it is answered itself, with an error. */
  | { readonly op: 'cancel'; readonly id: number }
  /** Is answered as soon as both the process and the engine do anything at all. */
  | { readonly op: 'ping'; readonly id: number }
  | { readonly op: 'removeSource'; readonly id: number; readonly sourceId: string }
  | { readonly op: 'close'; readonly id: number }

/** What the child answers. `ready` comes first and once. The rows of a query are the frame's payload, a line each. */
export type Reply =
  | { readonly op: 'ready'; readonly brought: readonly Brought[] }
  | { readonly op: 'failed'; readonly code: string; readonly message: string }
  /** A reader has taken the query of that id. */
  | { readonly op: 'began'; readonly id: number }
  | { readonly op: 'done'; readonly id: number; readonly refused?: string; readonly answer?: AnswerHead }
  | { readonly op: 'error'; readonly id: number; readonly code: string; readonly message: string }

export interface AnswerHead {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly truncated: boolean
  readonly ms: number
}
