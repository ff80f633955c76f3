import type { TableSpec } from '../model/column.ts'
import type { SavedQuery, ScheduledQuery } from '../model/query.ts'
import { plan } from '../stages/detect/scheduled/plan.ts'
import type { QueryRows } from '../stages/detect/scheduled/rows.ts'
import { scheduleProblem } from '../stages/detect/scheduled/schedule.ts'
import type { Catalog } from '../stages/store/dialect/context.ts'
import { expandTemplate } from '../stages/store/dialect/template.ts'
import { NOW_PARAM, type Translation, translate } from '../stages/store/dialect/translate.ts'
import type { Lake } from '../stages/store/lake.ts'
import { messageOf } from '../util/errors.ts'

export interface SchedulerDeps {
  /** Enabled queries whose rows some rule judges. */
  readonly queries: readonly ScheduledQuery[]
  readonly saved: ReadonlyMap<string, SavedQuery>
  /** Every table that the lake has or may get. */
  readonly tables: readonly TableSpec[]
  readonly lake: Lake
  /** When a query ran last (epoch ms of its due time), `undefined` when it never did. */
  readonly loadDone: (name: string) => Promise<number | undefined>
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
  readonly #done = new Map<string, number>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #problems = new Map<string, string>()
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: SchedulerDeps) {
    this.#deps = deps
  }

  /** Reads where each query has come, and tells which ones cannot run. */
  async start(): Promise<void> {
    const { queries, loadDone, now } = this.#deps
    for (const query of queries) {
      this.#done.set(query.name, (await loadDone(query.name)) ?? now())
      const schedule = scheduleProblem(query.schedule)
      if (schedule) this.#tell(query, schedule)
      else await this.#translated(query)
    }
    if (queries.length > 0) this.#timer = setInterval(() => this.#tick(), TICK_MS)
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
      const decision = plan(query.schedule, { doneMs: this.#done.get(query.name) ?? now(), running: false }, now())
      if (decision.kind !== 'run') continue
      const run = this.#run(query, decision.dueMs).finally(() => this.#running.delete(query.name))
      this.#running.set(query.name, run)
    }
  }

  async #run(query: ScheduledQuery, dueMs: number): Promise<void> {
    const { lake, judge, flush, tables } = this.#deps
    let isAnswered = false
    try {
      const translated = await this.#translated(query)
      if (translated?.kind !== 'ok') return
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
    this.#done.set(query.name, dueMs)
  }

  /** The query in the lake's SQL, against the tables as they are now; told when it cannot be had. */
  async #translated(query: ScheduledQuery): Promise<Translation | undefined> {
    const { saved } = this.#deps
    const expanded = expandTemplate(query.sql, (name) => saved.get(name)?.sql)
    if (expanded.kind !== 'ok') {
      this.#tell(query, expanded.what.join('; '))
      return undefined
    }
    const translated = await translate(expanded.sql, { from: 'snowflake', catalog: this.#catalog() })
    this.#tell(query, translated.kind === 'ok' ? undefined : translated.what.join('; '))
    return translated
  }

  #catalog(): Catalog {
    const { tables } = this.#deps
    return (database, table) => tables.find((spec) => spec.database === database && spec.table === table)?.columns
  }

  #tell(query: ScheduledQuery, problem: string | undefined): void {
    if (problem === undefined) this.#problems.delete(query.name)
    else this.#problems.set(query.name, `Query '${query.name}' (${query.file}) does not run: ${problem}`)
    this.#deps.onProblems([...this.#problems.values()])
  }
}
