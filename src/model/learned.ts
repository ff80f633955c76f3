/** What a table learned: keys that it has from now on, or whose verdict is worse than before. Past events may contain them. */
export interface Learned {
  readonly table: string
  /** The version of the table that has them. */
  readonly version: string
  /** As the table compares them: addresses, networks, domains, hashes … At most `MAX_LEARNED`. */
  readonly keys: readonly string[]
  /** Number of further keys that were left out, because there were too many. */
  readonly omitted: number
  /** Epoch ms. */
  readonly learnedMs: number
}

/** Maximum number of keys of one change of a table that are looked for in past events. */
export const MAX_LEARNED = 200_000
