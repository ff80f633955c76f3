import { randomBytes } from 'node:crypto'
import { type BacktestReplay, EMPTY_REPORT, type Replay, type ReplayAsk, type ReplayState } from '../../model/replay.ts'
import { retry } from '../../pipeline/faults.ts'
import { deleteReplay, loadReplays, saveReplay } from '../../state/replays.ts'
import { messageOf, RetryLater } from '../../util/errors.ts'
import { pause } from '../../util/pause.ts'
import { loadBacktest } from './backtest-content.ts'
import { removeBacktest, removeOtherBacktests } from './backtest-files.ts'
import { checkAsk } from './check-ask.ts'
import type { ReplayLake } from './pages.ts'
import { checkPastTables } from './past-tables.ts'
import { begunAgain, ReplayRun, type RunDeps } from './replay-run.ts'

/** Maximum number of waiting replays. */
export const MAX_WAITING = 20
/** Maximum number of ended replays that are still listed, the latest ones. */
const MAX_OVER = 100
/** How often the progress of a dry run is stored: for display only, since it begins again after a stop. */
const SAVE_MS = 1000

export type ReplaysDeps = Omit<RunDeps, 'onProgress' | 'pause' | 'isEnding'>

/** Replays: one runs at a time, the others wait in the order of their requests. */
export class Replays {
  readonly #deps: ReplaysDeps
  readonly #all = new Map<string, Replay>()
  #run: ReplayRun | undefined
  #ending: AbortController | undefined
  #working: Promise<void> = Promise.resolve()
  #isStopping = false

  constructor(deps: ReplaysDeps) {
    this.#deps = deps
  }

  /** Reads what was stored, and continues with replays that were not over. */
  async start(): Promise<void> {
    for (const replay of await loadReplays(this.#deps.db)) this.#all.set(replay.id, replay)
    const waiting = [...this.#in('queued'), ...this.#in('running')]
    await removeOtherBacktests(
      this.#deps.config.data_dir,
      waiting.flatMap(({ ask }) => filesOf(ask)),
    )
    this.#next()
  }

  /** Every replay, oldest first. */
  list(): readonly Replay[] {
    const now = this.#run?.replay
    return [...this.#all.values()].map((replay) => (replay.id === now?.id && replay.state === 'running' ? now : replay))
  }

  /** Queues a replay. Rejects with `Refused` if it makes no sense, with `RetryLater` if the queue is full. `found`: for a retro-match. */
  async add(asked: ReplayAsk, found?: Replay['found']): Promise<Replay> {
    const { content, config, now, db } = this.#deps
    const checked = checkAsk(asked, content(), now())
    const ask = checked.kind === 'backtest' ? await this.#prepared(checked) : checked
    if ((ask.kind === 'events' || ask.kind === 'backtest') && ask.asOfMs !== undefined)
      await checkPastTables(content().loaded, ask.asOfMs, config.data_dir)
    const waiting = this.#in('queued').length
    if (waiting >= MAX_WAITING)
      throw new RetryLater(
        `${waiting} replays are already waiting: try again when one of them has finished, or cancel one`,
        10_000,
      )
    const replay: Replay = {
      id: randomBytes(6).toString('hex'),
      ask,
      state: 'queued',
      createdMs: now(),
      cursor: { part: 0 },
      report: EMPTY_REPORT,
      notes: {},
      ...(found && { found }),
    }
    await saveReplay(db, replay)
    this.#all.set(replay.id, replay)
    await this.#forgetOld()
    this.#next()
    return replay
  }

  /** Ends a replay where it is; what it has stored stays. `undefined` if there is no such replay. One that is over stays unchanged. */
  async cancel(id: string): Promise<Replay | undefined> {
    const replay = this.#all.get(id)
    if (replay?.state === 'queued') {
      await this.#set({ ...replay, state: 'cancelled', endedMs: this.#deps.now() })
      await this.#removeFiles(replay)
    }
    if (replay?.state === 'running') {
      this.#ending?.abort()
      await this.#working
      const now = this.#all.get(id)!
      // The program is stopping, but the replay is still cancelled for good.
      if (now.state === 'running') await this.#set({ ...now, state: 'cancelled', endedMs: this.#deps.now() })
    }
    return this.#all.get(id)
  }

  /** The replay in progress ends after its page and continues after the next start. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#ending?.abort()
    await this.#working
  }

  /** The rules that differ and their log types, if the files can be used. */
  async #prepared(ask: BacktestReplay): Promise<BacktestReplay> {
    const { content, config } = this.#deps
    const { changed, logTypes } = await loadBacktest(ask, content(), config)
    return { ...ask, rules: [...changed.keys()], logTypes }
  }

  async #removeFiles({ ask }: Replay): Promise<void> {
    await removeBacktest(this.#deps.config.data_dir, filesOf(ask))
  }

  #in(state: ReplayState): Replay[] {
    return [...this.#all.values()].filter((replay) => replay.state === state)
  }

  /** Begins the next replay if none is in progress. */
  #next(): void {
    if (this.#isStopping || this.#run) return
    const replay = this.#in('running')[0] ?? this.#in('queued')[0]
    if (!replay) return
    const ending = new AbortController()
    const run = this.#begin(replay, ending.signal)
    this.#run = run
    this.#ending = ending
    // From here on `cancel` has to end it.
    this.#all.set(replay.id, run.replay)
    ending.signal.addEventListener('abort', () => run.end(), { once: true })
    this.#working = this.#work(run, ending.signal).finally(() => {
      this.#run = undefined
      this.#next()
    })
  }

  #begin(replay: Replay, ending: AbortSignal): ReplayRun {
    const { now } = this.#deps
    const again = replay.state === 'running' && replay.ask.dryRun ? begunAgain(replay) : replay
    let savedMs = Number.NEGATIVE_INFINITY
    return new ReplayRun(
      { ...again, state: 'running', startedMs: replay.startedMs ?? now() },
      {
        ...this.#deps,
        lake: endingWith(this.#deps.lake, ending),
        isEnding: () => ending.aborted,
        pause: (ms) => pause(ms, ending),
        onProgress: async (progress) => {
          this.#all.set(progress.id, progress)
          if (now() - savedMs < SAVE_MS) return
          savedMs = now()
          await this.#save(progress, () => ending.aborted)
        },
      },
    )
  }

  async #work(run: ReplayRun, ending: AbortSignal): Promise<void> {
    const over = async (state: ReplayState, why?: string) => {
      const { found: _, ...replay } = run.replay
      const notes = why === undefined ? replay.notes : { ...replay.notes, failed: why }
      await this.#set({ ...replay, state, notes, endedMs: this.#deps.now() })
      await this.#removeFiles(replay)
    }
    try {
      await this.#save(run.replay, () => ending.aborted)
      await run.run()
      if (!ending.aborted) await over('done')
      else if (!this.#isStopping) await over('cancelled')
      else this.#all.set(run.replay.id, run.replay)
    } catch (error) {
      // A replay that could not be finished while stopping continues after the next start.
      if (this.#isStopping) return
      const state = ending.aborted ? 'cancelled' : 'failed'
      await over(state, messageOf(error)).catch(() => {})
    }
  }

  async #set(replay: Replay): Promise<void> {
    this.#all.set(replay.id, replay)
    await this.#save(replay, () => this.#isStopping)
  }

  /** Waits for a full disk, as batches do, which also report it; it is not a reason to give up a replay. */
  async #save(replay: Replay, isStopping: () => boolean): Promise<void> {
    const { db } = this.#deps
    await retry('state cannot be written', () => saveReplay(db, replay), { onTrouble: () => {}, isStopping })
  }

  async #forgetOld(): Promise<void> {
    const over = [...this.#all.values()].filter(({ state }) => state !== 'queued' && state !== 'running')
    for (const { id } of over.slice(0, Math.max(0, over.length - MAX_OVER))) {
      await deleteReplay(this.#deps.db, id)
      this.#all.delete(id)
    }
  }
}

function filesOf(ask: ReplayAsk): readonly (string | undefined)[] {
  return ask.kind === 'backtest' ? [ask.after, ask.before] : []
}

/** The lake, but calls do not outlast the signal: a later answer is of no use. */
function endingWith({ query, ensure, flush }: ReplayLake, signal: AbortSignal): ReplayLake {
  const orEnd = <T>(answer: Promise<T>): Promise<T> => {
    const ended = new Promise<never>((_, reject) => {
      const end = () => reject(new RetryLater('the replay ends'))
      if (signal.aborted) return end()
      signal.addEventListener('abort', end, { once: true })
      const over = () => signal.removeEventListener('abort', end)
      answer.then(over, over)
    })
    return Promise.race([answer, ended])
  }
  return {
    query: (sql, maxRows, onRead) => orEnd(query(sql, maxRows, onRead)),
    ensure: (spec) => orEnd(ensure(spec)),
    flush: () => orEnd(flush()),
  }
}
