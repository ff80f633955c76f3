import type { Config } from '../../config/config.ts'
import { EMPTY_REPORT, type Replay } from '../../model/replay.ts'
import type { Route } from '../../pipeline/deliveries.ts'
import type { Retrying } from '../../pipeline/faults.ts'
import type { Loop } from '../../pipeline/loop.ts'
import { takePath } from '../../pipeline/path.ts'
import { comparedAlerts, comparedPage } from '../../pipeline/rejudge/comparison.ts'
import { DryWindows } from '../../pipeline/rejudge/dry-windows.ts'
import { type EndDeps, endDry, endInReplay } from '../../pipeline/rejudge/end.ts'
import type { Page } from '../../pipeline/rejudge/page.ts'
import type { AlertClock } from '../../stages/alert/step.ts'
import { tryCommit } from '../../state/commit.ts'
import type { StateDb } from '../../state/db.ts'
import { replayKey } from '../../state/replays.ts'
import { messageOf, RetryLater } from '../../util/errors.ts'
import type { OpenContent } from '../open-content.ts'
import { type Judging, openJudging } from './judging.ts'
import { nextPage, PartGone, planOf, type ReplayLake } from './pages.ts'

export interface RunDeps {
  readonly config: Config
  readonly db: StateDb
  readonly loop: Loop
  /** The content in force. */
  readonly content: () => OpenContent
  readonly lake: ReplayLake
  readonly routes: readonly Route[]
  readonly baseUrl: string
  readonly now: () => number
  /** Maximum number of rows that a retro-match reads of the events tables. */
  readonly maxRowsRead?: number
  /** True while too much waits for the lake for more to be added. */
  readonly isFull: () => boolean
  /** The replay has progressed, or is waiting. */
  readonly onProgress: (replay: Replay) => Promise<void>
  /** A retro-match ended before everything was read; says how much was. */
  readonly onRetroCut: (table: string, message: string) => void
  /** Resolves after this number of milliseconds, or when the replay is to end. */
  readonly pause: (ms: number) => Promise<void>
  /** True once the replay is to end where it is. */
  readonly isEnding: () => boolean
}

const FULL_PAUSE_MS = 500
const AGAIN_PAUSE_MS = 5000
/** The replay gets one part in this number of the time, with and without live batches in progress. */
const SHARES = { busy: 4, idle: 1.25 }

/** Maximum number of rows that a retro-match reads of the lake's events tables. */
const MAX_ROWS_READ = 50_000_000

/** Maximum number of sentences stored. */
const MAX_NOTES = 20

/** One replay in progress, page by page. */
export class ReplayRun {
  readonly #deps: RunDeps
  #replay: Replay
  #judging: Judging | undefined
  readonly #notes: Map<string, string>
  #windows = new DryWindows()
  /** Of a backtest: what is compared with, judged like the replay itself, and the time spent on both. */
  #before: { replay: Replay; readonly windows: DryWindows } | undefined
  #spentMs = 0

  constructor(replay: Replay, deps: RunDeps) {
    this.#deps = deps
    this.#replay = replay
    this.#notes = new Map(Object.entries(replay.notes))
  }

  get replay(): Replay {
    return { ...this.#replay, notes: Object.fromEntries(this.#notes) }
  }

  /** Resolves with the replay's state when everything is done, or the replay is to end. Rejects if it cannot continue. */
  async run(): Promise<Replay> {
    try {
      while (!this.#deps.isEnding() && !(await this.#step())) await this.#deps.onProgress(this.replay)
      return this.replay
    } finally {
      await this.#judging?.close()
    }
  }

  /** Ends judging that is in progress: a slow rule need not be waited for. */
  end(): void {
    this.#judging?.close().catch(() => {})
  }

  /** One page, or a step that must come first. True if there is nothing more. */
  async #step(): Promise<boolean> {
    const { isFull, pause, loop, isEnding } = this.#deps
    const start = performance.now()
    try {
      if (isFull()) await pause(FULL_PAUSE_MS)
      else {
        const isDone = await this.#page()
        this.#spentMs += performance.now() - start
        this.#note('wait', undefined)
        if (isDone) return true
      }
    } catch (error) {
      // Cutting it short causes many kinds of failure, none of which counts.
      if (isEnding()) return false
      if (!(error instanceof RetryLater)) throw error
      this.#note('wait', `It is waiting and will continue by itself: ${messageOf(error)}`)
      await pause(AGAIN_PAUSE_MS)
      return false
    }
    const isBusy = [...loop.inFlight.values()].some((records) => records > 0)
    await pause((performance.now() - start) * ((isBusy ? SHARES.busy : SHARES.idle) - 1))
    return false
  }

  async #page(): Promise<boolean> {
    const { content, lake } = this.#deps
    const judging = await this.#current()
    if (!this.#replay.parts) {
      this.#replay = { ...this.#replay, parts: await planOf(this.#replay, content(), lake) }
      return false
    }
    const { cursor, parts = [] } = this.#replay
    const part = parts[cursor.part]
    if (!part || this.#isReadEnough() || this.#isJudgedEnough(part.name)) {
      this.#compareAlerts()
      return true
    }
    let page: Page | undefined
    try {
      page = await nextPage(this.#replay, judging.content, lake, (rows) => {
        this.#replay = { ...this.#replay, rowsRead: (this.#replay.rowsRead ?? 0) + rows }
      })
    } catch (error) {
      if (!(error instanceof PartGone)) throw error
      this.#note(part.name, `${part.name} is skipped: ${error.message}.`)
    }
    if (page) {
      await this.#judge(page, judging)
      this.#noteOff(judging)
    } else this.#replay = { ...this.#replay, cursor: { part: cursor.part + 1 } }
    return false
  }

  /** True for a retro-match that has read as much as it may. */
  #isReadEnough(): boolean {
    const { ask, rowsRead = 0, cursor } = this.#replay
    if (ask.kind !== 'retro-match' || rowsRead < (this.#deps.maxRowsRead ?? MAX_ROWS_READ)) return false
    const since = cursor.after ? ` from ${cursor.after.time} on` : ''
    const message = `${rowsRead} rows of the events tables were read, which is the limit: events${since} with values of the table ${ask.table} were not judged again`
    this.#note('cut', message)
    this.#deps.onRetroCut(ask.table, message)
    return true
  }

  /** True for a backtest that has reached a limit. */
  #isJudgedEnough(name: string): boolean {
    const { ask, report, cursor } = this.#replay
    if (ask.kind !== 'backtest' || (report.records < ask.maxEvents && this.#spentMs < ask.maxMs)) return false
    const limit = report.records < ask.maxEvents ? `${ask.maxMs / 1000} seconds` : `${ask.maxEvents} events`
    const since = cursor.after ? ` from ${cursor.after.time} on` : ''
    this.#note(
      'cut',
      `It ended at its limit of ${limit}: events of ${name}${since} were not judged, nor those of log types that come later.`,
    )
    return true
  }

  /** The end of a backtest. */
  #compareAlerts(): void {
    const { comparison } = this.#replay
    if (!comparison || !this.#before) return
    const alerts = { before: this.#before.windows.opened, after: this.#windows.opened }
    this.#replay = { ...this.#replay, comparison: comparedAlerts(comparison, alerts) }
  }

  /** A page of a backtest: both sides judge it. */
  async #judgeTwice(page: Page, { generation, against }: Judging): Promise<void> {
    this.#before ??= { replay: this.#replay, windows: new DryWindows() }
    const { windows } = this.#before
    const before = await this.#judgeDry(page, this.#before.replay, windows, against!.generation)
    const after = await this.#judgeDry(page, this.replay, this.#windows, generation)
    if (this.#deps.isEnding()) return
    this.#before = { replay: before.replay, windows }
    const matches = { before: before.matches ?? [], after: after.matches ?? [] }
    const reports = { before: before.replay.report, after: after.replay.report }
    const comparison = comparedPage(this.#replay.comparison ?? against!.comparison, matches, reports)
    this.#replay = { ...after.replay, comparison }
    if (windows.isCut) this.#windows.isCut = true
  }

  async #judgeDry(page: Page, replay: Replay, windows: DryWindows, generation: Judging['generation']) {
    const batch = { sourceId: page.sourceId, receivedMs: this.#deps.now(), chunks: page.chunks, onParsed: () => {} }
    const judging = { ...generation, parser: page.parser }
    const isApart = replay.ask.kind === 'backtest'
    const { end, outcome } = endDry(page, replay, windows, { ...this.#endDeps(judging, () => {}), isApart })
    await takePath(batch, judging, end)
    return outcome
  }

  /** Rules that went off during the replay, as can happen live: the events that they missed of it are not judged. */
  #noteOff({ generation }: Judging): void {
    const off = generation.detectors.flatMap((detector) => detector.off?.() ?? []).filter(({ missed }) => missed > 0)
    for (const { ruleId, missed, message } of off)
      this.#note(`off ${ruleId}`, `Rule ${ruleId} was off and missed ${missed} records of this replay: ${message}`)
  }

  /** Sends the page down the path. */
  async #judge(page: Page, judging: Judging): Promise<void> {
    if (!this.#replay.ask.dryRun) return this.#judgeForGood(page, judging)
    if (judging.against) await this.#judgeTwice(page, judging)
    else {
      const { replay } = await this.#judgeDry(page, this.replay, this.#windows, judging.generation)
      if (!this.#deps.isEnding()) this.#replay = replay
    }
    if (this.#windows.isCut)
      this.#note('windows', 'There are more alert windows than a dry run can track, so the number of alerts is an estimate.')
  }

  async #judgeForGood(page: Page, { generation }: Judging): Promise<void> {
    const batch = { sourceId: page.sourceId, receivedMs: this.#deps.now(), chunks: page.chunks, onParsed: () => {} }
    const judging = { ...generation, parser: page.parser }
    let isStale = false
    const deps = this.#endDeps(judging, () => {
      isStale = true
    })
    const { end, outcome } = endInReplay(page, this.replay, deps)
    await takePath(batch, judging, end)
    // It is judged again, by what is in force now.
    if (!isStale) this.#replay = outcome.replay
  }

  #endDeps(generation: EndDeps['generation'], onStale: () => void): EndDeps {
    const { loop, lake, db, content, now, routes, baseUrl, isEnding } = this.#deps
    const learned = learnedBy(this.#replay)
    const retrying: Retrying = {
      onTrouble: (message) => this.#note('trouble', isEnding() ? undefined : message),
      isStopping: isEnding,
    }
    return {
      generation,
      retrying,
      now,
      routes,
      baseUrl,
      keyOf: replayKey,
      ...(learned && { learned }),
      query: lake.query,
      flush: lake.flush,
      keep: (make) =>
        loop.other(async () => {
          // Results from while the rules are being ended are incomplete.
          if (content().generation.hash === generation.hash && !isEnding()) return make()
          // Rows of another generation may have other columns: they must not come after those of the present one.
          onStale()
          return undefined
        }),
      attempt: (decision) => tryCommit(db, decision),
      onDropped: (message) => this.#note('dropped', message),
    }
  }

  /** The rules of the content in force, started for the replay. */
  async #current(): Promise<Judging> {
    const { content, config } = this.#deps
    const now = content()
    if (this.#judging?.content !== now) {
      const before = this.#judging
      this.#judging = undefined
      await before?.close()
      if (this.#replay.generation !== undefined && this.#replay.generation !== now.generation.hash) this.#contentChanged(now)
      this.#judging = await openJudging(now, this.#replay.ask, config)
      for (const [subject, sentence] of this.#judging.notes) this.#note(subject, sentence)
      const { against } = this.#judging
      if (against && !this.#replay.comparison) this.#replay = { ...this.#replay, comparison: against.comparison }
    }
    const { hash: generation } = now.generation
    this.#replay = { ...this.#replay, generation, tables: this.#judging.tables }
    return this.#judging
  }

  /** A dry run is about one content, so it begins again. One that stores results continues, and judged pages stay as they are. */
  #contentChanged(now: OpenContent): void {
    const { generation, cursor, ask } = this.#replay
    if (ask.dryRun) {
      this.#replay = begunAgain(this.#replay)
      this.#windows = new DryWindows()
      this.#before = undefined
      this.#spentMs = 0
    } else if (cursor.part > 0 || cursor.after) {
      const since = cursor.after ? ` from ${cursor.after.time} on` : ''
      this.#note(
        'content',
        `Content changed during the replay: generation ${now.generation.hash} judges${since}, ${generation} before.`,
      )
    }
  }

  /** Sets or removes the sentence on a subject. */
  #note(subject: string, sentence: string | undefined): void {
    if (sentence === undefined) this.#notes.delete(subject)
    else if (this.#notes.size < MAX_NOTES || this.#notes.has(subject)) this.#notes.set(subject, sentence)
  }
}

/** Says of a judged event what a table learned of it, for a retro-match. */
function learnedBy({ ask, found }: Replay): AlertClock['learned'] {
  if (ask.kind !== 'retro-match' || !found) return undefined
  const { table, field } = ask
  const times = new Map(Object.values(found).flatMap((spans) => spans.map(([value, , , ms]) => [value, ms] as const)))
  return ({ event }) => {
    const values = event?.[field]
    if (!Array.isArray(values)) return undefined
    const value = values.find((one) => times.has(one as string)) as string | undefined
    return value === undefined ? undefined : { table, value, time: new Date(times.get(value)!).toISOString() }
  }
}

/** The replay with no progress yet. */
export function begunAgain(replay: Replay): Replay {
  const { parts: _, comparison: __, ...rest } = replay
  return { ...rest, cursor: { part: 0 }, report: EMPTY_REPORT }
}
