import type { Schedule } from './schedule.ts'

/** A query that people keep under a name. */
export interface SavedQuery {
  readonly name: string
  readonly description: string
  readonly tags: readonly string[]
  readonly sql: string
  /** Which product's SQL the text is, by the key it stands under; `any` for the plain `Query`. */
  readonly dialect: QueryDialect
  /** `Lookback: true`, which has no effect: which time a run covers, the text says. */
  readonly hasLookback: boolean
  /** The YAML file. */
  readonly file: string
}

export type QueryDialect = 'any' | 'athena' | 'snowflake' | 'databricks'

/** A query that runs by itself; scheduled rules judge the rows of its answers. */
export interface ScheduledQuery extends SavedQuery {
  readonly enabled: boolean
  readonly schedule: Schedule
  readonly email: QueryEmail | undefined
}

/** Who gets the answer by mail. */
export interface QueryEmail {
  readonly recipients: readonly string[]
  readonly sendEmpty: boolean
  readonly preferAttachment: boolean
}
