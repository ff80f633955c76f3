import type { TableSpec } from '../../model/column.ts'
import { type Span, spanParams } from '../../model/dashboard.ts'
import { NOW_PARAM } from '../../stages/store/dialect/translate.ts'
import { type Lake, QueryNotUnderstood, type QueryOptions, type QueryResult } from '../../stages/store/lake.ts'
import { tablesOf } from '../../stages/store/sql-sight.ts'
import { messageOf, Refused, RetryLater } from '../../util/errors.ts'
import { type QueryWorld, tablesToEnsure, translateQuery } from '../queries.ts'
import { type Dialect, pantherSign } from './dialect.ts'
import { tablesNamed } from './lake-sql.ts'

export interface AskOptions extends QueryOptions {
  /** Committed rows are flushed first. */
  readonly fresh?: boolean
  /** Default: `clickhouse`. */
  readonly dialect?: Dialect
  /** The time that `{since:String}` and `{until:String}` stand for. Queries in Snowflake's dialect have no placeholders. */
  readonly span?: Span
}

export interface Asked extends QueryResult {
  /** What ran in place of the text that was given. */
  readonly translated?: {
    /** The lake's SQL. */
    readonly sql: string
    /** Where the result may differ from Snowflake's. */
    readonly notes: readonly string[]
  }
}

export interface AskDeps {
  readonly lake: Pick<Lake, 'ensure' | 'query'>
  /** Writes what is committed to the lake. */
  readonly flush: () => Promise<void>
  /** What queries of content are translated against. */
  readonly world: () => QueryWorld
  readonly now: () => number
}

/** Longest part of a translated query in an error message. */
const SHOWN_CHARS = 1000

/**
 * Runs people's SQL. A query for Panther is translated as queries of content are, against the tables that the caller may read, and what it
 * becomes passes the same guard as any other text.
 */
export function asker({ lake, flush, world, now }: AskDeps): (sql: string, options?: AskOptions) => Promise<Asked> {
  const run = (sql: string, { fresh, dialect: _, span: __, ...options }: AskOptions): Promise<QueryResult> => {
    // A table that accepts no rows now must not block queries of the others; health reports it.
    const after = fresh && flush().catch(unlessLater)
    return lake.query(sql, { ...options, ...(after && { after }) })
  }
  const ensured = async (names: readonly string[], seen: QueryWorld): Promise<void> => {
    for (const spec of tablesToEnsure(names, seen)) await lake.ensure(spec)
  }
  /** As it is written. What scheduled queries name as their due time is now. */
  const own = async (sql: string, options: AskOptions): Promise<Asked> => {
    // A log type that has sent nothing yet has no rows, which is no error. If its table cannot be created, it may be there already.
    const seen = seenBy(options.logTypes, world())
    const failure = await ensured(tablesNamed(sql, seen.tables), seen).then(
      () => undefined,
      (error: unknown) => error,
    )
    try {
      const { span, params } = options
      return await run(sql, {
        ...options,
        params: { [NOW_PARAM]: new Date(now()).toISOString(), ...(span && spanParams(span)), ...params },
      })
    } catch (error) {
      throw failure !== undefined && error instanceof QueryNotUnderstood ? failure : error
    }
  }
  const translated = async (sql: string, options: AskOptions): Promise<Asked> => {
    if (Object.keys(options.params ?? {}).length > 0)
      throw new Refused("params are for ClickHouse SQL: a query in Snowflake's dialect has no placeholders")
    const seen = seenBy(options.logTypes, world())
    const translation = await translateQuery({ sql }, seen)
    if (translation.kind !== 'ok') throw new Refused(`the query cannot be translated: ${translation.what.join('; ')}`)
    await ensured(translation.tables, seen)
    const params = { [NOW_PARAM]: new Date(now()).toISOString() }
    try {
      const result = await run(translation.sql, { ...options, params })
      return { ...result, translated: { sql: translation.sql, notes: translation.notes } }
    } catch (error) {
      if (!(error instanceof QueryNotUnderstood)) throw error
      const message = `the lake refused what the query was translated to: ${messageOf(error)}. The translation: ${translation.sql.slice(0, SHOWN_CHARS)}`
      throw new Refused(message, { cause: error })
    }
  }
  return async (sql, options = {}) => {
    const { dialect = 'clickhouse' } = options
    if (dialect === 'snowflake') return translated(sql, options)
    const sign = dialect === 'auto' ? pantherSign(sql) : undefined
    if (sign === 'must') return translated(sql, options)
    try {
      return await own(sql, options)
    } catch (error) {
      if (sign === undefined || !(error instanceof QueryNotUnderstood)) throw error
      return translated(sql, options).catch((second: unknown) => {
        if (second instanceof RetryLater) throw second
        throw new Refused(`${messageOf(error)}. In Snowflake's dialect: ${messageOf(second)}`, { cause: second })
      })
    }
  }
}

/**
 * What those may refer to who may only see these log types. Names of other tables and the texts of saved queries are not theirs to learn,
 * not even from messages.
 */
function seenBy(logTypes: readonly string[] | undefined, world: QueryWorld): QueryWorld {
  if (!logTypes) return world
  const isSeen = tablesOf(logTypes)
  return { saved: new Map(), tables: world.tables.filter(({ database, table }: TableSpec) => isSeen(database, table)) }
}

function unlessLater(error: unknown): void {
  if (!(error instanceof RetryLater)) throw error
}
