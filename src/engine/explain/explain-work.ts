import { Worker } from 'node:worker_threads'
import type { Config } from '../../config/config.ts'
import type { Explanation } from '../../model/explanation.ts'
import { entryFile } from '../../util/entry.ts'
import { Refused, RetryLater } from '../../util/errors.ts'
import type { Engine, ExplainCall } from '../engine.ts'
import type { ExplainAsk } from './explain.ts'
import type { ExplainAnswer, ExplainWorkData } from './explain-thread.ts'

const ENTRY = 'engine/explain/explain-thread'

/** Calls that may wait or run: each needs a thread and a sandbox while it runs. */
const MAX_CALLS = 8

export interface ExplainWorkDeps {
  readonly config: Config
  readonly cacheFolder: string
  readonly query: Engine['query']
}

/** Explains rules in a separate thread, one call at a time, so that nothing else waits for it. */
export class ExplainWork {
  readonly #deps: ExplainWorkDeps
  #last: Promise<unknown> = Promise.resolve()
  #calls = 0

  constructor(deps: ExplainWorkDeps) {
    this.#deps = deps
  }

  /** Rejects with `Refused` if there is no such rule or event, with `RetryLater` if too many calls wait. */
  async explain(call: ExplainCall): Promise<Explanation> {
    if (this.#calls >= MAX_CALLS) throw new RetryLater(`${MAX_CALLS} explanations are being made already: try again`)
    this.#calls++
    try {
      const result = this.#last.then(() => this.#explain(call))
      this.#last = result.catch(() => {})
      return await result
    } finally {
      this.#calls--
    }
  }

  async #explain({ ruleId, event, asOfMs }: ExplainCall): Promise<Explanation> {
    const { config, cacheFolder } = this.#deps
    const input = 'rowId' in event ? await this.#stored(event.rowId) : { ...event, record: 1 }
    const ask = { ruleId, input, nowMs: asOfMs ?? Date.now(), isPast: asOfMs !== undefined }
    return inThread({ ask, config, cacheFolder })
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

async function inThread(workerData: ExplainWorkData): Promise<Explanation> {
  const worker = new Worker(entryFile(ENTRY), { name: 'caracal-explain', workerData })
  worker.unref()
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', (answer: ExplainAnswer) => {
        if ('explanation' in answer) resolve(answer.explanation)
        else reject(answer.isRefused ? new Refused(answer.failed) : new Error(answer.failed))
      })
      worker.once('error', reject)
      worker.once('exit', (code) => reject(new Error(`the thread that explains a rule has ended (${code})`)))
    })
  } finally {
    await worker.terminate()
  }
}
