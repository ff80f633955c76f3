import { join } from 'node:path'
import type { FinishedRows } from '../../model/batch.ts'
import type { Event } from '../../model/event.ts'
import type { LimitHit } from '../../model/limit.ts'
import type { CacheWrite } from '../../model/match.ts'
import type { CompiledSchema } from '../../model/schema.ts'
import type { Retrying } from '../../pipeline/faults.ts'
import { eventRows } from '../../pipeline/finished-rows.ts'
import type { Observation } from '../../pipeline/generation.ts'
import { sendBatch } from '../../pipeline/made-batch.ts'
import { HERE, type PathEnd, takePath } from '../../pipeline/path.ts'
import type { EncodedBatch } from '../../pipeline/steps.ts'
import { TableReplica } from '../../pipeline/table-replica.ts'
import type { WrittenTables } from '../../pipeline/table-writer.ts'
import { MemoryStore } from '../../stages/detect/correlation/store.ts'
import type { DetectBatch, Detector } from '../../stages/detect/language.ts'
import { fromNdjson } from '../../stages/detect/ndjson.ts'
import { detectEvents } from '../../stages/detect/step.ts'
import { MissedAddresses } from '../../stages/enrich/live/missed-addresses.ts'
import { type AnyImage, openTable } from '../../stages/enrich/open.ts'
import type { Table } from '../../stages/enrich/table.ts'
import { HeaderSchemas } from '../../stages/normalise/header-schema.ts'
import { ask } from '../../util/ask.ts'
import { steadyClock } from '../../util/clock.ts'
import { messageOf } from '../../util/errors.ts'
import { type Handlers, type Remote, Transfer } from '../../util/rpc.ts'
import { closeDetectors, inheritDetectors } from '../detectors.ts'
import { createGeneration, type MadeGeneration, writtenTables } from '../generation.ts'
import { LiveTables } from '../live-tables.ts'
import { compileContent, type LoadedContent } from '../path.ts'
import type {
  AskedHeader,
  JudgeAnswer,
  MakeAnswer,
  MakeJob,
  MakerCalls,
  MakerContent,
  MakerNews,
  MakerOptions,
  MakerReport,
  RulesInMaker,
} from './maker-calls.ts'

/** A generation as it runs in a maker. */
interface Opened {
  readonly loaded: LoadedContent
  readonly generation: MadeGeneration
  readonly tables: LiveTables
  readonly left: ReadonlySet<string>
  /** Tables that events write. */
  readonly written: WrittenTables | undefined
}

/** Does the first half of the path for batches of the pipeline thread: what a maker thread runs. */
export class Maker implements Handlers<MakerCalls> {
  readonly #options: MakerOptions
  readonly #news: Remote<MakerNews>
  readonly #opening = new Map<number, Promise<Opened>>()
  readonly #opened = new Map<number, Opened>()
  readonly #retrying: Retrying
  readonly #missed: MissedAddresses
  readonly #replica: TableReplica
  #isStopping = false
  /** The batch that is being parsed: parsing is synchronous, so there is at most one. */
  #number = 0

  constructor(options: MakerOptions, news: Remote<MakerNews>) {
    this.#options = options
    this.#news = news
    this.#missed = new MissedAddresses((missed) => news.call('missed', missed), steadyClock)
    this.#replica = new TableReplica((asked) => news.call('wrote', asked))
    this.#retrying = {
      onTrouble: (message) => void news.call('trouble', message).catch(() => {}),
      isStopping: () => this.#isStopping,
    }
  }

  async open(content: MakerContent): Promise<MakerReport> {
    const opening = this.#open(content)
    this.#opening.set(content.generation, opening)
    try {
      const opened = await opening
      this.#opened.set(content.generation, opened)
      const { generation } = opened
      const logTypes = new Set(generation.detectors.flatMap((detector) => [...detector.logTypes]))
      const ruleIds = [...logTypes].map(
        (logType) => [logType, generation.detectors.flatMap((detector) => detector.ruleIds(logType))] as const,
      )
      return { hash: generation.hash, ruleIds: new Map(ruleIds), ...rulesOf(generation.detectors) }
    } catch (error) {
      this.#opening.delete(content.generation)
      throw error
    }
  }

  async prefiltered(generation: number): Promise<void> {
    await Promise.all(this.#of(generation).generation.detectors.map((detector) => detector.prefiltered))
  }

  swap({ before, next, unchanged }: { before: number; next: number; unchanged: ReadonlySet<string> }): void {
    const [old, now] = [this.#opened.get(before), this.#opened.get(next)]
    // A maker that has just replaced another one has no earlier state.
    if (old && now) inheritDetectors(now.generation.running, old.generation.running, unchanged)
  }

  async close({ generation, kept }: { generation: number; kept: number | undefined }): Promise<void> {
    const opened = await this.#opening.get(generation)?.catch(() => undefined)
    this.#opening.delete(generation)
    this.#opened.delete(generation)
    if (!opened) return
    const keeps = kept === undefined ? undefined : await this.#opening.get(kept)?.catch(() => undefined)
    await closeDetectors(opened.generation.running, keeps?.generation.running)
  }

  async putTable({ generation, image }: { generation: number; image: AnyImage }): Promise<void> {
    const { loaded, tables } = this.#opened.get(generation) ?? (await this.#opening.get(generation)) ?? {}
    if (loaded) tables?.put(tableOf(image, loaded))
  }

  async make(job: MakeJob): Promise<Transfer<MakeAnswer> | MakeAnswer> {
    try {
      return await this.#make(job)
    } catch (error) {
      return { failed: messageOf(error) }
    }
  }

  async judge({ generation, logType, ndjson }: Parameters<MakerCalls['judge']>[0]): Promise<JudgeAnswer> {
    const { tables, generation: made, written } = this.#of(generation)
    const { detectors } = made
    const cacheWrites: CacheWrite[] = []
    const limits: LimitHit[] = []
    try {
      const events = fromNdjson(ndjson, logType) as Event[]
      const onCacheWrites: DetectBatch['onCacheWrites'] = (writes, hits) => {
        cacheWrites.push(...writes)
        limits.push(...hits)
      }
      const enricher = tables.enricherWith([])(written && (await this.#replica.latest(written)))
      const findings = await detectEvents(logType, events, detectors, { onCacheWrites, tables: enricher.rows })
      return { findings, cacheWrites, limits, ...judgingOf(detectors) }
    } catch (error) {
      return { failed: messageOf(error) }
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    const all = await Promise.all([...this.#opening.values()].map((one) => one.catch(() => undefined)))
    await Promise.all(all.map((one) => one && closeDetectors(one.generation.running)))
  }

  async #open(given: MakerContent): Promise<Opened> {
    const { content, sources, roots, apart, pinned, left, generation: number } = given
    const { config, headers } = this.#options
    const headerSchemas = new HeaderSchemas((logType, header, sourceId) => {
      const question: AskedHeader = { generation: number, number: this.#number, logType, header, sourceId }
      return ask(headers, question) as object | string
    })
    const loaded: LoadedContent = { ...compileContent(content), roots, headerSchemas }
    const tables = new GivenTables(loaded, pinned, this.#missed)
    for (const image of given.tables) tables.put(tableOf(image, loaded))
    const running = given.before === undefined ? undefined : (await this.#opening.get(given.before))?.generation.running
    const generation = await createGeneration(loaded, {
      sources,
      tables,
      parser: { maxRecordBytes: config.max_record_bytes, maxDepth: config.max_depth },
      // Correlation rules need to see all batches, so they run in the pipeline thread.
      memory: new MemoryStore(),
      share: 'any-order',
      ...(running && { running }),
      detection: {
        timeoutMs: config.rule_timeout_ms,
        apart: apart && [...apart],
        compiledFolder: join(config.data_dir, 'python'),
        onOff: () => this.#reportRules(),
        prefilter: {
          ruleErrors: config.rule_errors,
          shadowEvery: config.shadow_every,
          onProblem: (message) => void this.#news.call('slower', message).catch(() => {}),
        },
      },
    })
    return { loaded, generation, tables, left, written: writtenTables(loaded) }
  }

  async #make({ number, generation: id, batch, origin, place }: MakeJob): Promise<Transfer<MakeAnswer>> {
    const { generation, loaded, left, written } = this.#of(id)
    const observations: Observation[] = []
    let encoded: EncodedBatch<readonly FinishedRows[]> | undefined
    const end: PathEnd<readonly FinishedRows[], never> = {
      ...HERE,
      written: written && this.#replica.batch(written, place),
      retrying: this.#retrying,
      observe: (step, seconds) => observations.push([step, seconds, performance.now()]),
      encodeEvents: (group) => eventRows(group, origin),
      turn: async () => {},
      times: notHere,
      encode: notHere,
      // The other half is for the pipeline's thread.
      commit: async (made) => {
        encoded = made
      },
    }
    const onParsed: Parameters<typeof takePath>[0]['onParsed'] = ({ context, received }) =>
      void this.#news.call('parsed', { number, context, received }).catch(() => {})
    this.#number = number
    await takePath({ ...batch, onParsed }, generation, end)
    const nameOf = (schema: CompiledSchema) => ({ logType: schema.name, header: loaded.headerSchemas.keyOf(schema) })
    const { made, list } = sendBatch(encoded!, { chunks: batch.chunks, left, nameOf })
    return new Transfer({ made, observations, ...judgingOf(generation.detectors) }, list)
  }

  #of(generation: number): Opened {
    const opened = this.#opened.get(generation)
    if (!opened) throw new Error(`generation ${generation} is not open in this thread`)
    return opened
  }

  #reportRules(): void {
    for (const [generation, { generation: made }] of this.#opened)
      void this.#news.call('rules', { generation, ...rulesOf(made.detectors) }).catch(() => {})
  }
}

function notHere(): never {
  throw new Error('this half of the path belongs to the pipeline thread')
}

function rulesOf(detectors: readonly Detector[]): RulesInMaker {
  return {
    off: detectors.flatMap((detector) => detector.off?.() ?? []),
    setupErrors: detectors.flatMap((detector) => detector.setupErrors),
    pids: detectors.flatMap((detector) => detector.pids ?? []),
  }
}

function judgingOf(detectors: readonly Detector[]) {
  const off = detectors.flatMap((detector) => detector.off?.() ?? [])
  return {
    missed: off.map(({ ruleId, missed }) => [ruleId, missed] as const),
    timings: detectors.flatMap((detector) => detector.timings()),
  }
}

function tableOf(image: AnyImage, { tables }: LoadedContent): Table {
  return openTable(image, tables.get(image.name)?.schema)
}

/** Tables that the pipeline's thread has built. */
class GivenTables extends LiveTables {
  readonly #loaded: LoadedContent
  readonly #pinned: MakerContent['pinned']

  constructor(loaded: LoadedContent, pinned: MakerContent['pinned'], missed: MissedAddresses) {
    super(loaded, undefined, missed)
    this.#loaded = loaded
    this.#pinned = pinned
  }

  override async pinnedFor({ id }: { readonly id: string }): Promise<readonly Table[]> {
    return (this.#pinned.get(id) ?? []).map((image) => tableOf(image, this.#loaded))
  }
}
