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

/** The state as the pipeline needs it. Every method rejects with `StorageError` if the disk cannot be written. */
export interface PipelineState {
  recordBatch(batch: RecordedBatch): Promise<void>
  /** Batches recorded and not done, in the order in which they were recorded. */
  openBatches(): Promise<readonly RecordedBatch[]>
  /** The highest stored batch id, including those of done batches: new ids must be higher. */
  lastBatchId(): Promise<string | undefined>
  /**
   * One transaction: decides under the locks of the decision's groups, and stores the decision. Resolves with it; with `undefined`, having
   * decided and changed nothing, if the batch was already done.
   */
  commitBatch(batch: RecordedBatch, decision: Decision<BatchEffects>): Promise<BatchEffects | undefined>
  /** Does what `commitBatch` does, and rolls it back: rejects if `commitBatch` would. */
  tryBatch(batch: RecordedBatch, decision: Decision<BatchEffects>): Promise<void>
  /** Like `commitBatch`, for everything but batches: a scheduled query's rows, the passing of time, system problems. */
  commit<E extends OtherEffects | undefined>(decision: Decision<E>): Promise<E>
  outboxSize(): Promise<OutboxSize>
  beginFlush(maxBytes: number, nowMs: number): Promise<Flush | undefined>
  flushParts(flush: Flush): Promise<readonly FlushPart[]>
  endFlush(flush: Flush, outcome: FlushOutcome, nowMs: number): Promise<void>
  /** Flushes that are over for all tables except one each. */
  heldFlushes(): Promise<readonly Flush[]>
}
