import type { TableSpec } from '../../model/column.ts'
import type { ArchiveDays, ExportAsk, ImportAsk, Imported, RowSum } from './archive.ts'
import type { EraseAsk, FoundRows } from './erase.ts'
import type { Brought, QueryProgress } from './lake.ts'
import type { WorkOptions } from './lake-work.ts'
import type { LookupVersion, LookupView } from './lookups.ts'
import type { LoadAsk, SumAsk, UnloadAsk } from './moving/piece-rows.ts'
import type { Piece, PieceLimits } from './moving/pieces.ts'
import type { StoredTable } from './moving/stored-tables.ts'
import type { Partition, PartitionId, RetireAsk, Retired } from './partitions.ts'

/** The child's settings at startup (its only argument, as JSON). */
export interface ChildOptions extends WorkOptions {
  /** Absolute path of the lake's folder. */
  readonly path: string
  /** Memory limit for the whole engine, in bytes. */
  readonly maxMemoryBytes: number
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
      /** It is only checked. */
      readonly checksOnly: boolean
      /** The answer says how many rows were read. */
      readonly counted: boolean
      /** Patterns of the only log types whose rows it may read. Default: all. */
      readonly logTypes?: readonly string[]
    }
  /** How far the query with the id `query` is. */
  | { readonly op: 'progress'; readonly id: number; readonly query: number }
  | { readonly op: 'parquet'; readonly id: number; readonly from: string; readonly structure: string; readonly to: string }
  /** Ends the query with that id, which is then answered with an error. */
  | { readonly op: 'cancel'; readonly id: number }
  /** Answered as soon as both the process and the engine respond at all. */
  | { readonly op: 'ping'; readonly id: number }
  | { readonly op: 'removeSource'; readonly id: number; readonly sourceId: string; readonly held: readonly string[] }
  | { readonly op: 'data'; readonly id: number; readonly ask: DataAsk }
  | { readonly op: 'snapshot'; readonly id: number }
  | { readonly op: 'close'; readonly id: number }

/** The code of `QueryNotUnderstood` between the processes. */
export const NOT_UNDERSTOOD = 'not_understood'

/** What is asked about, or done to, stored data as a whole. */
export type DataAsk =
  | { readonly do: 'partitions' }
  | ({ readonly do: 'logTypes' } & { readonly partition: PartitionId })
  | ({ readonly do: 'retire' } & RetireAsk)
  | ({ readonly do: 'archiveDays' } & RetireAsk)
  | ({ readonly do: 'exportDay' } & ExportAsk)
  | ({ readonly do: 'importFile' } & ImportAsk)
  | ({ readonly do: 'find' | 'erase' } & EraseAsk)
  | { readonly do: 'scrub' }
  | MoveAsk

/** What moving a lake to another engine asks of both: see `moving/move-lake.ts`. */
export type MoveAsk =
  | { readonly do: 'storedTables' }
  | { readonly do: 'createStored'; readonly table: StoredTable }
  | { readonly do: 'pieces'; readonly table: StoredTable; readonly limits: PieceLimits }
  | ({ readonly do: 'sumPiece' } & SumAsk)
  | ({ readonly do: 'unloadPiece' } & UnloadAsk)
  | ({ readonly do: 'loadPiece' } & LoadAsk)

export interface DataAnswers {
  readonly partitions: readonly Partition[]
  readonly logTypes: readonly string[]
  readonly retire: Retired
  readonly archiveDays: ArchiveDays
  readonly exportDay: RowSum
  readonly importFile: Imported
  readonly find: readonly FoundRows[]
  readonly erase: readonly FoundRows[]
  readonly scrub: undefined
  readonly storedTables: readonly StoredTable[]
  readonly createStored: undefined
  readonly pieces: readonly Piece[]
  readonly sumPiece: RowSum
  readonly unloadPiece: undefined
  readonly loadPiece: undefined
}

/** Answers of the child. `ready` comes first and only once. The rows of a query are the frame's payload, one per line. */
export type Reply =
  | { readonly op: 'ready'; readonly brought: readonly Brought[] }
  | { readonly op: 'failed'; readonly code: string; readonly message: string }
  /** A reader has started the query with that id. */
  | { readonly op: 'began'; readonly id: number }
  | {
      readonly op: 'done'
      readonly id: number
      readonly refused?: string
      readonly answer?: AnswerHead
      readonly data?: unknown
      readonly progress?: QueryProgress
    }
  | { readonly op: 'error'; readonly id: number; readonly code: string; readonly message: string }

export interface AnswerHead {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly truncated: boolean
  readonly ms: number
  readonly rowsRead?: number
  readonly bytesRead?: number
}
