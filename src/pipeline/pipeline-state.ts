import type { BatchEffects, Flush, FlushOutcome, FlushPart, OtherEffects, OutboxSize, RecordedBatch } from '../model/batch.ts'
import type { AlertStore } from '../stages/alert/alert-store.ts'

/** The state as the pipeline needs it; the pipeline thread is its only writer. Every method rejects when the disk cannot take it. */
export interface PipelineState {
  readonly alerts: AlertStore
  recordBatch(batch: RecordedBatch): Promise<void>
  /** Batches recorded and not done, in the order they were recorded. */
  openBatches(): Promise<readonly RecordedBatch[]>
  /** The highest batch id that is remembered, done ones too: new ones must be higher. */
  lastBatchId(): Promise<string | undefined>
  /** One transaction. Answers false, and changes nothing, when the batch was done before. */
  commitBatch(effects: BatchEffects): Promise<boolean>
  /** Does what `commitBatch` does, and takes all of it back: rejects when `commitBatch` would. */
  tryBatch(effects: BatchEffects): Promise<void>
  /** One transaction of something that is no batch. */
  commitOther(effects: OtherEffects): Promise<void>
  outboxSize(): Promise<OutboxSize>
  beginFlush(maxBytes: number, nowMs: number): Promise<Flush | undefined>
  flushParts(flush: Flush): Promise<readonly FlushPart[]>
  endFlush(flush: Flush, outcome: FlushOutcome, nowMs: number): Promise<void>
  /** Flushes that are over for all tables but one each. */
  heldFlushes(): Promise<readonly Flush[]>
}
