import type { Config } from '../../config/config.ts'
import type { Explanation } from '../../model/explanation.ts'
import { Refused } from '../../util/errors.ts'
import type { Engine, ExplainCall } from '../engine.ts'
import { SideWork } from '../side-work.ts'
import type { ExplainAsk } from './explain.ts'
import type { ExplainWorkData } from './explain-thread.ts'

export interface ExplainWorkDeps {
  readonly config: Config
  readonly cacheFolder: string
  readonly query: Engine['query']
}

/** Explains rules in a separate thread, one call at a time. */
export class ExplainWork {
  readonly #deps: ExplainWorkDeps
  readonly #work = new SideWork<ExplainWorkData, Explanation>({
    entry: 'engine/explain/explain-thread',
    name: 'caracal-explain',
    makes: 'explanations',
  })

  constructor(deps: ExplainWorkDeps) {
    this.#deps = deps
  }

  /** Rejects with `Refused` if there is no such rule or event, with `RetryLater` if too many calls wait. */
  explain({ ruleId, event, asOfMs }: ExplainCall): Promise<Explanation> {
    const { config, cacheFolder } = this.#deps
    return this.#work.run(async () => {
      const input = 'rowId' in event ? await this.#stored(event.rowId) : { ...event, record: 1 }
      const ask = { ruleId, input, nowMs: asOfMs ?? Date.now(), isPast: asOfMs !== undefined }
      return { ask, config, cacheFolder }
    })
  }

  /** The row of an event in the lake. */
  async #stored(rowId: string): Promise<ExplainAsk['input']> {
    const { query } = this.#deps
    const params = { id: rowId }
    const found = await query('SELECT p_log_type FROM logs.all WHERE p_row_id = {id:String} LIMIT 1', { params, fresh: true })
    const [first] = found.rows
    if (first === undefined)
      throw new Refused(
        `there is no event ${rowId} in the lake: p_row_id of an event names it, and retention may have deleted it`,
      )
    const [logType] = JSON.parse(first) as [string]
    const table = logType.replaceAll('.', '_').toLowerCase()
    if (!/^[a-z0-9_]{1,128}$/.test(table))
      throw new Refused(`the event ${rowId} has the log type '${logType}', which has no table`)
    const { columns, rows } = await query(`SELECT * FROM logs.${table} WHERE p_row_id = {id:String} LIMIT 1`, { params })
    return { row: rows[0]!, columns: columns.map(({ name }) => name), logType, record: 1 }
  }
}
