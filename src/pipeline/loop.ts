import type { Cursor, Decision, Extent, FinishedRows, OtherEffects, RecordedBatch } from '../model/batch.ts'
import type { Chunk } from '../model/chunk.ts'
import type { RowOrigin } from '../model/schema.ts'
import type { BatchSource } from '../stages/source/source.ts'
import { type EffectsDeps, originOf } from './effects.ts'
import { endInState } from './end-in-state.ts'
import { type Retrying, retry } from './faults.ts'
import type { Generation, Making, ParsedPart } from './generation.ts'
import type { LoopDeps } from './loop-deps.ts'
import { Order } from './order.ts'
import { HERE, type PathEnd, takePath } from './path.ts'
import type { BatchPlace } from './table-writer.ts'
import { Turns } from './turns.ts'

/** Batches in progress in one thread: one is parsed while the previous one is judged and the one before that committed. */
const DEPTH = 3
/** How often sources are checked without a wake-up, which each of them sends when it has something. */
const IDLE_MS = 1000
/** Pause between two attempts at what fails, and before a source that failed is first read again. */
const PAUSE_MS = 500

/**
 * The loop takes a batch from the source whose turn it is, records its extent, and sends it down the path. Batches are judged concurrently
 * and committed in order. Disk failures are retried until they are over. A source that cannot be read waits while the others continue.
 */
export class Loop {
  readonly #deps: LoopDeps
  readonly #bySource: Map<string, BatchSource>
  readonly #turns: Turns
  #lastId = 0
  #commits: Promise<void> = Promise.resolve()
  #underWay = 0
  /** Batches that are recorded and could not be read yet, by source, in order. */
  readonly #held = new Map<string, RecordedBatch[]>()
  /** Batches in progress, by source, in order. */
  readonly #inHand = new Map<string, readonly RecordedBatch[]>()
  readonly #recordsUnderWay = new Map<string, number>()
  #stopping = false
  #failed: Error | undefined
  #wake: () => void = () => {}
  #pending = false
  readonly #pauseMs: number
  /** While set, no batch begins. */
  #gate: Promise<void> | undefined
  /** Settles when the batch has been judged. */
  readonly #judging = new Set<Promise<void>>()
  /** Sources whose last batch is being parsed in another thread, and whose next batch depends on the result. */
  readonly #parsing = new Map<string, Promise<void>>()
  readonly #order = new Order()

  constructor(deps: LoopDeps) {
    const { pauseMs = PAUSE_MS } = deps
    this.#deps = deps
    this.#pauseMs = pauseMs
    this.#bySource = new Map(deps.sources.map((source) => [source.id, source]))
    this.#turns = new Turns(deps.sources, {
      now: () => performance.now(),
      pauseMs,
      onTrouble: (sourceId, message) => deps.onTrouble(`source/${sourceId}`, message),
    })
  }

  /** Records read and not yet committed, by source. */
  get inFlight(): ReadonlyMap<string, number> {
    return this.#recordsUnderWay
  }

  /** When the source's oldest batch that is not committed was received. */
  oldestMs(sourceId: string): number | undefined {
    return (this.#inHand.get(sourceId)?.[0] ?? this.#held.get(sourceId)?.[0])?.receivedMs
  }

  /** True if the source had nothing new when last checked, and everything it returned is committed. */
  isSettled(sourceId: string): boolean {
    return this.#turns.isDry(sourceId) && !this.#inHand.get(sourceId)?.length && !this.#held.has(sourceId)
  }

  /** One more source is read from now on. The generation in force must know it. */
  add(source: BatchSource): void {
    this.#bySource.set(source.id, source)
    this.#turns.add(source)
    this.wake()
  }

  /** The source is not read any more. It must be settled. */
  remove(sourceId: string): void {
    this.#turns.remove(sourceId)
    this.#bySource.delete(sourceId)
  }

  /** A source may have something. */
  wake(): void {
    this.#pending = true
    this.#turns.refresh()
    this.#wake()
  }

  /**
   * Commits something other than a batch (a scheduled query's rows, the passing of time), in turn with the batches. `make` is called when
   * its turn has come, and again after a disk failure; it returns `undefined` for nothing. Input that was judged earlier names the
   * generation that judged it; otherwise the one in force at its turn is used. Rejects if the loop stops first, or after three failures for
   * another reason than the disk: nothing of it is stored then.
   */
  other(make: (deps: EffectsDeps) => Promise<Decision<OtherEffects> | undefined>, judgedBy?: Generation): Promise<void> {
    const { state, onOtherCommitted } = this.#deps
    const done = this.#commits.then(async () => {
      if (this.#failed) throw this.#failed
      const generation = judgedBy ?? this.#deps.generation()
      const effects = await this.#retry('state cannot be written', async () => {
        const made = await make(this.#effectsDeps(generation))
        return made && state.commit(made)
      })
      if (effects) onOtherCommitted(effects)
    })
    this.#commits = done.catch(() => {})
    return done
  }

  /**
   * Does work that must be done batch by batch, in the order in which they began, after all work passed in earlier. For batches made in
   * this thread, detectors keep that order themselves.
   */
  inOrder<T>(work: () => Promise<T>): Promise<T> {
    return this.#order.run(work)
  }

  /**
   * Calls `work` between two batches: those in progress have been judged, and none begins before it has settled. What it passes to `other`
   * immediately is committed after them and before later ones. Resolves with the time in milliseconds during which no batch could begin.
   */
  async between(work: () => void | Promise<void>): Promise<number> {
    while (this.#gate) await this.#gate
    const start = performance.now()
    let open = () => {}
    this.#gate = new Promise((resolve) => {
      open = resolve
    })
    try {
      await Promise.allSettled(this.#judging)
      await work()
      return performance.now() - start
    } finally {
      this.#gate = undefined
      open()
    }
  }

  /** Ends the loop: no new batch begins, those in progress are committed. */
  stop(): void {
    this.#stopping = true
    this.wake()
  }

  /**
   * Runs until `stop`. First repeats batches that were recorded before a crash. Batches in progress are committed before it settles,
   * however it ends.
   */
  async run(): Promise<void> {
    let failure: unknown
    try {
      await this.#cycle()
    } catch (error) {
      // What could not be begun while stopping is begun after the next start.
      if (!this.#stopping) failure = error
    }
    this.#stopping = true
    await this.#commits
    const error = this.#failed ?? failure
    if (error !== undefined) throw error
  }

  async #cycle(): Promise<void> {
    const { state, isFull } = this.#deps
    const open = await this.#retry('state cannot be read', () => state.openBatches())
    this.#lastId = Number((await this.#retry('state cannot be read', () => state.lastBatchId())) ?? 0)
    for (const batch of open) {
      if (this.#stopping) return
      await this.#begin(batch)
    }
    while (!this.#stopping && !this.#failed) {
      this.#pending = false
      await this.#beginHeld()
      const isHeld = (sourceId: string) => this.#held.has(sourceId) || this.#parsing.has(sourceId)
      const next = isFull() ? undefined : await this.#turns.next(isHeld)
      if (this.#stopping) return
      if (next) await this.#take(next.source, next.extent)
      else if (!this.#pending) await this.#sleep(Math.min(IDLE_MS, this.#turns.untilNextMs))
    }
  }

  async #take(source: BatchSource, extent: Extent): Promise<void> {
    const now = this.#deps.now()
    // Ids increase with time, also across restarts: the order of batches is the order of their ids.
    this.#lastId = Math.max(this.#lastId + 1, now * 1000)
    const batch: RecordedBatch = {
      batchId: String(this.#lastId).padStart(20, '0'),
      sourceId: source.id,
      extent,
      receivedMs: source.receivedMs(extent) ?? now,
    }
    await this.#retry('state cannot be written', () => this.#deps.state.recordBatch(batch), batch)
    await this.#begin(batch)
  }

  /** Retries batches whose source could not be read. */
  async #beginHeld(): Promise<void> {
    for (const [sourceId, held] of [...this.#held]) {
      if (this.#turns.isPausing(sourceId)) continue
      this.#held.delete(sourceId)
      for (const batch of held) if (!this.#stopping) await this.#begin(batch)
    }
  }

  /** The batch waits until its source can be read; the source's later batches queue after it. */
  #hold(batch: RecordedBatch): void {
    const held = this.#held.get(batch.sourceId)
    if (held) held.push(batch)
    else this.#held.set(batch.sourceId, [batch])
  }

  /** Reads and parses the batch; judging and committing continue in the background. */
  async #begin(batch: RecordedBatch): Promise<void> {
    const source = this.#bySource.get(batch.sourceId)
    if (!source) {
      this.#deps.onTrouble(
        `source/${batch.sourceId}`,
        `a batch of source '${batch.sourceId}' was begun earlier, but the source is no longer configured; the batch waits until it is`,
        batch,
      )
      return
    }
    while (this.#underWay >= (this.#deps.depth?.() ?? DEPTH)) await this.#oneCommitted()
    await this.#parsing.get(batch.sourceId)
    if (this.#held.has(batch.sourceId)) return this.#hold(batch)
    const trace = this.#deps.traces?.begin(batch)
    let chunks: readonly Chunk[]
    try {
      chunks = await source.read(batch.extent)
      this.#turns.worked(source.id)
      trace?.hasRead(chunks)
    } catch (error) {
      this.#turns.failed(source.id, error)
      return this.#hold(batch)
    }
    let received = 0
    const { sourceId, receivedMs } = batch
    while (this.#gate) await this.#gate
    const generation = this.#deps.generation()
    let cursor: Cursor | undefined
    if (generation.making && source.isIndependent) cursor = source.parsed(batch.extent, '')
    const onParsed = (parsed: ParsedPart) => {
      cursor ??= source.parsed(batch.extent, parsed.context)
      received = parsed.received
      this.#count(sourceId, received)
    }
    const written = generation.written?.begin(receivedMs)
    const end = endInState(batch, () => cursor!, {
      ...this.#deps,
      generation,
      retrying: this.#retryingOf(batch),
      written,
      trace,
    })
    const before = this.#commits
    let isJudged = () => {}
    const judging = new Promise<void>((resolve) => {
      isJudged = resolve
    })
    this.#judging.add(judging)
    const turn = async () => {
      isJudged()
      trace?.hasJudged()
      await before
      if (this.#failed) throw this.#failed
    }
    const path = { sourceId, receivedMs, chunks, onParsed, ...(trace && { onObserved: trace.steps }) }
    const { making } = generation
    const halves = making
      ? this.#elsewhere(making, path, originOf(batch, generation), cursor === undefined, written)
      : { ...HERE, written }
    const done = takePath(path, generation, { ...end, ...halves, turn })
    done.catch(() => {}).finally(isJudged)
    if (trace)
      done.then(
        () => trace.end(),
        () => trace.end(true),
      )
    if (written) done.catch(() => {}).finally(() => written.end())
    void judging.finally(() => this.#judging.delete(judging))
    this.#underWay++
    this.#inHand.set(sourceId, [...(this.#inHand.get(sourceId) ?? []), batch])
    this.#commits = (async () => {
      await before
      try {
        await done
        source.committed(batch.extent)
      } catch (error) {
        this.#failed ??= error instanceof Error ? error : new Error(String(error))
      } finally {
        this.#underWay--
        this.#inHand.set(sourceId, this.#inHand.get(sourceId)!.slice(1))
        this.#count(sourceId, -received)
        this.#wake()
      }
    })()
  }

  /**
   * The two halves of the path of a batch that is made in another thread; `isAwaited`: the source's next batch depends on how this one is
   * parsed.
   */
  #elsewhere(
    making: Making,
    path: Parameters<Making['make']>[0],
    origin: RowOrigin,
    isAwaited: boolean,
    written: BatchPlace | undefined,
  ): Pick<PathEnd<readonly FinishedRows[], unknown>, 'made' | 'inOrder' | 'look'> {
    const isParsed = isAwaited ? this.#awaitParsed(path.sourceId) : () => {}
    const onParsed = (parsed: ParsedPart) => {
      path.onParsed(parsed)
      isParsed()
    }
    const { run, leave } = this.#order.place()
    const made = making.make({ ...path, onParsed }, origin, written)
    made.catch(() => {
      isParsed()
      leave()
      written?.giveUp()
    })
    return { made: () => made, inOrder: run, look: written && (() => written.look()) }
  }

  /** The source's next batch waits until the returned function is called. */
  #awaitParsed(sourceId: string): () => void {
    let isParsed = () => {}
    const parsing = new Promise<void>((resolve) => {
      isParsed = () => {
        this.#parsing.delete(sourceId)
        resolve()
        this.wake()
      }
    })
    this.#parsing.set(sourceId, parsing)
    return isParsed
  }

  #count(sourceId: string, records: number): void {
    this.#recordsUnderWay.set(sourceId, (this.#recordsUnderWay.get(sourceId) ?? 0) + records)
  }

  #effectsDeps(generation: Generation): EffectsDeps {
    const { routes, baseUrl, now } = this.#deps
    return { generation, routes, baseUrl, nowMs: now() }
  }

  #retry<T>(what: string, attempt: () => Promise<T>, batch?: RecordedBatch): Promise<T> {
    return retry(what, attempt, this.#retryingOf(batch))
  }

  #retryingOf(batch?: RecordedBatch): Retrying {
    return {
      onTrouble: (message) => this.#deps.onTrouble('loop', message, batch),
      isStopping: () => this.#stopping,
      pauseMs: this.#pauseMs,
    }
  }

  async #oneCommitted(): Promise<void> {
    if (this.#failed) throw this.#failed
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = () => {}
  }

  async #sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = () => {}
  }
}
