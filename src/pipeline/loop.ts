import type { BatchEffects, Cursor, Extent, OtherEffects, RecordedBatch } from '../model/batch.ts'
import type { Rule } from '../model/rule.ts'
import type { Detector } from '../stages/detect/language.ts'
import type { Enricher } from '../stages/enrich/table.ts'
import type { Parser, ParseSource } from '../stages/parse/parser.ts'
import type { BatchSource } from '../stages/source/source.ts'
import { messageOf } from '../util/errors.ts'
import type { Correlation } from './correlate.ts'
import { type EffectsDeps, effectsOf, type Route } from './effects.ts'
import { type JudgedBatch, judgeBatch, parseBatch, refuseBatch } from './judge.ts'
import type { PipelineState } from './pipeline-state.ts'
import { Turns } from './turns.ts'

/** A source with what the path needs to know about it. */
export interface LoopSource {
  readonly source: BatchSource
  readonly parse: ParseSource
  /** The tables in force for it; asked per batch, so a refresh counts from the next batch on. */
  readonly enricher: () => Enricher
}

export interface LoopDeps {
  readonly sources: readonly LoopSource[]
  readonly parser: Parser
  readonly detectors: readonly Detector[]
  readonly rules: ReadonlyMap<string, Rule>
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
  /** Correlation rules, if there are any. */
  readonly correlation?: Correlation | undefined
  /** What stands in the way (disk full …), or undefined when it goes on. */
  readonly onTrouble: (message: string | undefined) => void
}

/** Batches under way at once: one is parsed while the one before it is judged and the one before that committed. */
const DEPTH = 3
const RETRY_MS = 500
/** Without a wake-up, sources are asked this often. */
const IDLE_MS = 250

/**
 * The loop: takes a batch from the source whose turn it is, records its extent, parses, judges, and commits all its
 * effects in one transaction, in order. What the disk does not take is tried again until it does; nothing is dropped.
 */
export class Loop {
  readonly #deps: LoopDeps
  readonly #bySource: ReadonlyMap<string, LoopSource>
  readonly #turns: Turns
  #lastId = 0
  #commits: Promise<void> = Promise.resolve()
  #underWay = 0
  /** Batches under way, by source. */
  readonly #inHand = new Map<string, number>()
  readonly #recordsUnderWay = new Map<string, number>()
  #stopping = false
  #failed: Error | undefined
  #wake: () => void = () => {}
  #pending = false

  constructor(deps: LoopDeps) {
    this.#deps = deps
    this.#bySource = new Map(deps.sources.map((entry) => [entry.source.id, entry]))
    this.#turns = new Turns(deps.sources.map(({ source }) => source))
  }

  /** Records read and not yet committed, by source. */
  get inFlight(): ReadonlyMap<string, number> {
    return this.#recordsUnderWay
  }

  /** True when the source had nothing when it was asked last, and everything of it is committed. */
  isSettled(sourceId: string): boolean {
    return this.#turns.isDry(sourceId) && (this.#inHand.get(sourceId) ?? 0) === 0
  }

  /** A source may have something. */
  wake(): void {
    this.#pending = true
    this.#turns.refresh()
    this.#wake()
  }

  /**
   * Commits what is no batch (a scheduled query's rows, time that has passed), in turn with the batches. `make` is asked when
   * its turn has come, and again when the disk did not take it; it answers `undefined` for nothing. Rejects when the loop stops first.
   */
  other(make: (deps: EffectsDeps) => Promise<OtherEffects | undefined>): Promise<void> {
    const { state, onOtherCommitted } = this.#deps
    const done = this.#commits.then(async () => {
      if (this.#failed) throw this.#failed
      const effects = await this.#persist('state cannot be written', async () => {
        const made = await make(this.#effectsDeps())
        if (made) await state.commitOther(made)
        return made
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
    const open = await this.#persist('state cannot be read', () => state.openBatches())
    this.#lastId = Number((await this.#persist('state cannot be read', () => state.lastBatchId())) ?? 0)
    for (const batch of open) {
      if (this.#stopping) return
      await this.#begin(batch)
    }
    while (!this.#stopping && !this.#failed) {
      this.#pending = false
      const next = isFull() ? undefined : await this.#persist('a source cannot be read', () => this.#turns.next())
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
    await this.#persist('state cannot be written', () => this.#deps.state.recordBatch(batch))
    await this.#begin(batch)
  }

  /** Reads and parses the batch, then lets judging and committing go on behind it. */
  async #begin(batch: RecordedBatch): Promise<void> {
    const entry = this.#bySource.get(batch.sourceId)
    if (!entry) {
      this.#deps.onTrouble(
        `a batch of source '${batch.sourceId}' was begun before, and the source is not configured any more; it waits for it`,
      )
      return
    }
    while (this.#underWay >= DEPTH) await this.#oneCommitted()
    const { source } = entry
    const chunks = await this.#persist(`source '${source.id}' cannot be read`, () => source.read(batch.extent))
    const start = performance.now()
    const parsed = parseBatch(chunks, entry.parse, this.#deps.parser, batch.receivedMs)
    this.#deps.observe('parse', (performance.now() - start) / 1000)
    const cursor = source.parsed(batch.extent, parsed.context)
    const { detectors, observe } = this.#deps
    const judged = this.#persist('detection cannot run', () =>
      judgeBatch(parsed, { enricher: entry.enricher(), detectors, observe }),
    )
    judged.catch(() => {})
    this.#underWay++
    this.#inHand.set(batch.sourceId, (this.#inHand.get(batch.sourceId) ?? 0) + 1)
    this.#count(batch.sourceId, parsed.received)
    const before = this.#commits
    this.#commits = (async () => {
      await before
      if (this.#failed) return
      try {
        await this.#commit(batch, cursor, await judged)
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

  #count(sourceId: string, records: number): void {
    this.#recordsUnderWay.set(sourceId, (this.#recordsUnderWay.get(sourceId) ?? 0) + records)
  }

  async #commit(batch: RecordedBatch, cursor: Cursor, judged: JudgedBatch): Promise<void> {
    const { state } = this.#deps
    const start = performance.now()
    let doable = judged
    const effects = await this.#persist('state cannot be written', async () => {
      try {
        const made = await effectsOf(batch, cursor, doable, this.#effectsDeps())
        return (await state.commitBatch(made)) ? made : undefined
      } catch (error) {
        if (isOurFault(error)) doable = refuseBatch(judged, batch.sourceId, error)
        throw error
      }
    })
    if (effects) this.#deps.onCommitted(effects)
    this.#deps.observe('commit', (performance.now() - start) / 1000)
  }

  #effectsDeps(): EffectsDeps {
    const { state, rules, routes, baseUrl, now, correlation } = this.#deps
    return { rules, store: state.alerts, routes, baseUrl, nowMs: now(), correlation }
  }

  /** Tries until it works (or the loop is told to stop, then it rejects: the batch stays recorded). */
  async #persist<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        const value = await attempt()
        if (tries > 0) this.#deps.onTrouble(undefined)
        return value
      } catch (error) {
        this.#deps.onTrouble(`${what}, nothing goes on until it can: ${messageOf(error)}`)
        if (this.#stopping) throw error
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
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

/** An error that says nothing about the disk: the same batch would fail in the same way for ever. */
function isOurFault(error: unknown): boolean {
  return (
    error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError || error instanceof ReferenceError
  )
}
