/** Who asked a query: only they see it and its result. */
export interface JobOwner {
  readonly kind: string
  readonly name: string
  /** Of a person: who is created again with the same name is somebody else. */
  readonly userId?: string | undefined
  /** Of a token, in the same way. */
  readonly tokenId?: string | undefined
  /** Patterns of the log types that they may see; absent: everything. */
  readonly logTypes?: readonly string[] | undefined
}

export const JOB_STATES = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const

/** A query that was asked, and what became of it. Times are epoch ms. */
export interface QueryJob {
  readonly id: string
  readonly owner: JobOwner
  readonly sql: string
  readonly state: (typeof JOB_STATES)[number]
  readonly createdMs: number
  readonly startedMs?: number
  readonly endedMs?: number
  /** Why it has failed. */
  readonly error?: string
  readonly columns?: readonly { readonly name: string; readonly type: string }[]
  /** Rows of the result. */
  readonly rows?: number
  /** Size of the stored result. */
  readonly bytes?: number
  /** True if there were more rows than the query was limited to. */
  readonly truncated?: boolean
  /** How long the lake took. */
  readonly ms?: number
  readonly rowsRead?: number
  readonly bytesRead?: number
  readonly translated?: { readonly sql: string; readonly notes: readonly string[] }
  /** True if the result was removed to make room, or because of its age. */
  readonly isGone?: boolean
}
