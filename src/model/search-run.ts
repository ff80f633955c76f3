/** What became of a run of a scheduled query whose rows rules judge. Times are epoch ms. */
export interface SearchRun {
  /** The time that it was about: when it was due, or when somebody asked for it. */
  readonly dueMs: number
  readonly startedMs: number
  /** How long it took, until its results were stored. */
  readonly ms: number
  readonly rows: number
  /** True if there were more rows, which no rule has seen. */
  readonly isTruncated: boolean
  /** Matches of all rules. */
  readonly matches: number
  /** Why it failed; absent: it did not. */
  readonly error?: string
  /** Who asked for it; absent: it was due. */
  readonly by?: string
}
