import { join } from 'node:path'
import type { SpoolBody, SpooledBodies } from '../model/spool.ts'
import { Spool } from '../pipeline/spool.ts'
import type { SpoolStore } from '../pipeline/spool-store.ts'
import { SqliteSpool } from '../pipeline/sqlite-spool.ts'
import { openSqlite } from '../state/sqlite.ts'
import { RetryLater, StorageError } from '../util/errors.ts'
import { type Handlers, type Remote, Transfer } from '../util/rpc.ts'
import { type KafkaSpoolConfig, openKafkaSpool } from './kafka-spool.ts'
import type { SpoolCalls, SpoolNews, SpoolReads } from './spool-calls.ts'

export interface SpoolServerOptions {
  readonly dataDir: string
  readonly maxBytes: number
  readonly maxSourceBytes: number
  /** Where bodies wait; absent: in the data folder. */
  readonly kafka?: KafkaSpoolConfig
  /** For tests of a full disk. */
  readonly maxPages?: number
}

/** Serves the calls of main and the pipeline to the spool. */
export class SpoolServer {
  readonly #options: SpoolServerOptions
  readonly #store: SpoolStore
  readonly #pipeline: Remote<SpoolNews>
  /** Bytes of bodies that are being appended, by source. */
  readonly #pending = new Map<string, number>()
  /** Sources of which the pipeline has been notified just now. */
  readonly #news = new Set<string>()

  constructor(options: SpoolServerOptions, pipeline: Remote<SpoolNews>) {
    this.#options = options
    this.#pipeline = pipeline
    this.#store = openStore(options, (sourceId) => this.#spooled(sourceId))
  }

  /** For the main thread. */
  get calls(): Handlers<SpoolCalls> {
    const store = this.#store
    return {
      append: (body) => this.#append(body),
      bytes: (sourceId) => store.bytes(sourceId),
      bytesBySource: () => store.bytesBySource(),
      trouble: () => store.trouble(),
      ends: () => store.ends(),
      waits: (ends) => store.waits(ends),
      scrub: () => store.scrub(),
      keepBodies: () => store.keep(),
      freeBodies: () => store.release(),
      close: () => store.close(),
    }
  }

  /** For the pipeline. */
  get reads(): Handlers<SpoolReads> {
    const store = this.#store
    return {
      next: async ({ sourceId, after }) => {
        const range = await store.next(sourceId, after)
        if (!range) return undefined
        const bodies = await store.read(sourceId, range).catch(() => undefined)
        return moved({ range, bodies }, bodies)
      },
      read: async ({ sourceId, range }) => {
        const bodies = await store.read(sourceId, range)
        return moved(bodies, bodies)
      },
      free: ({ sourceId, upTo }) => store.free(sourceId, upTo),
    }
  }

  async #append(body: SpoolBody): Promise<void> {
    const { sourceId } = body
    const bytes = body.body.length
    await this.#store.open(sourceId)
    this.#refuseFull(sourceId, bytes)
    this.#count(sourceId, bytes)
    try {
      await this.#store.append(body)
    } finally {
      this.#count(sourceId, -bytes)
    }
    this.#spooled(sourceId)
  }

  /**
   * Notifies the pipeline before the sender has its answer, so that whoever asks afterwards whether the source is settled hears no. Bodies
   * that were stored together are one piece of news.
   */
  #spooled(sourceId: string): void {
    if (this.#news.has(sourceId)) return
    if (this.#news.size === 0) queueMicrotask(() => this.#news.clear())
    this.#news.add(sourceId)
    this.#pipeline.call('spooled', sourceId).catch(() => {})
  }

  #refuseFull(sourceId: string, bytes: number): void {
    const { maxBytes, maxSourceBytes } = this.#options
    const waiting = this.#store.bytes(sourceId)
    if (waiting + (this.#pending.get(sourceId) ?? 0) + bytes > maxSourceBytes)
      throw new RetryLater(`source '${sourceId}' has ${waiting} bytes waiting; try again later`, 2000)
    const all = this.#store.bytes()
    const pending = [...this.#pending.values()].reduce((sum, n) => sum + n, 0)
    if (all + pending + bytes > maxBytes)
      throw new StorageError(`${all} bytes wait in the spool; nothing more is accepted until it has drained`)
  }

  #count(sourceId: string, bytes: number): void {
    this.#pending.set(sourceId, (this.#pending.get(sourceId) ?? 0) + bytes)
  }
}

/** The memory of bodies is moved, not copied. */
function moved<T>(value: T, bodies: SpooledBodies | undefined): Transfer<T> {
  return new Transfer(value, bodies?.rows.map((row) => row.body.buffer as ArrayBuffer) ?? [])
}

function openStore({ dataDir, kafka, maxPages }: SpoolServerOptions, spooled: (sourceId: string) => void): SpoolStore {
  if (kafka) return openKafkaSpool(kafka, dataDir, spooled)
  return new SqliteSpool(new Spool(openSqlite(join(dataDir, 'spool.db'), maxPages ? { maxPages } : {})))
}
