import type { ContentCause } from '../model/content-history.ts'
import { type SystemProblem, systemProblem } from '../model/system-problem.ts'
import type { TableKeeper } from '../stages/enrich/keeper.ts'
import type { Log } from '../telemetry/log.ts'
import { messageOf } from '../util/errors.ts'
import { contentProblems } from './checks/content.ts'
import { summaryOf } from './content-parts.ts'
import type { ContentChange } from './engine.ts'
import type { Events } from './events.ts'
import type { Lookups } from './lookups/lookups.ts'
import type { ContentProblem } from './path.ts'
import type { ContentReport, ContentSettings } from './pipeline-calls.ts'
import { worldOf } from './queries.ts'
import type { Scheduler } from './scheduler.ts'
import type { TableQueries } from './table-queries.ts'
import type { PipelineThread } from './threads.ts'

export interface ContentReloadDeps {
  readonly pipeline: PipelineThread
  readonly keeper: TableKeeper
  readonly lookups: Pick<Lookups, 'update'>
  readonly scheduler: Scheduler
  readonly tableQueries: Pick<TableQueries, 'update'>
  readonly events: Events
  readonly log: Log
  /** What was loaded at startup. */
  readonly first: ContentReport
  /** The current commit of each content root in git, by the root's name. */
  readonly commits: () => Readonly<Record<string, string>>
  /** Called with the files in folders of this machine that a recorded change has changed. */
  readonly onRecorded?: (cause: ContentCause, files: readonly string[]) => Promise<void>
}

/** Reports problems with content that is not in force. */
const REPORTER = 'content-change'
/** Content that may be retried unchanged. */
const AGAIN_MS = 10_000

/** A requested content change. */
export interface ContentRequest {
  readonly cause: ContentCause
  readonly actor?: string | undefined
  /** What the configuration says about content from then on. Absent: what it said before. */
  readonly settings?: ContentSettings
  /** The files that `apply` writes: versions of tables that come from them are the actor's. */
  readonly files?: readonly string[]
  /** Changes files before they are read. The function it returns reverts that, and is called if the content does not come into force. */
  readonly apply?: () => Promise<() => Promise<void>>
}

/** Puts changed content in force without downtime: one change at a time, each built separately. */
export class ContentReload {
  readonly #deps: ContentReloadDeps
  #report: ContentReport
  /** Settles when the most recently requested change has settled. */
  #tail: Promise<unknown> = Promise.resolve()
  /** A change that waits for its turn and reads the folders then, so it covers later requests of the same kind. */
  #waiting: Promise<ContentChange> | undefined
  #again: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(deps: ContentReloadDeps) {
    this.#deps = deps
    this.#report = deps.first
  }

  /** The content in force. */
  get report(): ContentReport {
    return this.#report
  }

  /**
   * Reads the content folders and puts the content in force, unless it has faults that the content in force does not have. Resolves with
   * the outcome; rejects if the pipeline has ended.
   */
  reload(request: ContentRequest): Promise<ContentChange> {
    if (!request.apply && !request.settings && this.#waiting) return this.#waiting
    const change = this.#tail.then(() => {
      if (this.#waiting === change) this.#waiting = undefined
      return this.#begin(request)
    })
    if (!request.apply && !request.settings) this.#waiting = change
    this.#tail = change.catch(() => {})
    return change
  }

  /** Records what was loaded at startup. */
  async begin(): Promise<void> {
    await this.#record({ cause: 'start' })
  }

  /** Resolves when no change is in progress; none begins after that. */
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

  /**
   * The change was valid but could not be put in force, or not everywhere: everything follows the content in force, and the change is
   * retried.
   */
  async #failed(error: unknown, request: ContentRequest): Promise<void> {
    if (this.#isStopped) return
    const message = `Changed content could not be applied and will be retried: ${messageOf(error)}`
    this.#say([systemProblem('ContentBroken', 'content', message)])
    this.#tryAgain(request)
    // The retry also repeats anything that fails here.
    await this.#follow().catch(() => {})
  }

  #tryAgain({ cause, actor }: ContentRequest): void {
    if (!this.#isStopped) this.#again = setTimeout(() => void this.reload({ cause, actor }).catch(() => {}), AGAIN_MS).unref()
  }

  async #change(request: ContentRequest): Promise<ContentChange> {
    const { pipeline, keeper, log } = this.#deps
    const built = await pipeline.rpc.call('buildContent', request.settings)
    if (built.kind === 'broken') return this.#refuse(built.problems, request, built.later)
    if (built.kind === 'unchanged') {
      await this.#follow(request)
      await this.#record(request)
      this.#say([])
      return { outcome: 'unchanged', generation: built.generation, summary: 'nothing changed', pauseMs: 0, problems: [] }
    }
    const { report, changes, generation } = built
    // Tables that are new or have a different definition are built for the new content.
    await keeper.update(report.tables, request)
    const { pauseMs, problems } = await pipeline.rpc.call('swapContent')
    if (problems.length > 0) {
      await this.#follow()
      return this.#refuse(problems, request, false)
    }
    await this.#use(report)
    await this.#record(request)
    this.#say([])
    const summary = summaryOf(changes)
    this.#deps.events.news.publish({ kind: 'content.swapped', subject: generation, message: summary })
    const rounded = Math.round(pauseMs)
    log.info(
      { generation, changes: changes.slice(0, 100), pauseMs: rounded },
      `content changed: ${summary}, processing paused for ${rounded} ms`,
    )
    return { outcome: 'swapped', generation, summary, pauseMs, problems: [] }
  }

  /**
   * Brings everything here in line with the content in force in the pipeline, whatever the outcome of a change. May be called at any time.
   */
  async #follow(request?: ContentRequest): Promise<void> {
    const { pipeline, keeper } = this.#deps
    const report = await pipeline.rpc.call('content')
    await keeper.update(report.tables, request)
    await this.#use(report)
  }

  /** The same without the tables. */
  async #use(report: ContentReport): Promise<void> {
    const { lookups, scheduler, events, tableQueries } = this.#deps
    this.#report = report
    events.problems.report('content', contentProblems(report.content))
    lookups.update(report.tables)
    tableQueries.update(worldOf(report))
    await scheduler.update({ queries: report.queries, ...worldOf(report) })
  }

  #refuse(problems: readonly ContentProblem[], request: ContentRequest, later: boolean): ContentChange {
    const outcome = { generation: this.#report.generation, summary: 'nothing changed', pauseMs: 0, problems }
    // Reverted files leave nothing broken.
    if (request.apply) return { outcome: 'broken', ...outcome }
    const stays = 'The current content stays in force until this is fixed; `caracal validate` shows all problems.'
    this.#say(problems.map(({ file, message }) => systemProblem('ContentBroken', file, `${file}: ${message}. ${stays}`)))
    if (later) this.#tryAgain(request)
    return { outcome: 'broken', ...outcome }
  }

  /** The history is complete again soon: changes that could not be recorded become part of the next entry. */
  async #record({ cause, actor = '' }: ContentRequest): Promise<void> {
    const { pipeline, commits, log, onRecorded } = this.#deps
    await pipeline.rpc
      .call('recordContent', { cause, actor, commits: commits() })
      .then((files) => onRecorded?.(cause, files))
      .catch((error: unknown) => log.warn({ err: error }, `The history of content could not be written: ${messageOf(error)}`))
  }

  #say(problems: readonly SystemProblem[]): void {
    this.#deps.events.problems.report(REPORTER, problems)
  }
}

/** Reloads when a file has changed; failures are logged. */
export function reloadQuietly(content: Pick<ContentReload, 'reload'>, log: Log): void {
  content
    .reload({ cause: 'watch' })
    .catch((error: unknown) => log.error({ err: error }, `Content could not be reloaded: ${messageOf(error)}`))
}
