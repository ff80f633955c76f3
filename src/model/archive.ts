/** A request to load archived rows back into the lake. */
export interface RestoreAsk {
  readonly logType: string
  /** First and last day, UTC, as in 2026-03-02: those on which the rows were received. */
  readonly from: string
  readonly to: string
  /** How long retention leaves them alone. */
  readonly keepDays: number
  readonly by: string
}

/** Archived rows that were loaded back into the lake. */
export interface Restore extends RestoreAsk {
  readonly id: string
  readonly table: string
  readonly state: 'running' | 'done' | 'failed'
  /** Why it failed. */
  readonly message: string | undefined
  readonly startedMs: number
  readonly finishedMs: number | undefined
  /** Until when retention leaves the rows alone. */
  readonly keptUntilMs: number
  /** Days of events and of matches to load, and of those that are loaded. */
  readonly days: number
  readonly daysDone: number
  /** Archived rows that were read: those restored and those that the lake had already. */
  readonly rows: number
  readonly restored: number
  readonly present: number
}
