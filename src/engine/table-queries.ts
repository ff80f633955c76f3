import { rowsToObjects } from '../stages/detect/scheduled/rows.ts'
import type { RunQuery, TableQuery, TableQueryResult } from '../stages/enrich/provider.ts'
import { NoContentYet, TableError } from '../stages/enrich/table.ts'
import { NOW_PARAM } from '../stages/store/dialect/translate.ts'
import type { Lake } from '../stages/store/lake.ts'
import { messageOf, RetryLater } from '../util/errors.ts'
import { awaitedTables, type QueryWorld, tablesToEnsure, translateQuery } from './queries.ts'

export interface TableQueriesDeps {
  readonly lake: Pick<Lake, 'ensure' | 'query'>
  /** Writes what is committed to the lake. */
  readonly flush: () => Promise<void>
  readonly now: () => number
}

/** Runs the queries that fill tables: translated and limited as scheduled queries are, one at a time. */
export class TableQueries {
  readonly #deps: TableQueriesDeps
  #world: QueryWorld
  /** Settles when the queries so far have ended. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(deps: TableQueriesDeps, world: QueryWorld) {
    this.#deps = deps
    this.#world = world
  }

  /** Follows changed content. */
  update(world: QueryWorld): void {
    this.#world = world
  }

  readonly run: RunQuery = (query, signal) => {
    const before = this.#turn
    const result = unlessAborted(before, signal).then(() => this.#run(query, signal))
    this.#turn = Promise.allSettled([before, result])
    return result
  }

  async #run({ sql, maxRows }: TableQuery, signal: AbortSignal): Promise<TableQueryResult> {
    const { lake, flush, now } = this.#deps
    const translated = await translateQuery({ sql }, this.#world)
    if (translated.kind !== 'ok') {
      const why = translated.what.join('; ')
      throw awaitedTables(translated)
        ? new NoContentYet(`the query waits for log types: ${why}`)
        : new TableError(`the query cannot run: ${why}`)
    }
    try {
      for (const spec of tablesToEnsure(translated.tables, this.#world)) await lake.ensure(spec)
      const { rows, truncated } = await lake.query(translated.sql, {
        params: { [NOW_PARAM]: new Date(now()).toISOString() },
        maxRows,
        signal,
        after: flush().catch(unlessLater),
      })
      return { rows: rowsToObjects({ columns: translated.columns, rows }), truncated }
    } catch (error) {
      if (signal.aborted) throw error
      // The lake reports what keeps it from answering.
      const Kind = error instanceof RetryLater ? NoContentYet : TableError
      throw new Kind(`the query failed: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** Rows that the lake does not take now may belong to another table; the lake reports them. */
function unlessLater(error: unknown): void {
  if (!(error instanceof RetryLater)) throw error
}

function unlessAborted(wait: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    void wait.then(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
  })
}
