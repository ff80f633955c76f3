import { join } from 'node:path'
import type { SpoolBody, SpooledRow } from '../model/spool.ts'
import { Spool } from '../pipeline/spool.ts'
import { openSqlite } from '../state/sqlite.ts'
import { messageOf, RetryLater, StorageError } from '../util/errors.ts'
import { type Handlers, type Remote, Transfer } from '../util/rpc.ts'
import type { SpoolCalls, SpoolNews, SpoolReads } from './spool-calls.ts'

export interface SpoolServerOptions {
  readonly dataDir: string
  readonly maxBytes: number
  readonly maxSourceBytes: number
  /** For tests of a full disk. */
  readonly maxPages?: number
}

/** Maximum size in bytes of a batch of spooled bodies; a larger body is a separate batch. */
const BATCH_BYTES = 1024 * 1024

interface Waiting {
  readonly body: SpoolBody
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Serves the calls of main and the pipeline to the spool. */
export class SpoolServer {
  readonly #options: SpoolServerOptions
  readonly #spool: Spool
  readonly #pipeline: Remote<SpoolNews>
  #waiting: Waiting[] = []
  /** While set, the ids up to which bodies can be freed, by source. */
  #kept: Map<string, number> | undefined

  constructor(options: SpoolServerOptions, pipeline: Remote<SpoolNews>) {
    this.#options = options
    this.#pipeline = pipeline
    const maxPages = options.maxPages ? { maxPages: options.maxPages } : {}
    this.#spool = new Spool(openSqlite(join(options.dataDir, 'spool.db'), maxPages))
  }

  /** For the main thread. */
  get calls(): Handlers<SpoolCalls> {
    return {
      append: (body) => this.#append(body),
      bytes: (sourceId) => this.#spool.bytes(sourceId),
      forget: (sourceId) => this.#spool.forget(sourceId),
      keepBodies: () => {
        this.#kept ??= new Map()
      },
      freeBodies: () => {
        const kept = this.#kept ?? []
        this.#kept = undefined
        for (const [sourceId, upToId] of kept) this.#spool.free(sourceId, upToId)
      },
      close: () => this.#spool.close(),
    }
  }

  /** For the pipeline. */
  get reads(): Handlers<SpoolReads> {
    return {
      epoch: () => this.#spool.epoch,
      next: ({ sourceId, afterId }) => {
        const range = this.#spool.next(sourceId, afterId, BATCH_BYTES)
        return range && { ...range, receivedMs: this.#spool.receivedMs(range.from) }
      },
      read: ({ sourceId, from, to }) => {
        const rows: readonly SpooledRow[] = this.#spool.read(sourceId, from, to)
        return new Transfer(
          rows,
          rows.map((row) => row.body.buffer as ArrayBuffer),
        )
      },
      free: ({ sourceId, upToId }) => {
        if (this.#kept) this.#kept.set(sourceId, Math.max(upToId, this.#kept.get(sourceId) ?? 0))
        else this.#spool.free(sourceId, upToId)
      },
    }
  }

  #append(body: SpoolBody): Promise<void> {
    const { maxBytes, maxSourceBytes } = this.#options
    const waiting = this.#spool.bytes(body.sourceId)
    const pending = this.#waiting.reduce((n, w) => n + w.body.body.length, 0)
    if (waiting + pending + body.body.length > maxSourceBytes)
      throw new RetryLater(`source '${body.sourceId}' has ${waiting} bytes waiting; try again later`, 2000)
    if (this.#spool.bytes() + pending + body.body.length > maxBytes)
      throw new StorageError(`${this.#spool.bytes()} bytes wait in the spool; nothing more is accepted until it has drained`)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ body, resolve, reject })
      if (this.#waiting.length === 1) setImmediate(() => this.#commit())
    })
  }

  /** Bodies that arrive while a transaction is being written go into the next one together, so they share an fsync. */
  #commit(): void {
    const batch = this.#waiting
    this.#waiting = []
    try {
      this.#spool.append(batch.map(({ body }) => body))
    } catch (error) {
      const fault =
        error instanceof StorageError
          ? new StorageError(`The spool cannot be written: ${messageOf(error)}. Free space on the disk of the data folder.`)
          : new StorageError(`The spool failed: ${messageOf(error)}`)
      for (const { reject } of batch) reject(fault)
      return
    }
    for (const { resolve } of batch) resolve()
    for (const sourceId of new Set(batch.map(({ body }) => body.sourceId)))
      this.#pipeline.call('spooled', sourceId).catch(() => {})
  }
}
