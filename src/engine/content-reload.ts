import { type SystemProblem, systemProblem } from '../model/system-problem.ts'
import type { TableKeeper } from '../stages/enrich/keeper.ts'
import type { Log } from '../telemetry/log.ts'
import { messageOf } from '../util/errors.ts'
import { contentProblems } from './checks/content.ts'
import { summaryOf } from './content-parts.ts'
import type { ContentChange } from './engine.ts'
import type { Events } from './events.ts'
import type { ContentProblem } from './path.ts'
import type { ContentReport } from './pipeline-calls.ts'
import { byName } from './queries.ts'
import type { Scheduler } from './scheduler.ts'
import type { PipelineThread } from './threads.ts'

export interface ContentReloadDeps {
  readonly pipeline: PipelineThread
  readonly keeper: TableKeeper
  readonly scheduler: Scheduler
  readonly events: Events
  readonly log: Log
  /** What the start loaded. */
  readonly first: ContentReport
}

/** The reporter of problems with content that is not in force. */
const REPORTER = 'content-change'
/** Content that may be tried again as it is. */
const AGAIN_MS = 10_000

/** Puts changed content in force while everything runs: one change at a time, each built aside. */
export class ContentReload {
  readonly #deps: ContentReloadDeps
  #report: ContentReport
  #running: Promise<ContentChange> | undefined
  /** A change that was asked for while another one was under way. */
  #following: Promise<ContentChange> | undefined
  #again: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(deps: ContentReloadDeps) {
    this.#deps = deps
    this.#report = deps.first
  }

  /** What is in force. */
  get report(): ContentReport {
    return this.#report
  }

  /**
   * Reads the content folders and puts what they hold in force, unless it has faults that the content in force does not have. Resolves
   * with the outcome; rejects when the pipeline has ended.
   */
  reload(): Promise<ContentChange> {
    if (!this.#running) return this.#begin()
    // What is under way may have read the folders before the change that this call is about.
    this.#following ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#following = undefined
        return this.#begin()
      })
    return this.#following
  }

  /** Resolves when no change is under way; none begins later. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#again)
    await this.#running?.catch(() => {})
  }

  #begin(): Promise<ContentChange> {
    if (this.#isStopped) return Promise.reject(new Error('Caracal is stopping'))
    clearTimeout(this.#again)
    this.#running = this.#change()
      .catch(async (error: unknown) => {
        await this.#failed(error)
        throw error
      })
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }

  /** The change was in order and could not be put in force, or not everywhere: everything follows what is in force, and it is tried again. */
  async #failed(error: unknown): Promise<void> {
    if (this.#isStopped) return
    const message = `Changed content could not be put in force, which is tried again: ${messageOf(error)}`
    this.#say([systemProblem('ContentBroken', 'content', message)])
    this.#tryAgain()
    // What fails here is done by the next try.
    await this.#follow().catch(() => {})
  }

  #tryAgain(): void {
    if (!this.#isStopped) this.#again = setTimeout(() => void this.reload().catch(() => {}), AGAIN_MS).unref()
  }

  async #change(): Promise<ContentChange> {
    const { pipeline, keeper, log } = this.#deps
    const built = await pipeline.rpc.call('buildContent')
    if (built.kind === 'broken') return this.#refuse(built.problems, built.later)
    if (built.kind === 'unchanged') {
      await this.#follow()
      this.#say([])
      return { outcome: 'unchanged', generation: built.generation, summary: 'nothing changed', pauseMs: 0, problems: [] }
    }
    const { report, changes, generation } = built
    // Tables that are new or defined otherwise are built for the content to come.
    await keeper.update(report.tables)
    const { pauseMs, problems } = await pipeline.rpc.call('swapContent')
    if (problems.length > 0) {
      await this.#follow()
      return this.#refuse(problems, false)
    }
    await this.#use(report)
    this.#say([])
    const summary = summaryOf(changes)
    const rounded = Math.round(pauseMs)
    log.info(
      { generation, changes: changes.slice(0, 100), pauseMs: rounded },
      `content changed: ${summary}, swapped in ${rounded} ms`,
    )
    return { outcome: 'swapped', generation, summary, pauseMs, problems: [] }
  }

  /** Everything here follows the content that the pipeline has in force, whatever became of a change. May be called at any time. */
  async #follow(): Promise<void> {
    const { pipeline, keeper } = this.#deps
    const report = await pipeline.rpc.call('content')
    await keeper.update(report.tables)
    await this.#use(report)
  }

  /** The same without the tables. */
  async #use(report: ContentReport): Promise<void> {
    const { scheduler, events } = this.#deps
    this.#report = report
    events.problems.report('content', contentProblems(report.content))
    await scheduler.update({ queries: report.queries, saved: byName(report.savedQueries), tables: report.lakeTables })
  }

  #refuse(problems: readonly ContentProblem[], later: boolean): ContentChange {
    const stays = 'The content in force stays as it was until this is fixed; `caracal validate` shows all problems.'
    this.#say(problems.map(({ file, message }) => systemProblem('ContentBroken', file, `${file}: ${message}. ${stays}`)))
    if (later) this.#tryAgain()
    return { outcome: 'broken', generation: this.#report.generation, summary: 'nothing changed', pauseMs: 0, problems }
  }

  #say(problems: readonly SystemProblem[]): void {
    this.#deps.events.problems.report(REPORTER, problems)
  }
}

/** Reloads when somebody has changed a file; what fails is in the log. */
export function reloadQuietly(content: Pick<ContentReload, 'reload'>, log: Log): void {
  content.reload().catch((error: unknown) => log.error({ err: error }, `Content could not be reloaded: ${messageOf(error)}`))
}
