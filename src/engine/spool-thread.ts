import { join } from 'node:path'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { SpoolBody } from '../model/spool.ts'
import { Spool } from '../pipeline/spool.ts'
import { isStorageFault, openSqlite } from '../state/sqlite.ts'
import { messageOf, RetryLater, StorageError } from '../util/errors.ts'
import { Rpc, Transfer } from '../util/rpc.ts'

/** What the spool's thread is started with. */
export interface SpoolThreadData {
  readonly dataDir: string
  readonly maxBytes: number
  readonly maxSourceBytes: number
  /** The pipeline's end of the spool. */
  readonly pipeline: MessagePort
  /** For tests of a full disk. */
  readonly maxPages?: number
}

/** Bytes of one batch of spooled bodies; a larger body is a batch of its own. */
const BATCH_BYTES = 1024 * 1024

interface Waiting {
  readonly body: SpoolBody
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const data = workerData as SpoolThreadData
const maxPages = data.maxPages ? { maxPages: data.maxPages } : {}
const spool = new Spool(openSqlite(join(data.dataDir, 'spool.db'), maxPages))
let waiting: Waiting[] = []

/** Bodies that came in while the last transaction was written go into the next one together: one fsync for all. */
function commit(): void {
  const batch = waiting
  waiting = []
  try {
    spool.append(batch.map(({ body }) => body))
    for (const { resolve } of batch) resolve()
    for (const sourceId of new Set(batch.map(({ body }) => body.sourceId))) pipeline.call('spooled', sourceId).catch(() => {})
  } catch (error) {
    const fault = isStorageFault(error)
      ? new StorageError(`The spool cannot be written: ${messageOf(error)}. Free space on the disk of the data folder.`)
      : new StorageError(`The spool failed: ${messageOf(error)}`)
    for (const { reject } of batch) reject(fault)
  }
}

function append(body: SpoolBody): Promise<void> {
  const pending = waiting.reduce((n, w) => n + w.body.body.length, 0)
  if (spool.bytes(body.sourceId) + pending + body.body.length > data.maxSourceBytes)
    throw new RetryLater(`source '${body.sourceId}' has ${spool.bytes(body.sourceId)} bytes waiting; try again later`, 2000)
  if (spool.bytes() + pending + body.body.length > data.maxBytes)
    throw new StorageError(`${spool.bytes()} bytes wait in the spool; nothing more is taken until it has emptied`)
  return new Promise((resolve, reject) => {
    waiting.push({ body, resolve, reject })
    if (waiting.length === 1) setImmediate(commit)
  })
}

const pipeline = new Rpc(data.pipeline, {
  epoch: () => spool.epoch,
  next: ({ sourceId, afterId }: { sourceId: string; afterId: number }) => {
    const range = spool.next(sourceId, afterId, BATCH_BYTES)
    return range && { ...range, receivedMs: spool.receivedMs(range.from) }
  },
  read: ({ sourceId, from, to }: { sourceId: string; from: number; to: number }) => {
    const rows = spool.read(sourceId, from, to)
    return new Transfer(
      rows,
      rows.map((row) => row.body.buffer as ArrayBuffer),
    )
  },
  free: ({ sourceId, upToId }: { sourceId: string; upToId: number }) => spool.free(sourceId, upToId),
})

new Rpc(parentPort!, {
  append,
  bytes: (sourceId: string | undefined) => spool.bytes(sourceId),
  forget: (sourceId: string) => spool.forget(sourceId),
  close: () => spool.close(),
})
