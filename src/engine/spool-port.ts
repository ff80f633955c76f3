import type { MessagePort } from 'node:worker_threads'
import type { SpoolPort } from '../pipeline/spool-source.ts'
import { Rpc } from '../util/rpc.ts'
import type { SpoolNews, SpoolReads } from './spool-calls.ts'

/** The pipeline's end of the spool. `onSpooled` is called when a source has new bodies. */
export function connectSpool(port: MessagePort, onSpooled: (sourceId: string) => void): SpoolPort {
  const rpc = new Rpc<SpoolReads, SpoolNews>(port, { spooled: onSpooled })
  return {
    next: (sourceId, after) => rpc.call('next', { sourceId, after }),
    read: (sourceId, range) => rpc.call('read', { sourceId, range }),
    free: (sourceId, upTo) => void rpc.call('free', { sourceId, upTo }).catch(() => {}),
  }
}
