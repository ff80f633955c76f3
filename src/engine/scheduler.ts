import { isDeepStrictEqual } from 'node:util'
import type { ScheduledQuery } from '../model/query.ts'
import type { SearchRun } from '../model/search-run.ts'
import { type ProblemWhat, type SystemProblem, systemProblem } from '../model/system-problem.ts'
import type { QueryRows } from '../stages/detect/scheduled/rows.ts'
import { scheduleProblem } from '../stages/detect/scheduled/schedule.ts'
import { NOW_PARAM, type Translation } from '../stages/store/dialect/translate.ts'
import { type Lake, LakeEnded, QueryBarred, type QueryResult } from '../stages/store/lake.ts'
import { messageOf, Refused, RetryLater } from '../util/errors.ts'
import type { JudgedRows } from './queries/judged-rows.ts'
import { columnsOfAnswer } from './queries/lake-sql.ts'
import { type QueryWorld, tablesToEnsure, translateQuery } from './queries.ts'
import { type Overdue, QueryTurns } from './query-turns.ts'

/** What content says about scheduled queries. */
export interface QueryContent extends QueryWorld {
  /** Enabled queries whose rows some rule judges or that are mailed. */
  readonly queries: readonly ScheduledQuery[]
}

export interface SchedulerDeps extends QueryContent {
  readonly lake: Pick<Lake, 'ensure' | 'query'>
  /** The due time of a query's last run, or when it was first seen; `undefined` if it was never seen. */
  readonly loadDone: (name: string) => Promise<number | undefined>
  /** Stores when a query was first seen: later due times are caught up on, even before its first run. */
  readonly saveSeen: (name: string, seenMs: number) => Promise<void>
  /** Judges the rows and records, in the same transaction as the results, that this due time is done, unless somebody asked for the run. */
  readonly judge: (rows: QueryRows) => Promise<JudgedRows>
  /** Stores the outcome of a query's last run. */
  readonly saveRun: (name: string, run: SearchRun) => Promise<void>
  /** Writes what is committed to the lake. */
  readonly flush: () => Promise<void>
  readonly now: () => number
  /** Queries that do not run or are overdue; all of them each time. */
  readonly onProblems: (problems: readonly SystemProblem[]) => void
}

const TICK_MS = 1000
/** Concurrent queries: daily ones all fall due at midnight. */
const AT_ONCE = 2
/** Pause before a run is repeated, unless the lake specifies another. */
const AGAIN_MS = 5000
/** A run waits this long past its due time for rows to be stored. */
const STORE_PATIENCE_MS = 60_000
/** A query whose runs end the lake's process this many times in a row is switched off. */
const MAX_ENDED = 2
/** Longest stored error of a run. */
const MAX_ERROR_CHARS = 1000

/** The outcome of a run: it counts, it must be repeated after a pause, or the query must not run any more. */
type Outcome = { readonly kind: 'done' } | { readonly kind: 'off' } | { readonly kind: 'again'; readonly pauseMs: number }

/** Runs scheduled queries when they are due, longest waiting first, each at most once at a time; after downtime one run catches up. */
export class Scheduler {
  readonly #deps: SchedulerDeps
  readonly #queries = new Map<string, ScheduledQuery>()
  /** Queries to add, by name, once the run of their previous version is over and the state can be read. */
  readonly #entering = new Map<string, ScheduledQuery>()
  #entered: Promise<void> = Promise.resolve()
  #world: QueryWorld
  #turns = new QueryTurns([], 0)
  readonly #running = new Map<string, Promise<void>>()
  readonly #problems = new Map<string, SystemProblem>()
  /** Consecutive runs that ended the lake's process. */
  readonly #ended = new Map<string, number>()
  readonly #stopping = new AbortController()
  #reported = '[]'
  #timer: NodeJS.Timeout | undefined

  constructor(deps: SchedulerDeps) {
    this.#deps = deps
    this.#world = deps
  }

  /** Reads the progress of each query, and reports those that cannot run. */
  async start(): Promise<void> {
    this.#turns = new QueryTurns([], this.#deps.now())
    for (const query of this.#deps.queries) await this.#add(query, await this.#progress(query))
    this.#keepTime()
  }

  /** Replaces the queries. Runs in progress end with their old query; unchanged queries keep their due times. */
  async update({ queries, ...world }: QueryContent): Promise<void> {
    this.#world = world
    const wanted = new Map(queries.map((query) => [query.name, query]))
    for (const name of this.#entering.keys()) this.#problems.delete(name)
    this.#entering.clear()
    for (const [name, query] of [...this.#queries]) if (!isDeepStrictEqual(query, wanted.get(name))) this.#leave(name)
    for (const [name, query] of wanted) if (!this.#queries.has(name)) this.#entering.set(name, query)
    for (const query of this.#queries.values()) await this.#translated(query)
    await this.#enter()
    this.#keepTime()
    this.#report()
  }

  #leave(name: string): void {
    this.#queries.delete(name)
    this.#turns.remove(name)
    this.#problems.delete(name)
    this.#ended.delete(name)
  }

  #enter(): Promise<void> {
    this.#entered = this.#entered.then(() => this.#enterAll())
    return this.#entered
  }

  /** Adds the waiting queries, including those that could not be added earlier. */
  async #enterAll(): Promise<void> {
    for (const [name, query] of this.#entering) {
      // The run of the query's previous version ends first.
      if (this.#running.has(name)) continue
      try {
        const doneMs = await this.#progress(query)
        if (this.#entering.get(name) !== query) continue
        await this.#add(query, doneMs)
        if (this.#entering.get(name) === query) this.#entering.delete(name)
      } catch (error) {
        if (this.#entering.get(name) !== query) continue
        this.#problems.set(name, problemOf(query, `does not run yet and will be retried: ${messageOf(error)}`))
      }
    }
  }

  /** Lets the query take turns, continuing from its last run; a query that cannot run is reported. */
  async #add(query: ScheduledQuery, doneMs: number): Promise<void> {
    const { name, schedule } = query
    this.#queries.set(name, query)
    this.#problems.delete(name)
    const problem = scheduleProblem(schedule)
    if (problem) return this.#tell(query, `does not run: ${problem}`)
    await this.#translated(query)
    if (this.#queries.get(name) === query) this.#turns.add({ name, schedule, doneMs })
  }

  #keepTime(): void {
    if (this.#queries.size + this.#entering.size > 0) this.#timer ??= setInterval(() => void this.#tick(), TICK_MS)
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

  async #tick(): Promise<void> {
    if (this.#entering.size > 0 && !this.#stopping.signal.aborted) await this.#enter()
    this.#fill()
  }

  /** Starts due queries while there is room. */
  #fill(): void {
    while (this.#running.size < AT_ONCE && !this.#stopping.signal.aborted) {
      const turn = this.#turns.next(this.#deps.now())
      if (!turn) break
      this.#running.set(turn.name, this.#serve(this.#queries.get(turn.name)!, turn.dueMs))
    }
    this.#report()
  }

  async #serve(query: ScheduledQuery, dueMs: number): Promise<void> {
    const outcome = await this.#run(query, dueMs)
    if (outcome.kind === 'done') this.#turns.done(query.name)
    else if (outcome.kind === 'off') this.#turns.remove(query.name)
    else this.#turns.again(query.name, this.#deps.now(), outcome.pauseMs)
    this.#running.delete(query.name)
    await this.#tick()
  }

  /**
   * Runs a query now, for the time until now, and has its rules judge the rows. Its schedule goes on as before. Rejects with `Refused` if it
   * does not run by its schedule either or cannot run, with `RetryLater` if it has been asked for already or nothing runs now.
   */
  async runNow(name: string, by: string): Promise<SearchRun> {
    const query = this.#queries.get(name)
    if (!query)
      throw new Refused(`nothing is done with the rows of '${name}': it is off, or no enabled rule names it and it is not mailed`)
    const key = `${name}\0asked`
    if (this.#stopping.signal.aborted) throw new RetryLater('Caracal is stopping')
    if (this.#running.has(key)) throw new RetryLater(`the query '${name}' is running now, because somebody asked for it`)
    const run = this.#once(query, { dueMs: this.#deps.now(), by }, () => {})
    const ended = run.then(
      () => {},
      () => {},
    )
    this.#running.set(key, ended)
    return run.finally(() => {
      this.#running.delete(key)
      return this.#tick()
    })
  }

  async #run(query: ScheduledQuery, dueMs: number): Promise<Outcome> {
    let isAnswered = false
    try {
      const { rows, isTruncated } = await this.#once(query, { dueMs }, () => {
        isAnswered = true
        this.#ended.delete(query.name)
      })
      this.#tell(query, isTruncated ? `misses rows: its result was cut after ${rows}; narrow the query` : undefined)
      return { kind: 'done' }
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#tell(query, `does not run: ${messageOf(error)}`)
      if (error instanceof QueryBarred || this.#endedTooOften(query, error)) return this.#switchOff(query, messageOf(error))
      // A result that could not be stored and a query that the lake could not serve now are retried; a query that fails waits for its next
      // due time.
      if (error instanceof RetryLater) return { kind: 'again', pauseMs: error.afterMs ?? AGAIN_MS }
      return isAnswered ? { kind: 'again', pauseMs: AGAIN_MS } : { kind: 'done' }
    }
  }

  /** One run, whose outcome is stored unless the program is stopping. Rejects if the query cannot run or its results cannot be stored. */
  async #once(
    query: ScheduledQuery,
    { dueMs, by }: { readonly dueMs: number; readonly by?: string },
    onAnswer: () => void,
  ): Promise<SearchRun> {
    const { judge, now, saveRun } = this.#deps
    const about = { dueMs, startedMs: now(), ...(by !== undefined && { by }) }
    const keep = async (made: Omit<SearchRun, 'dueMs' | 'startedMs' | 'by' | 'ms'>): Promise<SearchRun> => {
      const run = { ...about, ms: Math.max(0, now() - about.startedMs), ...made }
      // It is for display, and whatever keeps it from being stored is reported for the results.
      if (!this.#stopping.signal.aborted) await saveRun(query.name, run).catch(() => {})
      return run
    }
    let judged: JudgedRows
    let answer: QueryResult
    try {
      const translated = await translateQuery(query, this.#world)
      if (translated.kind !== 'ok') throw new Refused(translated.what.join('; '))
      answer = await this.#answer(query, translated, dueMs)
      onAnswer()
      const columns = translated.columns.length > 0 ? translated.columns : columnsOfAnswer(answer.columns)
      const isAsked = by !== undefined
      judged = await judge({
        query: query.name,
        dueMs,
        columns,
        rows: answer.rows,
        isTruncated: answer.truncated,
        ...(isAsked && { isAsked }),
      })
    } catch (error) {
      await keep({ rows: 0, isTruncated: false, matches: 0, error: messageOf(error).slice(0, MAX_ERROR_CHARS) })
      throw error
    }
    return keep({ rows: answer.rows.length, isTruncated: answer.truncated, ...judged })
  }

  async #answer(query: ScheduledQuery, translated: Extract<Translation, { kind: 'ok' }>, dueMs: number): Promise<QueryResult> {
    const { lake, flush } = this.#deps
    const stored = flush().catch((error: unknown) => this.#unlessLate(error, dueMs))
    stored.catch(() => {})
    for (const spec of tablesToEnsure(translated.tables, this.#world)) await lake.ensure(spec)
    return lake.query(translated.sql, {
      params: { [NOW_PARAM]: new Date(dueMs).toISOString() },
      timeoutMs: query.schedule.timeoutMinutes * 60_000,
      signal: this.#stopping.signal,
      after: stored,
    })
  }

  /** Rows that cannot be stored now only delay a run for a while: they may belong to another table, and health reports them. */
  #unlessLate(error: unknown, dueMs: number): void {
    const isPatient = this.#deps.now() - dueMs < STORE_PATIENCE_MS
    if (isPatient || !(error instanceof RetryLater)) throw error
  }

  #endedTooOften({ name }: ScheduledQuery, error: unknown): boolean {
    if (!(error instanceof LakeEnded)) return false
    const times = (this.#ended.get(name) ?? 0) + 1
    this.#ended.set(name, times)
    return times >= MAX_ENDED
  }

  #switchOff(query: ScheduledQuery, why: string): Outcome {
    this.#tell(query, `is switched off until it is changed or Caracal is restarted: ${why}`, 'QueryOff')
    return { kind: 'off' }
  }

  /** The query in the lake's SQL, against the current tables; reported if it cannot be translated. */
  async #translated(query: ScheduledQuery): Promise<Translation> {
    const translated = await translateQuery(query, this.#world)
    if (translated.kind !== 'ok') this.#tell(query, `does not run: ${translated.what.join('; ')}`)
    return translated
  }

  #tell(query: ScheduledQuery, problem: string | undefined, what: ProblemWhat = 'QueryFailed'): void {
    // Reports of a run that ends after its query was changed or removed no longer apply.
    if (this.#queries.get(query.name) !== query) return
    if (problem === undefined) this.#problems.delete(query.name)
    else this.#problems.set(query.name, problemOf(query, problem, what))
    this.#report()
  }

  /** Reports all problems if they have changed. */
  #report(): void {
    const overdue = this.#turns.overdue(this.#deps.now())
    const problems = [
      ...this.#problems.values(),
      ...overdue.map((one) => systemProblem('QueryOverdue', one.name, this.#overdueText(one))),
    ]
    const key = JSON.stringify(problems)
    if (key === this.#reported) return
    this.#reported = key
    this.#deps.onProblems(problems)
  }

  #overdueText({ name, dueMs, lateMs, periodMs }: Overdue): string {
    const minutes = (ms: number) => `${Math.floor(ms / 60_000)} min`
    return (
      `Query '${name}' (${this.#queries.get(name)!.file}) is overdue: its run of ${new Date(dueMs).toISOString()} is ${minutes(lateMs)} late, ` +
      `more than its period of ${minutes(periodMs)}. ${AT_ONCE} queries run at a time: make queries faster, or run them less often`
    )
  }
}

function problemOf({ name, file }: ScheduledQuery, problem: string, what: ProblemWhat = 'QueryFailed'): SystemProblem {
  return systemProblem(what, name, `Query '${name}' (${file}) ${problem}`)
}
