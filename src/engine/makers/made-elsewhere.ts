import type { TransferListItem } from 'node:worker_threads'
import type { FinishedRows } from '../../model/batch.ts'
import type { Chunk } from '../../model/chunk.ts'
import type { CompiledSchema, RowOrigin } from '../../model/schema.ts'
import type { Making, ParsedPart } from '../../pipeline/generation.ts'
import { receiveBatch, type SchemaName } from '../../pipeline/made-batch.ts'
import type { PathBatch } from '../../pipeline/path.ts'
import type { EncodedBatch } from '../../pipeline/steps.ts'
import type { BatchPlace } from '../../pipeline/table-writer.ts'
import type { DetectBatch } from '../../stages/detect/language.ts'
import { imageOf } from '../../stages/enrich/open.ts'
import type { Table } from '../../stages/enrich/table.ts'
import { contentParts, hashOf } from '../content-parts.ts'
import type { ContentSource, MadeGeneration } from '../generation.ts'
import type { LiveTables } from '../live-tables.ts'
import type { LoadedContent } from '../path.ts'
import { withoutDeadly } from './deadly.ts'
import type { MakeAnswer } from './maker-calls.ts'
import { DeadlyWork, type Makers } from './makers.ts'
import { RulesInMakers } from './rules.ts'
import type { Work } from './seats.ts'

export interface MadeElsewhereDeps {
  readonly makers: Makers
  readonly loaded: LoadedContent
  readonly tables: LiveTables
  readonly sources: readonly ContentSource[]
  /** The same generation in this thread, with the rules that remember. */
  readonly own: MadeGeneration
  readonly apart: readonly string[] | undefined
  readonly before: MadeElsewhere | undefined
  /** A rule went off or is on again. */
  readonly onOff: () => void
  /** Seconds that a step took. */
  readonly observe: (step: string, seconds: number) => void
}

/** A generation in the makers, which do the first half of its batches' path. */
export class MadeElsewhere implements Making {
  readonly rules: RulesInMakers
  readonly #makers: Makers
  /** Its number in the makers. */
  readonly generation: number
  readonly #observe: MadeElsewhereDeps['observe']
  readonly #schemas: ReadonlyMap<string, CompiledSchema>
  readonly #loaded: LoadedContent

  private constructor(deps: MadeElsewhereDeps, generation: number, rules: RulesInMakers) {
    this.#makers = deps.makers
    this.generation = generation
    this.#observe = deps.observe
    this.#loaded = deps.loaded
    this.rules = rules
    const schemas = [...deps.own.sources.values()].flatMap(({ parse }) => parse.schemas)
    this.#schemas = new Map(schemas.map((schema) => [schema.name, schema]))
  }

  /** If the generation cannot be prepared, rejects and leaves nothing of it in any maker. */
  static async open(deps: MadeElsewhereDeps): Promise<MadeElsewhere> {
    const { makers, loaded, tables, own, sources, apart, before, onOff } = deps
    // Correlation rules need to see all batches, so they run in the pipeline thread.
    const content = { ...loaded.content, correlationRules: [] }
    const hash = hashOf(contentParts(content, sources))
    let rules: RulesInMakers | undefined
    const { generation, reports } = await makers.open({
      before: before?.generation,
      content: () => ({
        content,
        sources: sources.map(ofContent),
        roots: loaded.roots,
        apart,
        left: new Set(own.detectors.flatMap((detector) => [...detector.logTypes])),
        tables: tables.inForce.map(imageOf),
        pinned: new Map([...own.pinned].map(([sourceId, pinned]) => [sourceId, pinned.map(imageOf)])),
      }),
      describe: ({ logType, header, sourceId }) => loaded.headerSchemas.describe(logType, header, sourceId),
      onReport: (maker, report, built) => {
        if (built !== undefined && built !== hash)
          throw new Error(`a maker built another generation from the same content: ${built}, not ${hash}`)
        rules?.report(maker, report)
        onOff()
      },
      onGone: (maker) => rules?.gone(maker),
    })
    const evaluate = (batch: DetectBatch) => made.#evaluate(batch)
    rules = new RulesInMakers(reports, { evaluate, prefiltered: makers.prefiltered(generation) })
    const made: MadeElsewhere = new MadeElsewhere(deps, generation, rules)
    return made
  }

  async make(
    { onParsed, onObserved, ...batch }: Parameters<Making['make']>[0],
    origin: RowOrigin,
    written?: Pick<BatchPlace, 'number' | 'giveUp'>,
  ): Promise<EncodedBatch<readonly FinishedRows[]>> {
    let isParsed = false
    const once = (parsed: ParsedPart) => {
      if (!isParsed) onParsed(parsed)
      isParsed = true
    }
    const run = async (chunks: readonly Chunk[]) => {
      const { answer, seat, node } = await this.#makers.run({
        ...this.#workOf({ ...batch, chunks }, origin, written?.number),
        onParsed: once,
      })
      if ('failed' in answer) throw new Error(answer.failed)
      this.rules.judged(seat, answer)
      for (const [step, seconds] of answer.observations) this.#observe(step, seconds)
      onObserved?.(answer.observations, node)
      return receiveBatch(answer.made, chunks, (name) => this.#schemaOf(name))
    }
    try {
      return await run(batch.chunks)
    } catch (error) {
      if (!(error instanceof DeadlyWork)) throw error
      // Later batches wait for what it writes, and it is still unknown which of its records can be read.
      written?.giveUp()
      return run(await withoutDeadly(batch.chunks, (chunks) => this.#survives({ ...batch, chunks }, origin)))
    }
  }

  putTable(table: Table): void {
    this.#makers.tell('putTable', { generation: this.generation, image: imageOf(table) })
  }

  /** From now on it is in force. */
  swap(before: MadeElsewhere | undefined, unchanged: ReadonlySet<string>): void {
    if (before) this.#makers.tell('swap', { before: before.generation, next: this.generation, unchanged })
  }

  close(kept?: MadeElsewhere): Promise<void> {
    return this.#makers.close(this.generation, kept?.generation)
  }

  /** Whether a thread lives on after it has made these chunks, whatever it makes of them. */
  async #survives(batch: Omit<PathBatch, 'onParsed'>, origin: RowOrigin): Promise<boolean> {
    try {
      await this.#makers.run({ ...this.#workOf(batch, origin, undefined), isTrial: true })
      return true
    } catch (error) {
      if (error instanceof DeadlyWork) return false
      throw error
    }
  }

  #workOf(
    { sourceId, receivedMs, chunks }: Omit<PathBatch, 'onParsed'>,
    origin: RowOrigin,
    place: number | undefined,
  ): Work<MakeAnswer> {
    const generation = this.generation
    return {
      generation,
      ask: (maker, number) => {
        const list: TransferListItem[] = []
        const batch = { sourceId, receivedMs, chunks: chunks.map((chunk) => copyOf(chunk, list)) }
        return maker.move('make', { number, generation, batch, origin, place }, list)
      },
    }
  }

  /** Events that are not a source's batch. */
  async #evaluate({ logType, ndjson, onCacheWrites }: DetectBatch) {
    const generation = this.generation
    const { answer, seat } = await this.#makers.run({
      generation,
      ask: (maker) => maker.call('judge', { generation, logType, ndjson }),
    })
    if ('failed' in answer) throw new Error(answer.failed)
    const { findings, cacheWrites, limits } = answer
    this.rules.judged(seat, answer)
    if (cacheWrites.length + limits.length > 0) onCacheWrites?.(cacheWrites, limits)
    return findings
  }

  #schemaOf({ logType, header }: SchemaName): CompiledSchema {
    if (header !== undefined) return this.#loaded.headerSchemas.byKey(header)
    const schema = this.#schemas.get(logType)
    if (!schema) throw new Error(`a thread produced events of ${logType}, for which no source has a schema`)
    return schema
  }
}

/**
 * A copy of a chunk to transfer to another thread: this thread keeps the original, to make the batch again and for the text of
 * records.
 */
function copyOf(chunk: Chunk, list: TransferListItem[]): Chunk {
  const copy = <T extends Uint8Array | Uint32Array>(view: T): T => {
    const own = view.slice() as T
    list.push(own.buffer as ArrayBuffer)
    return own
  }
  const { bytes, records, faults, ...rest } = chunk
  return {
    ...rest,
    bytes: copy(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)),
    ...(records && { records: copy(records) }),
    faults: faults.map((fault) => ({ ...fault, raw: new Uint8Array(fault.raw) })),
  }
}

/** What a maker needs to know about a source. */
function ofContent({ id, label, log_types, tables, filters, sampling }: ContentSource): ContentSource {
  return { id, label, log_types, sampling, ...(tables && { tables }), ...(filters && { filters }) }
}
