import type { BatchEffects, Cursor, FinishedRows, RecordedBatch } from '../model/batch.ts'
import type { Judged } from '../stages/alert/step.ts'
import type { BatchTrace } from './batch-trace.ts'
import type { Routing } from './deliveries.ts'
import { effectsOf, originOf } from './effects.ts'
import type { Retrying } from './faults.ts'
import { eventRows } from './finished-rows.ts'
import type { Generation } from './generation.ts'
import type { PathEnd } from './path.ts'
import type { PipelineState } from './pipeline-state.ts'
import type { BatchPlace } from './table-writer.ts'
import { commitBatch } from './take-apart.ts'
import { withWrite } from './written-table-rows.ts'

export interface StateEndDeps extends Routing {
  readonly state: PipelineState
  readonly generation: Generation
  readonly retrying: Retrying
  readonly now: () => number
  readonly observe: (step: string, seconds: number) => void
  /** The batch among those that write tables. */
  readonly written?: Pick<BatchPlace, 'write'> | undefined
  /** The batch's effects are durable. Not called if they already were. */
  readonly onCommitted: (effects: BatchEffects) => void
  /** Absent: the batch is not traced. */
  readonly trace?: BatchTrace | undefined
  /** Reports entries that the rules' `cache` could not store, and parts that a batch lost. */
  readonly onTrouble: (what: string, message: string | undefined, batch: RecordedBatch) => void
}

/** The end of the path in `up`: one transaction of the state. `cursor` is known once the batch is parsed. */
export function endInState(
  batch: RecordedBatch,
  cursor: () => Cursor,
  deps: StateEndDeps,
): Omit<PathEnd<readonly FinishedRows[], BatchEffects>, 'turn' | 'made' | 'inOrder'> {
  const { state, retrying, now, trace, onCommitted, onTrouble } = deps
  const observe = (step: string, seconds: number) => {
    deps.observe(step, seconds)
    trace?.step(step, seconds)
  }
  const origin = () => originOf(batch, deps.generation)
  return {
    retrying,
    observe,
    encodeEvents: (group) => eventRows(group, origin()),
    times: () => ({ atMs: (item) => receivedMsOf(item, batch), signalsMs: batch.receivedMs, nowMs: now() }),
    encode: (grouped) => withWrite(effectsOf(batch, cursor(), grouped, origin(), deps), deps.written?.write),
    commit: async (judged, finish) => {
      const start = performance.now()
      const dropped: string[] = []
      const effects = await commitBatch(batch.sourceId, judged, {
        what: 'state cannot be written',
        keep: async (part) => state.commitBatch(batch, await finish(part)),
        attempt: async (part) => state.tryBatch(batch, await finish(part)),
        onDropped: (message) => {
          dropped.push(message)
          onTrouble('cache', dropped.join('; '), batch)
        },
        retrying,
      })
      if (effects) {
        trace?.committed(effects)
        onCommitted(effects)
      }
      observe('commit', (performance.now() - start) / 1000)
    },
  }
}

/** The record's own receive time, not its batch's: batch boundaries are arbitrary. */
function receivedMsOf({ event }: Judged, batch: RecordedBatch): number {
  return event ? Date.parse(event.p_parse_time) : batch.receivedMs
}
