/** What a batch adds to what is known of its source's flow, besides the counts of its records. */
export interface Activity {
  /** Size of the input in bytes, once decompressed. */
  readonly bytes: number
  /** The latest time of its events, epoch ms. Absent: no record became an event. */
  readonly newestEventMs?: number | undefined
}

/** The flow of one source, from its live records; replays do not count. Times are epoch ms. */
export interface SourceActivity {
  /** Since when the source has been configured without interruption. */
  readonly watchedMs: number
  /** When its first record was received. Absent: it has not sent any. */
  readonly firstReceivedMs?: number
  readonly lastReceivedMs?: number
  /** The latest time of events in its last batch that had any. */
  readonly lastEventMs?: number
  /** How long after that time the batch was received, in milliseconds. */
  readonly lagMs?: number
  /** Bytes since the data folder was created. */
  readonly bytes: number
  /** Means over the last `RATE_MINUTES` full minutes. */
  readonly recordsPerMinute: number
  readonly bytesPerMinute: number
}

/** Number of minutes that rates are averaged over. */
export const RATE_MINUTES = 15
