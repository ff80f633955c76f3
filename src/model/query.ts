import type { Schedule } from './schedule.ts'

/** A named query. */
export interface SavedQuery {
  readonly name: string
  readonly description: string
  readonly tags: readonly string[]
  readonly sql: string
  /** Which product's SQL dialect the text is in, according to its key; `any` for plain `Query`. */
  readonly dialect: QueryDialect
  /** `Lookback: true`, which has no effect: the query itself says which time a run covers. */
  readonly hasLookback: boolean
  /** The YAML file. */
  readonly file: string
}

/** All but `clickhouse`, the lake's own, are read as Snowflake's. */
export type QueryDialect = 'any' | 'athena' | 'snowflake' | 'databricks' | 'clickhouse'

/** A query that runs on a schedule; scheduled rules judge the rows of its results. */
export interface ScheduledQuery extends SavedQuery {
  readonly enabled: boolean
  readonly schedule: Schedule
  readonly email: QueryEmail | undefined
}

/** Who gets the result by mail. */
export interface QueryEmail {
  readonly recipients: readonly string[]
  readonly sendEmpty: boolean
  readonly preferAttachment: boolean
}

/** Whether rows of the query are mailed to somebody. */
export function isMailed(email: QueryEmail | undefined): boolean {
  return email !== undefined && email.recipients.length > 0
}
