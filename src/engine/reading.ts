import type { MessagePort } from 'node:worker_threads'
import type { Config, SourceConfig } from '../config/config.ts'
import type { Effects } from '../model/batch.ts'
import { effectsOfOff } from '../pipeline/effects.ts'
import { Loop, type LoopDeps } from '../pipeline/loop.ts'
import type { PipelineState } from '../pipeline/pipeline-state.ts'
import { type SpoolPort, SpoolSource } from '../pipeline/spool-source.ts'
import { type WatchedSource, watchedSource } from '../pipeline/watched-source.ts'
import { GRACE_MS } from '../stages/detect/correlation/correlator.ts'
import { sources as sourceDefinitions } from '../stages/source/index.ts'
import type { CursorDeps } from '../stages/source/source.ts'
import { cursorsOf } from '../state/batches.ts'
import type { StateDb } from '../state/db.ts'
import { find } from '../util/define.ts'
import { messageOf } from '../util/errors.ts'
import type { Started } from '../util/started.ts'
import { CorrelationClock } from './correlation-clock.ts'
import type { OpenContent } from './open-content.ts'
import type { SourceProgress } from './pipeline-calls.ts'
import { Pruning } from './retention.ts'
import { connectSpool } from './spool-port.ts'

export interface ReadingDeps {
  readonly config: Config
  readonly sources: readonly SourceConfig[]
  readonly baseUrl: string
  readonly db: StateDb
  readonly state: PipelineState
  readonly content: OpenContent
  readonly routes: LoopDeps['routes']
  readonly now: () => number
  readonly isFull: () => boolean
  readonly observe: LoopDeps['observe']
  readonly onCommitted: (effects: Effects, sourceId: string | undefined, receivedMs: number | undefined) => void
  readonly onTrouble: LoopDeps['onTrouble']
  readonly querySignals: (sql: string, maxRows: number) => Promise<readonly string[]>
  /** The loop has ended by itself: a fault. */
  readonly onFailed: (error: unknown) => void
}

/** Without a limit, sources that always have something would keep correlation from speaking. */
const MAX_CATCH_UP_MS = 600_000
const LOOK_MS = 1000
const SETTLE_MS = 20

/** What goes on once the tables are in force: sources are read, the loop runs, time passes for correlation, old state is deleted. */
export class Reading {
  readonly #deps: ReadingDeps
  readonly #open: WatchedSource[] = []
  #spool: SpoolPort | undefined
  #loop: Loop | undefined
  #isStopping = false
  #stopped: Promise<void> | undefined
  readonly #stops: (() => unknown)[] = []

  constructor(deps: ReadingDeps) {
    this.#deps = deps
  }

  /** Connects to the spool: done before anything is read, since the spool says at once what it has. */
  async connect(port: MessagePort): Promise<void> {
    this.#spool = await connectSpool(port, () => this.#loop?.wake())
  }

  /** Opens the sources and lets the loop run. `started` gets what must be closed once reading has stopped. */
  async start(started: Started): Promise<void> {
    const { config, sources, db, content, now, onTrouble, onFailed } = this.#deps
    for (const source of sources) {
      const { id } = source
      const opened = await started.step(
        `source '${id}'`,
        () => this.#openSource(source),
        (made) => made.close(),
      )
      this.#open.push(opened)
    }
    const loop = this.#createLoop()
    this.#loop = loop
    const clock = new CorrelationClock({
      db,
      correlation: content.generation.correlation,
      loop,
      querySignals: this.#deps.querySignals,
      caughtUp: () => this.#caughtUp(now()),
      now,
      onTrouble,
    })
    await clock.remember()
    const pruning = new Pruning(db, {
      retention: { deliveriesDays: config.retention.deliveries_days, alertsDays: config.retention.alerts_days },
      now,
      behind: () => this.#open.map(({ id }) => id).filter((id) => !loop.isSettled(id)),
      onTrouble: (message) => onTrouble('retention', message),
    })
    const running = loop.run()
    running.catch(onFailed)
    this.#stops.push(
      () => loop.stop(),
      () => clock.stop(),
      () => running.catch(() => {}),
      () => pruning.stop(),
    )
    void this.#caughtUp(now()).then(() => !this.#isStopping && pruning.start())
    const off = content.generation.detectors.flatMap((d) => d.setupErrors)
    if (off.length > 0) loop.other(async (effects) => effectsOfOff(off, effects)).catch((error) => this.cannotReport(error))
    clock.start()
  }

  /** The loop, once there is one. */
  get loop(): Loop {
    if (!this.#loop) throw new Error('the pipeline has not begun')
    return this.#loop
  }

  /** No further batch begins; resolves when those under way are committed. */
  stop(): Promise<void> {
    this.#isStopping = true
    this.#stopped ??= (async () => {
      for (const stop of this.#stops) await stop()
    })()
    return this.#stopped
  }

  cannotReport(error: unknown): void {
    if (!this.#isStopping)
      this.#deps.onTrouble('rules', `Rules are off, and the alert that says so cannot be made: ${messageOf(error)}`)
  }

  /** Resolves when the source has nothing to read and everything of it is committed; at once for one that is not read at all. */
  async settled(sourceId: string): Promise<void> {
    if (!this.#open.some(({ id }) => id === sourceId)) return
    while (!this.#loop?.isSettled(sourceId)) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  }

  progress(): SourceProgress[] {
    return this.#open.map((source) => ({
      id: source.id,
      inFlight: this.#loop?.inFlight.get(source.id) ?? 0,
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
    const deps: CursorDeps = { cursors, wake: () => this.#loop?.wake(), now, maxRecordBytes: config.max_record_bytes }
    return watchedSource(definition.seekable(source as never, deps), monotonic)
  }

  #createLoop(): Loop {
    const { content, state, routes, baseUrl, now, isFull, observe, onCommitted, onTrouble } = this.#deps
    return new Loop({
      sources: this.#open,
      generation: () => content.generation,
      state,
      routes,
      baseUrl,
      now,
      isFull,
      observe,
      onCommitted: (effects) => onCommitted(effects, effects.batch.sourceId, effects.batch.receivedMs),
      onOtherCommitted: (effects) => onCommitted(effects, undefined, undefined),
      onTrouble,
    })
  }

  /**
   * Resolves when what came while the program was down has been read. Sources that are read now had time to be asked, and had
   * nothing once.
   */
  async #caughtUp(startedMs: number): Promise<void> {
    const behind = new Set(this.#open.map(({ id }) => id))
    const { now } = this.#deps
    while (!this.#isStopping && now() < startedMs + MAX_CATCH_UP_MS) {
      for (const id of behind) if (this.#loop?.isSettled(id)) behind.delete(id)
      if (behind.size === 0 && now() >= startedMs + GRACE_MS) return
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref())
    }
  }
}
