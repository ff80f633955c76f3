import type { BatchEffects, Cursor, Decision, Extent, OtherEffects, RecordedBatch } from '../model/batch.ts'
import type { Chunk } from '../model/chunk.ts'
import type { Enricher } from '../stages/enrich/table.ts'
import type { BatchSource } from '../stages/source/source.ts'
import { StorageError } from '../util/errors.ts'
import { type EffectsDeps, effectsOf, type Route } from './effects.ts'
import { bindingOf, type Generation } from './generation.ts'
import { type JudgedBatch, judgeBatch, type ParsedBatch, parseBatch } from './judge.ts'
import type { PipelineState } from './pipeline-state.ts'
import { retry } from './retry.ts'
import { finishApart, judgeApart } from './take-apart.ts'
import { Turns } from './turns.ts'

export interface LoopDeps {
  readonly sources: readonly BatchSource[]
  /** The generation in force: asked once for each batch, and for whatever else is committed. */
  readonly generation: () => Generation
  readonly state: PipelineState
  readonly routes: readonly Route[]
  readonly baseUrl: string
  readonly now: () => number
  /** True while the outbox is so full that no new batch may begin. */
  readonly isFull: () => boolean
  readonly observe: (stage: string, seconds: number) => void
  /** The batch's effects are durable. */
  readonly onCommitted: (effects: BatchEffects) => void
  readonly onOtherCommitted: (effects: OtherEffects) => void
  /** What is wrong with a source (`source/<id>`), the rules' `cache` or everything (`loop`), or `undefined` once it is not any more. */
  readonly onTrouble: (what: string, message: string | undefined) => void
}

/** Batches under way at once: one is parsed while the one before it is judged and the one before that committed. */
const DEPTH = 3
/** Without a wake-up, sources are asked this often. */
const IDLE_MS = 250

/**
 * The loop: takes a batch from the source whose turn it is, records its extent, parses, judges, and commits all its
 * effects in one transaction, in order. What the disk does not take is tried again until it does. A source that cannot be read waits
 * while the others go on. A batch that fails three times for another reason is taken apart, until the part at fault is a dead letter or
 * an error of a rule.
 */
export class Loop {
  readonly #deps: LoopDeps
  readonly #bySource: ReadonlyMap<string, BatchSource>
  readonly #turns: Turns
  #lastId = 0
  #commits: Promise<void> = Promise.resolve()
  #underWay = 0
  /** Batches that are recorded and could not be read yet, by source, in order. */
  readonly #held = new Map<string, RecordedBatch[]>()
  /** Batches under way, by source. */
  readonly #inHand = new Map<string, number>()
  readonly #recordsUnderWay = new Map<string, number>()
  #stopping = false
  #failed: Error | undefined
  #wake: () => void = () => {}
  #pending = false

  constructor(deps: LoopDeps) {
    this.#deps = deps
    this.#bySource = new Map(deps.sources.map((source) => [source.id, source]))
    this.#turns = new Turns(deps.sources, {
      now: () => performance.now(),
      onTrouble: (sourceId, message) => deps.onTrouble(`source/${sourceId}`, message),
    })
  }

  /** Records read and not yet committed, by source. */
  get inFlight(): ReadonlyMap<string, number> {
    return this.#recordsUnderWay
  }

  /** True when the source had nothing when it was asked last, and everything of it is committed. */
  isSettled(sourceId: string): boolean {
    return this.#turns.isDry(sourceId) && (this.#inHand.get(sourceId) ?? 0) === 0 && !this.#held.has(sourceId)
  }

  /** A source may have something. */
  wake(): void {
    this.#pending = true
    this.#turns.refresh()
    this.#wake()
  }

  /**
   * Commits what is no batch (a scheduled query's rows, time that has passed), in turn with the batches. `make` is called when
   * its turn has come, and again when the disk did not take it; it returns `undefined` for nothing. What was judged before names the
   * generation that judged it; else it is the one in force when the turn comes. Rejects when the loop stops first, or
   * when it fails three times for another reason than the disk: then nothing of it is kept.
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

  /** Ends the loop: no new batch begins, those under way are committed. */
  stop(): void {
    this.#stopping = true
    this.wake()
  }

  /**
   * Runs until `stop`. First makes again what was recorded before a crash. Batches under way are committed before it
   * settles, however it ends.
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
      const next = isFull() ? undefined : await this.#turns.next((sourceId) => this.#held.has(sourceId))
      if (this.#stopping) return
      if (next) await this.#take(next.source, next.extent)
      else if (!this.#pending) await this.#sleep(IDLE_MS)
    }
  }

  async #take(source: BatchSource, extent: Extent): Promise<void> {
    const now = this.#deps.now()
    // Ids rise with time, also over restarts: the order of batches is the order of their ids.
    this.#lastId = Math.max(this.#lastId + 1, now * 1000)
    const batch: RecordedBatch = {
      batchId: String(this.#lastId).padStart(20, '0'),
      sourceId: source.id,
      extent,
      receivedMs: source.receivedMs(extent) ?? now,
    }
    await this.#retry('state cannot be written', () => this.#deps.state.recordBatch(batch))
    await this.#begin(batch)
  }

  /** Tries again to read batches whose source could not be read. */
  async #beginHeld(): Promise<void> {
    for (const [sourceId, held] of [...this.#held]) {
      if (this.#turns.isPausing(sourceId)) continue
      this.#held.delete(sourceId)
      for (const batch of held) if (!this.#stopping) await this.#begin(batch)
    }
  }

  /** The batch waits until its source can be read; those of the same source that come after it wait behind it. */
  #hold(batch: RecordedBatch): void {
    const held = this.#held.get(batch.sourceId)
    if (held) held.push(batch)
    else this.#held.set(batch.sourceId, [batch])
  }

  /** Reads and parses the batch, then lets judging and committing go on behind it. */
  async #begin(batch: RecordedBatch): Promise<void> {
    const source = this.#bySource.get(batch.sourceId)
    if (!source) {
      this.#deps.onTrouble(
        `source/${batch.sourceId}`,
        `a batch of source '${batch.sourceId}' was begun before, and the source is not configured any more; it waits for it`,
      )
      return
    }
    while (this.#underWay >= DEPTH) await this.#oneCommitted()
    if (this.#held.has(batch.sourceId)) return this.#hold(batch)
    let chunks: readonly Chunk[]
    try {
      chunks = await source.read(batch.extent)
      this.#turns.worked(source.id)
    } catch (error) {
      this.#turns.failed(source.id, error)
      return this.#hold(batch)
    }
    const start = performance.now()
    const generation = this.#deps.generation()
    const { parse, enricher } = bindingOf(generation, source.id)
    const parsed = parseBatch(chunks, parse, generation.parser, batch.receivedMs)
    this.#deps.observe('parse', (performance.now() - start) / 1000)
    const cursor = source.parsed(batch.extent, parsed.context)
    const judged = this.#judge(parsed, source.id, { enricher: enricher(), detectors: generation.detectors })
    judged.catch(() => {})
    this.#underWay++
    this.#inHand.set(batch.sourceId, (this.#inHand.get(batch.sourceId) ?? 0) + 1)
    this.#count(batch.sourceId, parsed.received)
    const before = this.#commits
    this.#commits = (async () => {
      await before
      if (this.#failed) return
      try {
        await this.#commit(batch, cursor, await judged, generation)
        source.committed(batch.extent)
      } catch (error) {
        this.#failed = error instanceof Error ? error : new Error(String(error))
      } finally {
        this.#underWay--
        this.#inHand.set(batch.sourceId, (this.#inHand.get(batch.sourceId) ?? 1) - 1)
        this.#count(batch.sourceId, -parsed.received)
        this.#wake()
      }
    })()
  }

  async #judge(
    parsed: ParsedBatch,
    sourceId: string,
    by: { readonly enricher: Enricher; readonly detectors: Generation['detectors'] },
  ): Promise<JudgedBatch> {
    const deps = { ...by, observe: this.#deps.observe }
    return this.#retry('detection cannot run', () => judgeBatch(parsed, deps)).catch((error: unknown) => {
      if (this.#stopping) throw error
      return this.#retry('detection cannot run', () => judgeApart(parsed, sourceId, deps))
    })
  }

  #count(sourceId: string, records: number): void {
    this.#recordsUnderWay.set(sourceId, (this.#recordsUnderWay.get(sourceId) ?? 0) + records)
  }

  async #commit(batch: RecordedBatch, cursor: Cursor, judged: JudgedBatch, generation: Generation): Promise<void> {
    const { state } = this.#deps
    const start = performance.now()
    const keep = async (doable: JudgedBatch) => {
      return state.commitBatch(batch, await effectsOf(batch, cursor, doable, this.#effectsDeps(generation)))
    }
    const what = 'state cannot be written'
    const effects = await this.#retry(what, () => keep(judged)).catch(async (error: unknown) => {
      if (this.#stopping || error instanceof StorageError) throw error
      const attempt = async (part: JudgedBatch) => {
        await state.tryBatch(batch, await effectsOf(batch, cursor, part, this.#effectsDeps(generation)))
      }
      const dropped: string[] = []
      const onDropped = (message: string) => {
        dropped.push(message)
        this.#deps.onTrouble('cache', dropped.join('; '))
      }
      const rest = await this.#retry(what, () => finishApart(batch, judged, attempt, onDropped))
      return this.#retry(what, () => keep(rest))
    })
    if (effects) this.#deps.onCommitted(effects)
    this.#deps.observe('commit', (performance.now() - start) / 1000)
  }

  #effectsDeps(generation: Generation): EffectsDeps {
    const { routes, baseUrl, now } = this.#deps
    return { generation, routes, baseUrl, nowMs: now() }
  }

  #retry<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    return retry(what, attempt, {
      onTrouble: (message) => this.#deps.onTrouble('loop', message),
      isStopping: () => this.#stopping,
    })
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
