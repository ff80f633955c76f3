/** One run of retention over the lake. */
export interface RetentionRun {
  readonly atMs: number
  /** Table and week of what was deleted. */
  readonly deleted: readonly RetentionDeleted[]
  /** Why rows that were due are still there, one sentence each. */
  readonly failed: readonly string[]
}

export interface RetentionDeleted {
  /** As in `logs.zeek_conn 2026-03-02`. */
  readonly name: string
  readonly rows: number
  /** Rows that are in the archive now. */
  readonly archived: number
  readonly reason: 'age' | 'size'
  readonly atMs: number
}

/** What the lake has of one log type, events and matches. */
export interface KeptLogType {
  readonly logType: string
  readonly rows: number
  /** On disk. */
  readonly bytes: number
  /** The first week, or month of tables of earlier versions, from which there are rows. */
  readonly since: string
  /** How many days `retention` keeps them; `undefined`: forever. */
  readonly days: number | undefined
}

/** How long data is kept, and what retention does about it. */
export interface RetentionView {
  /** Absent until the first run has ended. */
  readonly lastRun: RetentionRun | undefined
  /** What was deleted lately, newest first. */
  readonly deleted: readonly RetentionDeleted[]
  /** Where rows are archived before they are deleted. */
  readonly archive: string | undefined
  /** The lake on disk. */
  readonly bytes: number
  /** Largest first. */
  readonly logTypes: readonly KeptLogType[]
}
