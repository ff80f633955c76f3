import type { ContentCause } from '../model/content-history.ts'
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
  /** The commits that content roots in git are at, by the root's name. */
  readonly commits: () => Readonly<Record<string, string>>
}

/** The reporter of problems with content that is not in force. */
const REPORTER = 'content-change'
/** Content that may be tried again as it is. */
const AGAIN_MS = 10_000

/** A change of content that somebody or something asks for. */
export interface ContentRequest {
  readonly cause: ContentCause
  readonly actor?: string | undefined
  /** Changes files before they are read; what it returns takes that back, and is called when the content does not come in force. */
  readonly apply?: () => Promise<() => Promise<void>>
}

/** Puts changed content in force while everything runs: one change at a time, each built aside. */
export class ContentReload {
  readonly #deps: ContentReloadDeps
  #report: ContentReport
  /** Settles when the last change that was asked for has. */
  #tail: Promise<unknown> = Promise.resolve()
  /** A change that waits for its turn and reads the folders as they are then: it stands for others of its kind. */
  #waiting: Promise<ContentChange> | undefined
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
  reload(request: ContentRequest): Promise<ContentChange> {
    if (!request.apply && this.#waiting) return this.#waiting
    const change = this.#tail.then(() => {
      if (this.#waiting === change) this.#waiting = undefined
      return this.#begin(request)
    })
    if (!request.apply) this.#waiting = change
    this.#tail = change.catch(() => {})
    return change
  }

  /** Writes down what the start has loaded. */
  async begin(): Promise<void> {
    await this.#record({ cause: 'start' })
  }

  /** Resolves when no change is under way; none begins later. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#again)
    await this.#tail
  }

  async #begin(request: ContentRequest): Promise<ContentChange> {
    if (this.#isStopped) throw new Error('Caracal is stopping')
    clearTimeout(this.#again)
    const before = this.#report.generation
    const takeBack = await request.apply?.()
    try {
      const change = await this.#change(request)
      if (change.outcome === 'broken') await takeBack?.()
      return change
    } catch (error) {
      await this.#failed(error, request)
      if (this.#report.generation === before) await takeBack?.()
      throw error
    }
  }

  /** The change was in order and could not be put in force, or not everywhere: everything follows what is in force, and it is tried again. */
  async #failed(error: unknown, request: ContentRequest): Promise<void> {
    if (this.#isStopped) return
    const message = `Changed content could not be applied and will be retried: ${messageOf(error)}`
    this.#say([systemProblem('ContentBroken', 'content', message)])
    this.#tryAgain(request)
    // What fails here is done by the next try.
    await this.#follow().catch(() => {})
  }

  #tryAgain({ cause, actor }: ContentRequest): void {
    if (!this.#isStopped) this.#again = setTimeout(() => void this.reload({ cause, actor }).catch(() => {}), AGAIN_MS).unref()
  }

  async #change(request: ContentRequest): Promise<ContentChange> {
    const { pipeline, keeper, log } = this.#deps
    const built = await pipeline.rpc.call('buildContent')
    if (built.kind === 'broken') return this.#refuse(built.problems, request, built.later)
    if (built.kind === 'unchanged') {
      await this.#follow()
      await this.#record(request)
      this.#say([])
      return { outcome: 'unchanged', generation: built.generation, summary: 'nothing changed', pauseMs: 0, problems: [] }
    }
    const { report, changes, generation } = built
    // Tables that are new or defined otherwise are built for the content to come.
    await keeper.update(report.tables)
    const { pauseMs, problems } = await pipeline.rpc.call('swapContent')
    if (problems.length > 0) {
      await this.#follow()
      return this.#refuse(problems, request, false)
    }
    await this.#use(report)
    await this.#record(request)
    this.#say([])
    const summary = summaryOf(changes)
    const rounded = Math.round(pauseMs)
    log.info(
      { generation, changes: changes.slice(0, 100), pauseMs: rounded },
      `content changed: ${summary}, swapped in within ${rounded} ms`,
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

  #refuse(problems: readonly ContentProblem[], request: ContentRequest, later: boolean): ContentChange {
    const outcome = { generation: this.#report.generation, summary: 'nothing changed', pauseMs: 0, problems }
    // Files that are taken back leave nothing that is broken.
    if (request.apply) return { outcome: 'broken', ...outcome }
    const stays = 'The current content stays in force until this is fixed; `caracal validate` shows all problems.'
    this.#say(problems.map(({ file, message }) => systemProblem('ContentBroken', file, `${file}: ${message}. ${stays}`)))
    if (later) this.#tryAgain(request)
    return { outcome: 'broken', ...outcome }
  }

  /** The history lacks nothing for long: what could not be written down is a part of the next entry. */
  async #record({ cause, actor = '' }: ContentRequest): Promise<void> {
    const { pipeline, commits, log } = this.#deps
    await pipeline.rpc
      .call('recordContent', { cause, actor, commits: commits() })
      .catch((error: unknown) => log.warn({ err: error }, `The history of content could not be written: ${messageOf(error)}`))
  }

  #say(problems: readonly SystemProblem[]): void {
    this.#deps.events.problems.report(REPORTER, problems)
  }
}

/** Reloads when somebody has changed a file; what fails is in the log. */
export function reloadQuietly(content: Pick<ContentReload, 'reload'>, log: Log): void {
  content
    .reload({ cause: 'watch' })
    .catch((error: unknown) => log.error({ err: error }, `Content could not be reloaded: ${messageOf(error)}`))
}
