import { hash, randomBytes } from 'node:crypto'
import type { AlertWindow } from '../model/alert.ts'
import type { BatchEffects, RecordedBatch } from '../model/batch.ts'
import type { Chunk } from '../model/chunk.ts'
import type { Attributes, Span, SpanEvent } from '../telemetry/tracing/span.ts'
import type { Observation } from './generation.ts'

export interface BatchTracesDeps {
  /** This node, which is part of what the trace's id is made of: ids of batches are only unique where they were given. */
  readonly node: string
  /** Share of batches to trace, 0 to 1. */
  readonly sample: number
  /** Called once for each traced batch, with all its spans. */
  readonly onSpans: (spans: readonly Span[]) => void
  /** Epoch ms. */
  readonly now?: () => number
  /** Milliseconds; only differences are meaningful. Clocks are set, this is not. */
  readonly monotonic?: () => number
  /** 16 hex digits, never the same. */
  readonly spanId?: () => string
}

/** Alerts that a span names; a storm opens thousands. */
const MAX_EVENTS = 32
const ROOT = 'batch'

/** Decides which batches are traced. */
export class BatchTraces {
  readonly #deps: Required<BatchTracesDeps>

  constructor(deps: BatchTracesDeps) {
    this.#deps = {
      now: Date.now,
      monotonic: () => performance.now(),
      spanId: randomIds(),
      ...deps,
    }
  }

  /** Called when the batch is about to be read. Absent: it is not traced, which follows from its id, so that it is the same after a crash. */
  begin(batch: RecordedBatch): BatchTrace | undefined {
    const { node, sample } = this.#deps
    if (shareOf(batch.batchId) >= sample) return undefined
    return new BatchTrace(batch, hash('sha256', `${node}\0${batch.sourceId}\0${batch.batchId}`).slice(0, 32), this.#deps)
  }
}

/** Random bytes are fetched for many ids at once: each call costs more than the rest of a span. */
function randomIds(): () => string {
  let bytes = randomBytes(0)
  let at = 0
  return () => {
    if (at === bytes.length) [bytes, at] = [randomBytes(4096), 0]
    at += 8
    return bytes.toString('hex', at - 8, at)
  }
}

/** A number from 0 to below 1 that the id determines, as good as random. */
function shareOf(batchId: string): number {
  return Number.parseInt(hash('sha256', batchId).slice(0, 12), 16) / 2 ** 48
}

/** The times of one batch, from its receipt until it is committed. */
export class BatchTrace {
  readonly #deps: Required<BatchTracesDeps>
  readonly #root: Pick<Span, 'traceId' | 'spanId'>
  readonly #startMs: number
  readonly #spans: Span[] = []
  readonly #events: SpanEvent[] = []
  #attributes: Attributes
  #dropped = 0
  /** What to add to the monotonic clock to have epoch ms, all through this batch. */
  readonly #offsetMs: number
  /** Since when it waits for those before it to be committed. */
  #judgedMs: number | undefined

  constructor(batch: RecordedBatch, traceId: string, deps: Required<BatchTracesDeps>) {
    this.#deps = deps
    this.#root = { traceId, spanId: deps.spanId() }
    const nowMs = deps.now()
    this.#offsetMs = nowMs - deps.monotonic()
    // The clock of the node that received it may be ahead.
    this.#startMs = Math.min(batch.receivedMs, nowMs)
    this.#attributes = { 'caracal.source': batch.sourceId, 'caracal.batch': batch.batchId, 'caracal.node': deps.node }
    this.#add('wait', this.#startMs, nowMs)
  }

  /** The batch has been read: its bytes are those that are parsed. */
  hasRead(chunks: readonly Chunk[]): void {
    this.#add('read', this.#spans[0]!.endMs, this.#nowMs)
    this.#set({ 'caracal.bytes': chunks.reduce((sum, { bytes }) => sum + bytes.length, 0) })
  }

  /** A step of the path ended just now. */
  step(step: string, seconds: number): void {
    const endMs = this.#nowMs
    const startMs = endMs - seconds * 1000
    if (step === 'commit' && this.#judgedMs !== undefined) this.#add('turn', this.#judgedMs, startMs)
    this.#add(step, startMs, endMs)
  }

  /**
   * Steps that were done elsewhere, whose answer has just arrived. Only their distances are known: clocks of other nodes differ. The last of
   * them ended no later than now.
   */
  readonly steps = (observations: readonly Observation[], node: string | undefined): void => {
    const lastMs = observations.at(-1)?.[2] ?? 0
    const nowMs = this.#nowMs
    const floorMs = this.#spans.at(-1)!.endMs
    for (const [step, seconds, endedMs] of observations) {
      const endMs = Math.max(floorMs, nowMs - (lastMs - endedMs))
      this.#add(step, Math.max(floorMs, endMs - seconds * 1000), endMs, node === undefined ? {} : { 'caracal.node': node })
    }
  }

  /** From now on it waits for its turn. */
  hasJudged(): void {
    this.#judgedMs = this.#nowMs
  }

  /** Its effects are durable. */
  committed({ counts, findings, opened }: BatchEffects): void {
    const records = (outcome: string) => counts.reduce((sum, count) => (count.outcome === outcome ? sum + count.n : sum), 0)
    this.#set({
      'caracal.records.received': records('received'),
      'caracal.records.stored': records('stored'),
      'caracal.records.filtered': records('filtered'),
      'caracal.records.dead_lettered': records('dead_lettered'),
      'caracal.matches': [...findings.matches.values()].reduce((sum, n) => sum + n, 0),
      'caracal.alerts': opened.length,
    })
    const atMs = this.#nowMs
    this.#events.push(...opened.slice(0, MAX_EVENTS).map((alert) => eventOf(alert, atMs)))
    this.#dropped = Math.max(0, opened.length - MAX_EVENTS)
  }

  /** Nothing more happens to it. `isFailed`: it was not committed. */
  end(isFailed = false): void {
    const root: Span = {
      ...this.#root,
      name: ROOT,
      startMs: this.#startMs,
      endMs: this.#nowMs,
      attributes: this.#attributes,
      events: this.#events,
      droppedEvents: this.#dropped,
      isFailed,
    }
    this.#deps.onSpans([root, ...this.#spans])
  }

  get #nowMs(): number {
    return this.#deps.monotonic() + this.#offsetMs
  }

  #set(attributes: Attributes): void {
    this.#attributes = { ...this.#attributes, ...attributes }
  }

  #add(name: string, startMs: number, endMs: number, attributes: Attributes = {}): void {
    const { traceId, spanId } = this.#root
    this.#spans.push({ traceId, spanId: this.#deps.spanId(), parentId: spanId, name, startMs, endMs, attributes })
  }
}

/** Titles and dedup strings are made of what was logged, so they are not in it. */
function eventOf({ alertId, ruleId, severity }: AlertWindow, atMs: number): SpanEvent {
  return { name: 'alert', atMs, attributes: { 'caracal.alert': alertId, 'caracal.rule': ruleId, 'caracal.severity': severity } }
}
