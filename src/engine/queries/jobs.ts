import { randomBytes } from 'node:crypto'
import type { JobOwner, QueryJob } from '../../model/query-job.ts'
import type { Lake, QueryProgress } from '../../stages/store/lake.ts'
import type { Log } from '../../telemetry/log.ts'
import { messageOf, Refused } from '../../util/errors.ts'
import type { WordPattern } from '../../util/word-pattern.ts'
import type { Asked, AskOptions } from './ask.ts'
import { JobFiles } from './job-files.ts'
import { JobTurns } from './job-turns.ts'
import { RowIndex } from './row-index.ts'
import { type RowsPage, readLines, rowsFrom, rowsPage } from './rows.ts'

export interface JobsDeps {
  /** Holds queries and results; created if it is missing. */
  readonly folder: string
  readonly query: (sql: string, options: AskOptions) => Promise<Asked>
  readonly lake: Pick<Lake, 'toParquet'>
  readonly limits: JobLimits
  readonly now: () => number
  readonly log: Pick<Log, 'warn'>
}

export interface JobLimits {
  readonly resultHours: number
  readonly historyDays: number
  readonly maxResultBytes: number
  /** Queries at the same time. */
  readonly atOnce: number
}

/** A query to run. */
export interface JobAsk extends Pick<AskOptions, 'params' | 'maxRows' | 'timeoutMs' | 'dialect'> {
  readonly sql: string
}

/** Queries of one owner, and of all owners, that wait or run. */
const MAX_OWN = 8
const MAX_ALL = 32
/** Queries in the history, and characters of their SQL. */
const MAX_HISTORY = 2000
const MAX_HISTORY_CHARS = 16 * 1024 * 1024
const PRUNE_MS = 60_000
/** A query runs for as long as its time limit allows, which is far less. */
const MAX_ENDING_MS = 600_000

/** The queries of one owner. A query of somebody else is not there. */
export interface OwnJobs {
  /** `busy`: too many queries wait or run; the sentence says how many. */
  start(
    ask: JobAsk,
  ): Promise<{ readonly kind: 'started'; readonly job: QueryJob } | { readonly kind: 'busy'; readonly why: string }>
  /** Newest first. */
  list(): readonly QueryJob[]
  get(id: string): QueryJob | undefined
  /** How far it is, if it runs. */
  progress(id: string): Promise<QueryProgress | undefined>
  /** Resolves when it has ended, after `ms` milliseconds, or when the signal is aborted. */
  ended(id: string, ms: number, signal: AbortSignal): Promise<void>
  /** Resolves when nothing of it runs any more. */
  cancel(id: string): Promise<QueryJob | undefined>
  /** Cancels it, and forgets it and its result. */
  remove(id: string): Promise<boolean>
  /** Rows of a stored result from an offset on. Throws `Refused` for an offset that no page has returned. */
  rows(id: string, offset: number, limit: number): Promise<RowsPage>
  /** Rows of a stored result from a row on, given by its number from 0 on. */
  rowsFrom(id: string, row: number, limit: number): Promise<RowsPage>
  /** All rows of a stored result, one text each. */
  lines(id: string): AsyncIterable<string>
  /** Writes a stored result as Parquet and returns the file, which the caller removes. */
  parquet(id: string): Promise<string>
}

interface Running {
  readonly stop: AbortController
  readonly ended: Promise<void>
  readonly end: () => void
  progress?: () => Promise<QueryProgress | undefined>
}

/** Queries that run without their caller waiting, with their results and their history. */
export class QueryJobs {
  readonly #deps: JobsDeps
  readonly #files: JobFiles
  readonly #turns: JobTurns
  readonly #index = new RowIndex()
  readonly #jobs = new Map<string, QueryJob>()
  readonly #asks = new Map<string, JobAsk>()
  readonly #running = new Map<string, Running>()
  #exports = 0
  #timer: NodeJS.Timeout | undefined

  constructor(deps: JobsDeps) {
    this.#deps = deps
    this.#files = new JobFiles(deps.folder)
    this.#turns = new JobTurns(deps.limits.atOnce)
  }

  /** Reads what earlier runs of the program have left. Queries that were running then have ended with it. */
  async start(): Promise<void> {
    for (const job of await this.#files.load()) {
      const hasEnded = job.state !== 'waiting' && job.state !== 'running'
      const error = 'Caracal stopped while the query was running: run it again'
      const now: QueryJob = hasEnded ? job : { ...job, state: 'failed', endedMs: this.#deps.now(), error }
      this.#jobs.set(now.id, now)
      if (!hasEnded) await this.#files.save(now)
    }
    await this.#prune(0)
    this.#timer = setInterval(() => void this.#prune(0).catch((err) => this.#deps.log.warn({ err }, PRUNE_FAILED)), PRUNE_MS)
    this.#timer.unref()
  }

  /** Ends all queries. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([...this.#running.keys()].map((id) => this.#cancel(id, 'Caracal was stopped while the query was running')))
  }

  /**
   * Forgets queries that contain a value in their text or result, and returns how many; `isDry`: only counts. Those that run may have read
   * the value before it was deleted, so they are waited for.
   */
  async erase(pattern: WordPattern, isDry: boolean, signal: AbortSignal): Promise<number> {
    if (!isDry) for (const { ended } of [...this.#running.values()]) await firstOf(ended, MAX_ENDING_MS, signal)
    signal.throwIfAborted()
    const ended = [...this.#jobs.values()].filter(({ id }) => !this.#running.has(id))
    let n = 0
    for (const job of ended) {
      if (!pattern.test(JSON.stringify(job)) && !(await this.#resultHas(job, pattern))) continue
      n++
      if (!isDry) await this.#forget(job.id)
    }
    return n
  }

  async #resultHas({ id, bytes, isGone }: QueryJob, pattern: WordPattern): Promise<boolean> {
    if (!bytes || isGone) return false
    for await (const line of readLines(this.#files.rows(id))) if (pattern.test(line)) return true
    return false
  }

  of(owner: JobOwner): OwnJobs {
    const key = keyOf(owner)
    const own = (id: string) => {
      const job = this.#jobs.get(id)
      return job && keyOf(job.owner) === key ? job : undefined
    }
    const result = (id: string): QueryJob => {
      const job = own(id)
      if (job?.state === 'done' && !job.isGone) return job
      const why =
        job?.state === 'done' ? 'was removed: run the query again' : `is not there: the query is ${job?.state ?? 'unknown'}`
      throw new Refused(`the result of the query ${id} ${why}`)
    }
    return {
      start: (ask) => this.#begin(owner, key, ask),
      get: own,
      list: () => [...this.#jobs.values()].filter((job) => keyOf(job.owner) === key).reverse(),
      progress: async (id) => (own(id) ? this.#running.get(id)?.progress?.() : undefined),
      ended: async (id, ms, signal) => {
        const running = own(id) && this.#running.get(id)
        if (running) await firstOf(running.ended, ms, signal)
      },
      cancel: async (id) => {
        if (own(id)) await this.#cancel(id)
        return own(id)
      },
      remove: async (id) => {
        if (!own(id)) return false
        await this.#cancel(id)
        await this.#forget(id)
        return true
      },
      rows: async (id, offset, limit) => rowsPage(this.#files.rows(result(id).id), offset, limit),
      rowsFrom: async (id, row, limit) => rowsFrom(this.#index, this.#files.rows(result(id).id), row, limit),
      lines: (id) => readLines(this.#files.rows(result(id).id)),
      parquet: async (id) => this.#parquet(result(id)),
    }
  }

  async #begin(owner: JobOwner, key: string, ask: JobAsk): ReturnType<OwnJobs['start']> {
    const [own, all] = [this.#turns.count(key), this.#turns.count()]
    if (own >= MAX_OWN) return { kind: 'busy', why: `${own} of your queries are waiting or running already` }
    if (all >= MAX_ALL) return { kind: 'busy', why: `${all} queries are waiting or running already` }
    const id = randomBytes(12).toString('hex')
    const job: QueryJob = { id, owner, sql: ask.sql, state: 'waiting', createdMs: this.#deps.now() }
    this.#turns.add(id, key)
    let end = () => {}
    const ended = new Promise<void>((resolve) => (end = resolve))
    this.#running.set(id, { stop: new AbortController(), ended, end })
    this.#jobs.set(id, job)
    this.#asks.set(id, ask)
    try {
      await this.#files.save(job)
    } catch (error) {
      this.#over(id)
      this.#jobs.delete(id)
      throw error
    }
    this.#fill()
    return { kind: 'started', job: this.#jobs.get(id)! }
  }

  #fill(): void {
    for (let id = this.#turns.next(); id !== undefined; id = this.#turns.next()) void this.#run(id)
  }

  async #run(id: string): Promise<void> {
    const { sql, ...ask } = this.#asks.get(id)!
    const running = this.#running.get(id)!
    this.#change(id, { state: 'running', startedMs: this.#deps.now() })
    const { logTypes } = this.#jobs.get(id)!.owner
    try {
      running.stop.signal.throwIfAborted()
      const onBegin: AskOptions['onBegin'] = (progress) => (running.progress = progress)
      const options = { ...ask, ...(logTypes && { logTypes }), signal: running.stop.signal, fresh: true, counted: true, onBegin }
      await this.#keep(id, await this.#deps.query(sql, options))
    } catch (error) {
      const { aborted, reason } = running.stop.signal
      await this.#files.removeRows(id).catch(() => {})
      if (aborted) this.#change(id, this.#stopped(reason))
      else this.#change(id, { state: 'failed', endedMs: this.#deps.now(), error: messageOf(error) })
    } finally {
      const job = this.#jobs.get(id)
      if (job) await this.#files.save(job).catch((err) => this.#deps.log.warn({ err }, 'A query could not be stored.'))
      this.#over(id)
      this.#fill()
    }
  }

  /** Stores the result. */
  async #keep(id: string, { columns, rows, truncated, ms, rowsRead, bytesRead, translated }: Asked): Promise<void> {
    const { limits, now } = this.#deps
    const size = rows.reduce((sum, row) => sum + Buffer.byteLength(row) + 1, 0)
    if (size > limits.maxResultBytes)
      throw new Refused(`the result has ${size} bytes, and at most ${limits.maxResultBytes} are kept (queries.max_result_bytes)`)
    await this.#prune(size)
    const bytes = await this.#files.saveRows(id, rows)
    const read = { ...(rowsRead !== undefined && { rowsRead }), ...(bytesRead !== undefined && { bytesRead }) }
    const made = { ms, columns, rows: rows.length, bytes, truncated, ...read, ...(translated && { translated }) }
    this.#change(id, { state: 'done', endedMs: now(), ...made })
  }

  async #cancel(id: string, why?: string): Promise<void> {
    const running = this.#running.get(id)
    if (!running) return
    running.stop.abort(why)
    if (this.#jobs.get(id)?.state === 'waiting') {
      this.#change(id, this.#stopped(why))
      await this.#files.save(this.#jobs.get(id)!)
      this.#over(id)
    }
    await running.ended
  }

  /** With a sentence, it did not end because its owner wanted that. */
  #stopped(why: unknown): Partial<QueryJob> {
    const endedMs = this.#deps.now()
    return typeof why === 'string' ? { state: 'failed', endedMs, error: why } : { state: 'cancelled', endedMs }
  }

  #over(id: string): void {
    this.#turns.over(id)
    this.#asks.delete(id)
    this.#running.get(id)?.end()
    this.#running.delete(id)
  }

  #change(id: string, change: Partial<QueryJob>): void {
    const job = this.#jobs.get(id)
    if (job) this.#jobs.set(id, { ...job, ...change })
  }

  async #parquet({ id, columns = [] }: QueryJob): Promise<string> {
    const file = this.#files.converted(id, ++this.#exports)
    await this.#deps.lake.toParquet(this.#files.rows(id), columns, file)
    return file
  }

  async #forget(id: string): Promise<void> {
    this.#jobs.delete(id)
    await this.#files.remove(id)
  }

  /** Removes what is too old or too much, oldest first, so that there is room for `bytes` more of results. */
  async #prune(bytes: number): Promise<void> {
    const { limits, now } = this.#deps
    const ended = [...this.#jobs.values()].filter(({ id }) => !this.#running.has(id))
    let size = ended.reduce((sum, job) => sum + (job.isGone ? 0 : (job.bytes ?? 0)), bytes)
    let [count, chars] = [ended.length, ended.reduce((sum, { sql }) => sum + sql.length, 0)]
    for (const job of ended) {
      const age = now() - job.createdMs
      if (count > MAX_HISTORY || chars > MAX_HISTORY_CHARS || age > limits.historyDays * 86_400_000) {
        await this.#forget(job.id)
      } else if (job.bytes && !job.isGone && (size > limits.maxResultBytes || age > limits.resultHours * 3_600_000)) {
        await this.#files.removeRows(job.id)
        this.#change(job.id, { isGone: true })
        await this.#files.save(this.#jobs.get(job.id)!)
      } else continue
      if (!this.#jobs.has(job.id)) [count, chars] = [count - 1, chars - job.sql.length]
      if (!job.isGone) size -= job.bytes ?? 0
    }
  }
}

const PRUNE_FAILED = 'Old results of queries could not be removed.'

/** A token of the same name that may see something else is somebody else. */
function keyOf({ kind, name, userId, tokenId, logTypes }: JobOwner): string {
  return JSON.stringify([kind, name, userId ?? tokenId ?? null, logTypes ?? null])
}

async function firstOf(ended: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
    void ended.then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
