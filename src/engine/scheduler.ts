import type { ScheduledQuery } from '../model/query.ts'
import { Due } from '../stages/detect/scheduled/plan.ts'
import type { QueryRows } from '../stages/detect/scheduled/rows.ts'
import { scheduleProblem } from '../stages/detect/scheduled/schedule.ts'
import { NOW_PARAM, type Translation } from '../stages/store/dialect/translate.ts'
import type { Lake } from '../stages/store/lake.ts'
import { messageOf } from '../util/errors.ts'
import { type QueryWorld, translateQuery } from './queries.ts'

export interface SchedulerDeps extends QueryWorld {
  /** Enabled queries whose rows some rule judges. */
  readonly queries: readonly ScheduledQuery[]
  readonly lake: Pick<Lake, 'ensure' | 'query'>
  /** The due time of the last run of a query, or when it was first seen; `undefined` when it was never seen. */
  readonly loadDone: (name: string) => Promise<number | undefined>
  /** Remembers when a query was first seen: what falls due after it is caught up on, before its first run too. */
  readonly saveSeen: (name: string, seenMs: number) => Promise<void>
  /** Judges the rows and remembers, in one transaction with what comes of them, that this due time is done. */
  readonly judge: (rows: QueryRows) => Promise<void>
  /** Puts what is committed into the lake. */
  readonly flush: () => Promise<void>
  readonly now: () => number
  /** Sentences on queries that do not run; all of them each time. */
  readonly onProblems: (problems: readonly string[]) => void
}

const TICK_MS = 1000
/** Queries that run at once: daily ones all fall due at midnight. */
const AT_ONCE = 2

/** Runs scheduled queries when they are due, each at most once at a time; after downtime one run catches up. */
export class Scheduler {
  readonly #deps: SchedulerDeps
  readonly #due = new Map<string, Due>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #problems = new Map<string, string>()
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: SchedulerDeps) {
    this.#deps = deps
  }

  /** Reads where each query has come, and tells which ones cannot run. */
  async start(): Promise<void> {
    const { queries } = this.#deps
    for (const query of queries) {
      this.#due.set(query.name, new Due(query.schedule, await this.#progress(query)))
      const schedule = scheduleProblem(query.schedule)
      if (schedule) this.#tell(query, schedule)
      else await this.#translated(query)
    }
    if (queries.length > 0) this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  async #progress({ name }: ScheduledQuery): Promise<number> {
    const { loadDone, saveSeen, now } = this.#deps
    const doneMs = await loadDone(name)
    if (doneMs !== undefined) return doneMs
    const seenMs = now()
    await saveSeen(name, seenMs)
    return seenMs
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopping.abort()
    await Promise.allSettled(this.#running.values())
  }

  #tick(): void {
    const { queries, now } = this.#deps
    for (const query of queries) {
      if (this.#running.size >= AT_ONCE || this.#stopping.signal.aborted) return
      if (this.#running.has(query.name) || scheduleProblem(query.schedule)) continue
      const dueMs = this.#due.get(query.name)?.at(now())
      if (dueMs === undefined) continue
      const run = this.#run(query, dueMs).finally(() => this.#running.delete(query.name))
      this.#running.set(query.name, run)
    }
  }

  async #run(query: ScheduledQuery, dueMs: number): Promise<void> {
    const { lake, judge, flush, tables } = this.#deps
    let isAnswered = false
    try {
      const translated = await this.#translated(query)
      if (translated.kind !== 'ok') return
      await flush()
      for (const name of translated.tables) {
        const spec = tables.find(({ database, table }) => `${database}.${table}` === name)
        if (spec) await lake.ensure(spec)
      }
      const answer = await lake.query(translated.sql, {
        params: { [NOW_PARAM]: new Date(dueMs).toISOString() },
        timeoutMs: query.schedule.timeoutMinutes * 60_000,
        signal: this.#stopping.signal,
      })
      isAnswered = true
      await judge({ query: query.name, dueMs, columns: translated.columns, rows: answer.rows })
      this.#tell(query, answer.truncated ? `its answer was cut after ${answer.rows.length} rows; narrow the query` : undefined)
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#tell(query, messageOf(error))
      // An answer that could not be kept is asked for again at the next tick; a query that fails, when it is due again.
      if (isAnswered) return
    }
    this.#due.get(query.name)?.done(dueMs)
  }

  /** The query in the lake's SQL, against the tables as they are now; told when it cannot be had. */
  async #translated(query: ScheduledQuery): Promise<Translation> {
    const translated = await translateQuery(query, this.#deps)
    this.#tell(query, translated.kind === 'ok' ? undefined : translated.what.join('; '))
    return translated
  }

  #tell(query: ScheduledQuery, problem: string | undefined): void {
    if (problem === undefined) this.#problems.delete(query.name)
    else this.#problems.set(query.name, `Query '${query.name}' (${query.file}) does not run: ${problem}`)
    this.#deps.onProblems([...this.#problems.values()])
  }
}
