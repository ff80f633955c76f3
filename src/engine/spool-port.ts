import type { MessagePort } from 'node:worker_threads'
import type { SpoolPort } from '../pipeline/spool-source.ts'
import { Rpc } from '../util/rpc.ts'
import type { NextBodies, SpoolNews, SpoolReads } from './spool-calls.ts'

/** A source that had nothing and of which there was no news is asked again after this time. Shorter than the loop's own pause. */
const ASK_AGAIN_MS = 900

/**
 * The pipeline's end of the spool. `onSpooled` is called when a source has new bodies; sources without any are not asked each time another
 * one has something, since each question is a message to another thread and back. `now` is monotonic, milliseconds.
 */
export function connectSpool(
  port: MessagePort,
  onSpooled: (sourceId: string) => void,
  now: () => number = () => performance.now(),
): SpoolPort {
  /** When sources that had nothing were asked. */
  const empty = new Map<string, number>()
  /** What the last source that had something answered, until it is read: usually next, and then without another question. */
  let fetched: (NextBodies & { readonly sourceId: string }) | undefined
  const spooled = (sourceId: string) => {
    empty.delete(sourceId)
    onSpooled(sourceId)
  }
  const rpc = new Rpc<SpoolReads, SpoolNews>(port, { spooled })
  return {
    next: async (sourceId, after) => {
      const nowMs = now()
      if (nowMs - (empty.get(sourceId) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) return undefined
      // Before the answer, so that news that arrives before it counts.
      empty.set(sourceId, nowMs)
      const forget = () => void empty.delete(sourceId)
      const found = await rpc.call('next', { sourceId, after }).catch((error) => {
        forget()
        throw error
      })
      if (!found) return undefined
      forget()
      fetched = { ...found, sourceId }
      return found.range
    },
    read: async (sourceId, range) => {
      const known = fetched
      fetched = undefined
      const isThat = known?.sourceId === sourceId && known.range.epoch === range.epoch && known.range.from === range.from
      if (isThat && known.range.to === range.to && known.bodies) return known.bodies
      return rpc.call('read', { sourceId, range })
    },
    free: (sourceId, upTo) => void rpc.call('free', { sourceId, upTo }).catch(() => {}),
  }
}
