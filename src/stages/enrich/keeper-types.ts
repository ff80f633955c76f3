import type { BuiltTable } from './table.ts'

/** What is remembered of a refreshed table between starts; JSON. */
export interface TableState {
  /** Hash of the provider's configuration: content of another source is not taken for this table's. */
  readonly source?: string
  /** Of the content in `file`. */
  readonly version?: string
  readonly rows?: number
  readonly skipped?: number
  /** File name of the last good content in the table's folder. */
  readonly file?: string
  /** Name of what it was read from: a hint at its format. */
  readonly fileName?: string
  readonly validators?: Readonly<Record<string, string>>
  /** When the content was last known to be current, epoch milliseconds. */
  readonly lastSuccessMs?: number
  readonly lastFailureMs?: number
  readonly lastError?: string
  /** `lastError` says why content that was there could not be used. */
  readonly isRefused?: boolean
  /** Failures since the last success. */
  readonly failures?: number
}

/** Where states are kept. */
export interface TableStatusStore {
  load(name: string): Promise<TableState | undefined>
  save(name: string, state: TableState): Promise<void>
}

/** Time as the keeper sees it. */
export interface KeeperClock {
  now(): number
  /** Calls `run` once after `ms`; the answer cancels it. */
  after(ms: number, run: () => void): () => void
}

/** Content for the pipeline to load. */
export interface ContentFileRef {
  readonly table: string
  /** `definitionKey` of the table that it is content of. */
  readonly definition: string
  /** Absolute path; bytes perhaps gzip. */
  readonly path: string
  readonly fileName: string | undefined
  readonly date: string | undefined
  /** Rows that the table's provider gave last time, when this is new content of it. */
  readonly rowsBefore?: number | undefined
}

/**
 * Builds the table of that content and puts it in force. Rejects when it cannot be built: the table in force stays.
 * Not called again for the same table before it has settled.
 */
export type AcceptContent = (content: ContentFileRef) => Promise<BuiltTable>

/**
 * `ok`; `shipped`: the content shipped with the definition is in force and not old; `static`: the table is a file that
 * is never refreshed; `stale`: what is in force is older than the table's alarm period; `missing`: nothing is in force,
 * because the file is not there yet; `failing`: nothing is in force, because of an error.
 */
export type TableHealth = 'ok' | 'shipped' | 'static' | 'stale' | 'missing' | 'failing'

/** For `caracal tables`, health and metrics. Times in epoch milliseconds. */
export interface TableStatus {
  readonly name: string
  /** Provider type, or the name of the file that is never refreshed. */
  readonly provider: string
  readonly health: TableHealth
  readonly version: string | undefined
  readonly rows: number
  readonly skipped: number
  /** Seconds since the content in force was known to be current; `undefined` when that is not known. */
  readonly ageSeconds: number | undefined
  readonly lastSuccessMs: number | undefined
  readonly lastFailureMs: number | undefined
  readonly lastError: string | undefined
  /** `lastError` says why content that was there could not be used. */
  readonly isRefused: boolean
  readonly nextRefreshMs: number | undefined
  readonly periodMinutes: number
}
