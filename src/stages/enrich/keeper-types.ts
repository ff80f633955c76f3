import type { LiveStatus } from './live/live-status.ts'
import type { RefreshOutcome } from './outcomes.ts'
import type { BuiltTable } from './table.ts'
import type { DiffCounts } from './versions/diff.ts'

/** A refreshed table's state between starts; JSON. */
export interface TableState {
  /** Hash of the provider's configuration, so that content from another source is not used for this table. */
  readonly source?: string
  /** The version of the last good content. */
  readonly version?: string
  readonly rows?: number
  readonly skipped?: number
  /** Original file name, a hint at the format. */
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
  /** The outcomes of the last refreshes, newest last. */
  readonly outcomes?: readonly RefreshOutcome[]
}

/** Storage of these states. */
export interface TableStatusStore {
  load(name: string): Promise<TableState | undefined>
  /** In one transaction with a row for people about `outcome`, if there is one. */
  save(name: string, state: TableState, outcome?: RefreshOutcome): Promise<void>
}

/** A version of a table to be read. */
export interface VersionFile {
  /** Absolute path; compressed with gzip. */
  readonly path: string
  readonly fileName: string | undefined
}

/** The same with the date that is part of its name. */
export interface StoredVersion extends VersionFile {
  readonly date: string | undefined
}

/** Counts the keys that differ between two versions of a table. Rejects when the signal is aborted. */
export type CompareVersions = (
  table: string,
  versions: { readonly before: VersionFile; readonly after: VersionFile },
  signal: AbortSignal,
) => Promise<DiffCounts>

/** Time as the keeper sees it. */
export interface KeeperClock {
  now(): number
  /** Calls `run` once after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void): () => void
}

/** Content for the pipeline to load. */
export interface ContentFileRef {
  readonly table: string
  /** `definitionKey` of the table that the content belongs to. */
  readonly definition: string
  /** Absolute path; the file may be compressed. */
  readonly path: string
  readonly fileName: string | undefined
  readonly date: string | undefined
  /** Number of rows that the table's provider delivered last time, if this is new content from it. */
  readonly rowsBefore?: number | undefined
  /** Accept content that does not pass the table's checks. */
  readonly passOver?: boolean | undefined
}

/**
 * Builds a table from the content and puts it in force. Rejects if it cannot be built; the table in force then stays.
 * Not called again for the same table before the promise has settled.
 */
export type AcceptContent = (content: ContentFileRef) => Promise<BuiltTable>

/** A stored version of a table has come into force. */
export interface VersionInForce {
  readonly table: string
  /** `definitionKey` of the table that it belongs to. */
  readonly definition: string
  readonly version: string
}

/**
 * `ok`; `shipped`: the content shipped with the definition is in force and not old; `static`: the table is a file that
 * is never refreshed; `stale`: what is in force is older than the table's alarm period; `missing`: nothing is in force,
 * because the file does not exist yet or a key is missing; `failing`: nothing is in force, because of an error.
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
  /** Seconds since the content in force was known to be current; `undefined` if unknown. */
  readonly ageSeconds: number | undefined
  readonly lastSuccessMs: number | undefined
  readonly lastFailureMs: number | undefined
  readonly lastError: string | undefined
  /** `lastError` says why content that was there could not be used. */
  readonly isRefused: boolean
  /** Failures since the last success. */
  readonly failures: number
  readonly nextRefreshMs: number | undefined
  readonly periodMinutes: number
  /** Only of a live table. */
  readonly live?: LiveStatus
}
