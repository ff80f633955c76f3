import type {
  BatchEffects,
  Decision,
  Flush,
  FlushOutcome,
  FlushPart,
  OtherEffects,
  OutboxSize,
  RecordedBatch,
} from '../model/batch.ts'

/** The state as the pipeline needs it. Every method rejects with `StorageError` when the disk cannot take it. */
export interface PipelineState {
  recordBatch(batch: RecordedBatch): Promise<void>
  /** Batches recorded and not done, in the order they were recorded. */
  openBatches(): Promise<readonly RecordedBatch[]>
  /** The highest batch id that is remembered, done ones too: new ones must be higher. */
  lastBatchId(): Promise<string | undefined>
  /**
   * One transaction: decides under the locks of the decision's groups, and keeps what was decided. Resolves with that; with `undefined`,
   * having decided and changed nothing, when the batch was done before.
   */
  commitBatch(batch: RecordedBatch, decision: Decision<BatchEffects>): Promise<BatchEffects | undefined>
  /** Does what `commitBatch` does, and takes all of it back: rejects when `commitBatch` would. */
  tryBatch(batch: RecordedBatch, decision: Decision<BatchEffects>): Promise<void>
  /** As `commitBatch`, for what is no batch: a scheduled query's rows, time that has passed, system problems. */
  commit<E extends OtherEffects | undefined>(decision: Decision<E>): Promise<E>
  outboxSize(): Promise<OutboxSize>
  beginFlush(maxBytes: number, nowMs: number): Promise<Flush | undefined>
  flushParts(flush: Flush): Promise<readonly FlushPart[]>
  endFlush(flush: Flush, outcome: FlushOutcome, nowMs: number): Promise<void>
  /** Flushes that are over for all tables but one each. */
  heldFlushes(): Promise<readonly Flush[]>
}
