import type { Decision, OtherEffects } from '../model/batch.ts'
import { lastBatchId, openBatches, recordBatch } from './batches.ts'
import { commit, commitBatch, tryBatch } from './commit.ts'
import { correlationStore } from './correlation.ts'
import type { StateDb } from './db.ts'
import { beginFlush, endFlush, flushParts, heldFlushes, outboxSize } from './outbox.ts'

/** The state as the pipeline needs it. */
export function pipelineState(db: StateDb) {
  return {
    recordBatch: recordBatch.bind(undefined, db),
    openBatches: openBatches.bind(undefined, db),
    lastBatchId: lastBatchId.bind(undefined, db),
    commitBatch: commitBatch.bind(undefined, db),
    tryBatch: tryBatch.bind(undefined, db),
    commit: <E extends OtherEffects | undefined>(decision: Decision<E>) => commit(db, decision),
    correlation: correlationStore(db),
    outboxSize: outboxSize.bind(undefined, db),
    beginFlush: beginFlush.bind(undefined, db),
    flushParts: flushParts.bind(undefined, db),
    endFlush: endFlush.bind(undefined, db),
    heldFlushes: heldFlushes.bind(undefined, db),
  }
}
