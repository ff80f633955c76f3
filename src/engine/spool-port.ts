import type { MessagePort } from 'node:worker_threads'
import type { SpoolPort } from '../pipeline/spool-source.ts'
import { Rpc } from '../util/rpc.ts'
import type { SpoolNews, SpoolReads } from './spool-calls.ts'

/** The pipeline's end of the spool. `onSpooled` is called when a source has new bodies. */
export async function connectSpool(port: MessagePort, onSpooled: (sourceId: string) => void): Promise<SpoolPort> {
  const rpc = new Rpc<SpoolReads, SpoolNews>(port, { spooled: onSpooled })
  const epoch = await rpc.call('epoch')
  return {
    epoch,
    next: (sourceId, afterId) => rpc.call('next', { sourceId, afterId }),
    read: (sourceId, from, to) => rpc.call('read', { sourceId, from, to }),
    free: (sourceId, upToId) => void rpc.call('free', { sourceId, upToId }).catch(() => {}),
  }
}
