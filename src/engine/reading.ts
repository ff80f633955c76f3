import { join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import type { Config, SourceConfig } from '../config/config.ts'
import { environment, resolveSecret } from '../config/env.ts'
import { httpSettings } from '../config/http.ts'
import type { Effects } from '../model/batch.ts'
import { effectsOfOff } from '../pipeline/effects.ts'
import { Loop } from '../pipeline/loop.ts'
import type { LoopDeps } from '../pipeline/loop-deps.ts'
import type { PipelineState } from '../pipeline/pipeline-state.ts'
import { type SpoolPort, SpoolSource } from '../pipeline/spool-source.ts'
import { type WatchedSource, watchedSource } from '../pipeline/watched-source.ts'
import { GRACE_MS } from '../stages/detect/correlation/correlator.ts'
import { sources as sourceDefinitions } from '../stages/source/index.ts'
import type { CursorDeps } from '../stages/source/source.ts'
import { watchSources } from '../state/activity.ts'
import { cursorsOf } from '../state/batches.ts'
import type { StateDb } from '../state/db.ts'
import { find } from '../util/define.ts'
import { messageOf, RetryLater } from '../util/errors.ts'
import { createHttp, type Http } from '../util/http/http.ts'
import type { Started } from '../util/started.ts'
import { CorrelationClock } from './correlation-clock.ts'
import type { LiveContent } from './live-content.ts'
import type { OpenContent } from './open-content.ts'
import { openTracing, type Tracing } from './open-tracing.ts'
import type { PastSignals } from './past-signals.ts'
import type { SourceProgress, SwappedContent } from './pipeline-calls.ts'
import type { ReplayLake } from './replays/pages.ts'
import { Replays } from './replays/replays.ts'
import { Pruning } from './retention.ts'
import { connectSpool } from './spool-port.ts'

export interface ReadingDeps {
  readonly config: Config
  readonly sources: readonly SourceConfig[]
  readonly baseUrl: string
  readonly db: StateDb
  readonly state: PipelineState
  readonly content: LiveContent
  readonly routes: LoopDeps['routes']
  readonly now: () => number
  /** Maximum number of batches in progress. Absent: as many as this thread can use. */
  readonly depth: LoopDeps['depth']
  readonly isFull: () => boolean
  readonly observe: LoopDeps['observe']
  readonly onCommitted: (effects: Effects, sourceId: string | undefined, receivedMs: number | undefined) => void
  readonly onTrouble: LoopDeps['onTrouble']
  readonly signals: PastSignals
  readonly lake: ReplayLake
  readonly onRetroCut: (table: string, message: string) => void
  /** The loop ended by itself, which is a fault. */
  readonly onFailed: (error: unknown) => void
  /** Other content is in force from now on: called between two batches. */
  readonly onSwapped: (now: OpenContent) => void
}

/** Without a limit, sources that always have something to read would keep correlation from running. */
const MAX_CATCH_UP_MS = 600_000
const LOOK_MS = 1000
const SETTLE_MS = 20

/** The work that begins once the tables are in force: reading sources, the loop, the clock of correlation, deleting old state. */
export class Reading {
  readonly #deps: ReadingDeps
  readonly #open: WatchedSource[] = []
  #spool: SpoolPort | undefined
  #http: Http | undefined
  #loop: Loop | undefined
  #clock: CorrelationClock | undefined
  #replays: Replays | undefined
  #tracing: Tracing | undefined
  #caughtUp: Promise<void> = Promise.resolve()
  /** Judges what is not part of the loop's batches. */
  readonly #judging = new Set<Promise<unknown>>()
  #isStopping = false
  #stopped: Promise<void> | undefined
  readonly #stops: (() => unknown)[] = []

  constructor(deps: ReadingDeps) {
    this.#deps = deps
  }

  /** Connects to the spool. Done before anything is read, since the spool immediately reports its contents. */
  connect(port: MessagePort): void {
    this.#spool = connectSpool(port, () => this.wake())
  }

  /** Opens the sources and starts the loop. `started` collects what must be closed once reading has stopped. */
  async start(started: Started): Promise<void> {
    const { config, sources, db, content, now, onTrouble, onFailed } = this.#deps
    this.#http = await started.step(
      'outgoing HTTP of sources',
      () => createHttp(httpSettings(config.http, environment())),
      (made) => made.close(),
    )
    const { configured: send } = this.#http
    this.#tracing = await started.step(
      'traces',
      () => openTracing(config, { send, onTrouble: (message) => onTrouble('tracing', message) }),
      (made) => made?.stop(),
    )
    for (const source of sources) {
      const { id } = source
      const opened = await started.step(
        `source '${id}'`,
        () => this.#openSource(source),
        (made) => made.close(),
      )
      this.#open.push(opened)
    }
    await this.#watch()
    const loop = this.#createLoop()
    this.#loop = loop
    this.#caughtUp = this.#catchUp(now())
    const clock = this.#createClock(loop, content.current)
    this.#clock = clock
    await (await clock.remember()).commit()
    const pruning = new Pruning(db, {
      retention: { deliveriesDays: config.retention.deliveries_days, alertsDays: config.retention.alerts_days },
      now,
      behind: () => this.#open.map(({ id }) => id).filter((id) => !loop.isSettled(id)),
      onTrouble: (message) => onTrouble('retention', message),
    })
    const running = loop.run()
    running.catch(onFailed)
    const replays = this.#createReplays(loop)
    this.#replays = replays
    this.#stops.push(
      () => replays.stop(),
      () => loop.stop(),
      () => this.#clock?.stop(),
      () => running.catch(() => {}),
      () => pruning.stop(),
    )
    void this.#caughtUp.then(() => !this.#isStopping && pruning.start())
    this.#reportOff(content.current)
    clock.start()
    await replays.start()
  }

  /**
   * Puts the content that was built in force, between two batches, and ends what only the previous content needed. If it rejects, or has
   * problems, the content in force stays.
   */
  async swap(): Promise<SwappedContent> {
    const { content } = this.#deps
    const next = content.next
    if (!next) throw new Error('no content has been built')
    await this.#clock?.stop()
    try {
      return await this.#swapTo(next)
    } finally {
      this.#clock = this.#createClock(this.loop, content.current)
      if (!this.#isStopping) this.#clock.start()
    }
  }

  async #swapTo(next: OpenContent): Promise<SwappedContent> {
    const { loop } = this
    const { content, onSwapped } = this.#deps
    const look = await this.#createClock(loop, next).remember()
    let looked: Promise<void> | undefined
    let before: OpenContent | undefined
    try {
      // Last, because it can fail: otherwise a lake altered for content that does not come into force would have to be altered back.
      const problems = await content.askLake()
      if (problems.length > 0) {
        await content.discard()
        return { pauseMs: 0, problems }
      }
      await Promise.allSettled(this.#judging)
      const pauseMs = await loop.between(async () => {
        // Those that have begun since: what they leave in the rules' cache is handed over too.
        while (this.#judging.size > 0) await Promise.allSettled(this.#judging)
        before = content.swap()
        looked = look.commit()
        onSwapped(next)
      })
      this.#reportOff(next, before)
      return { pauseMs, problems: [] }
    } finally {
      if (looked) await looked
      else look.drop()
      if (before) await this.#retire(before, next)
    }
  }

  /** Ends what only this content needed, once everything that it judged is committed. */
  async #retire(before: OpenContent, next: OpenContent): Promise<void> {
    await this.loop.other(async () => undefined).catch(() => {})
    await Promise.allSettled(this.#judging)
    await before.close(next)
  }

  /** Keeps the detectors used for `judged` open until it has settled. */
  holds(judged: Promise<unknown>): void {
    this.#judging.add(judged)
    judged.catch(() => {}).finally(() => this.#judging.delete(judged))
  }

  /** There may be something to read, or room for it. */
  wake(): void {
    this.#loop?.wake()
  }

  /** Begins to read one more source, which the content in force knows. */
  async openSource(source: SourceConfig): Promise<void> {
    const opened = await this.#openSource(source)
    this.#open.push(opened)
    this.#stops.push(() => this.#open.includes(opened) && opened.close())
    await this.#watch()
    this.loop.add(opened)
  }

  /** Ends reading a source that is settled and that nothing is sent to any more. */
  async closeSource(sourceId: string): Promise<void> {
    const at = this.#open.findIndex(({ id }) => id === sourceId)
    if (at < 0) return
    this.loop.remove(sourceId)
    const [closed] = this.#open.splice(at, 1)
    await closed?.close()
    await this.#watch()
  }

  /** The loop, once it exists. */
  get loop(): Loop {
    if (!this.#loop) throw new Error('the pipeline has not started')
    return this.#loop
  }

  /** Judges past events, once reading has begun. */
  get replays(): Replays {
    if (!this.#replays) throw new RetryLater('Caracal has not finished starting')
    return this.#replays
  }

  /** No further batch begins; resolves when those in progress are committed. */
  stop(): Promise<void> {
    this.#isStopping = true
    this.#stopped ??= (async () => {
      for (const stop of this.#stops) await stop()
    })()
    return this.#stopped
  }

  cannotReport(error: unknown): void {
    if (!this.#isStopping)
      this.#deps.onTrouble('rules', `Rules are off, and the alert about them cannot be raised: ${messageOf(error)}`)
  }

  /** Resolves when the source has nothing to read and all of it is committed; immediately for a source that is not read at all. */
  async settled(sourceId: string): Promise<void> {
    if (!this.#open.some(({ id }) => id === sourceId)) return
    while (!this.#loop?.isSettled(sourceId)) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  }

  progress(): SourceProgress[] {
    return this.#open.map((source) => ({
      id: source.id,
      inFlight: this.#loop?.inFlight.get(source.id) ?? 0,
      oldestMs: this.#loop?.oldestMs(source.id),
      waitingMs: source.waitingMs(),
      ...source.status(),
    }))
  }

  async #openSource(source: SourceConfig): Promise<WatchedSource> {
    const { config, db, now } = this.#deps
    const cursors = await cursorsOf(db, source.id)
    const definition = find('source', sourceDefinitions, source.type)
    const monotonic = () => performance.now()
    if (!definition.seekable) return watchedSource(new SpoolSource(source.id, this.#spool!, cursors), monotonic)
    const outside = {
      send: this.#http!.configured,
      secret: resolveSecret,
      folder: join(config.data_dir, 'fetched', source.id),
    }
    const deps: CursorDeps = { cursors, wake: () => this.wake(), now, maxRecordBytes: config.max_record_bytes, outside }
    return watchedSource(definition.seekable(source as never, deps), monotonic)
  }

  /** Records which sources there are, for alarms about those that are silent. */
  #watch(): Promise<void> {
    const ids = this.#open.map(({ id }) => id)
    return watchSources(this.#deps.db, ids, this.#deps.now())
  }

  #createReplays(loop: Loop): Replays {
    const { config, db, content, lake, routes, baseUrl, now, isFull, onRetroCut } = this.#deps
    return new Replays({ config, db, loop, content: () => content.current, lake, routes, baseUrl, now, isFull, onRetroCut })
  }

  #createClock(loop: Loop, { generation }: OpenContent): CorrelationClock {
    const { db, signals, now, onTrouble } = this.#deps
    return new CorrelationClock({ db, generation, loop, signals, caughtUp: this.#caughtUp, now, onTrouble })
  }

  /** Raises alerts for rules that do not load, except those that did not load before either. */
  #reportOff(now: OpenContent, before?: OpenContent): void {
    const known = new Set(before?.generation.detectors.flatMap((d) => d.setupErrors.map(({ ruleId }) => ruleId)))
    const off = now.generation.detectors.flatMap((d) => d.setupErrors).filter(({ ruleId }) => !known.has(ruleId))
    if (off.length === 0) return
    this.loop.other(async (effects) => effectsOfOff(off, effects)).catch((error) => this.cannotReport(error))
  }

  #createLoop(): Loop {
    const { content, state, routes, baseUrl, now, depth, isFull, observe, onCommitted, onTrouble } = this.#deps
    return new Loop({
      sources: this.#open,
      generation: () => content.current.generation,
      state,
      routes,
      baseUrl,
      now,
      depth,
      isFull,
      observe,
      traces: this.#tracing?.traces,
      onCommitted: (effects) => onCommitted(effects, effects.batch.sourceId, effects.batch.receivedMs),
      onOtherCommitted: (effects) => onCommitted(effects, undefined, undefined),
      onTrouble,
    })
  }

  /**
   * Resolves when everything that arrived during downtime has been read: all sources that are being read were queried and had nothing more
   * at least once.
   */
  async #catchUp(startedMs: number): Promise<void> {
    const behind = new Set(this.#open.map(({ id }) => id))
    const { now } = this.#deps
    while (!this.#isStopping && now() < startedMs + MAX_CATCH_UP_MS) {
      for (const id of behind) if (this.#loop?.isSettled(id)) behind.delete(id)
      if (behind.size === 0 && now() >= startedMs + GRACE_MS) return
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref())
    }
  }
}
