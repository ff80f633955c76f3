import type { BatchEffects, OtherEffects, RecordedBatch } from '../model/batch.ts'
import type { BatchSource } from '../stages/source/source.ts'
import type { BatchTraces } from './batch-trace.ts'
import type { Route } from './deliveries.ts'
import type { Generation } from './generation.ts'
import type { PipelineState } from './pipeline-state.ts'

/** What the loop needs, and whom it tells. */
export interface LoopDeps {
  /** Pause after a failure in milliseconds; default 500. */
  readonly pauseMs?: number
  readonly sources: readonly BatchSource[]
  /** The generation in force: read once for each batch, and for every other commit. */
  readonly generation: () => Generation
  readonly state: PipelineState
  readonly routes: readonly Route[]
  readonly baseUrl: string
  readonly now: () => number
  /** Maximum number of batches in progress. Absent: as many as one thread can use. */
  readonly depth?: (() => number) | undefined
  /** True while the outbox is too full for new batches. */
  readonly isFull: () => boolean
  readonly observe: (stage: string, seconds: number) => void
  /** The batch's effects are durable. */
  readonly onCommitted: (effects: BatchEffects) => void
  readonly onOtherCommitted: (effects: OtherEffects) => void
  /** Absent: no batch is traced. */
  readonly traces?: BatchTraces | undefined
  /**
   * What is wrong with a source (`source/<id>`), the rules' `cache` or everything (`loop`); `undefined` once it works again. `batch`: the one
   * that met it.
   */
  readonly onTrouble: (what: string, message: string | undefined, batch?: RecordedBatch) => void
}
