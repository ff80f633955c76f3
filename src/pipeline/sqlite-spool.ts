import type { SpoolBody, SpoolEnds, SpooledBodies, SpoolPlace, SpoolRange } from '../model/spool.ts'
import { messageOf, StorageError } from '../util/errors.ts'
import type { Spool } from './spool.ts'
import type { SpoolStore } from './spool-store.ts'

/** Maximum size in bytes of a batch of spooled bodies; a larger body is a separate batch. */
const BATCH_BYTES = 1024 * 1024
/** What was freed is deleted after this time, milliseconds, unless bodies that arrive take it along. */
const SWEEP_MS = 200

/** Begins the epochs of spools on Kafka. */
const KAFKA = 'kafka:'
const LEFT =
  'the spool was on Kafka before, and bodies may be left in its topic: they are read once `spool` in the configuration names the cluster again'

interface Waiting {
  readonly body: SpoolBody
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** The spool in a file of the data folder. */
export class SqliteSpool implements SpoolStore {
  readonly #spool: Spool
  readonly #batchBytes: number
  #waiting: Waiting[] = []
  /** While set, the ids up to which bodies can be freed, by source. */
  #kept: Map<string, number> | undefined
  #sweeping: NodeJS.Timeout | undefined

  constructor(spool: Spool, batchBytes = BATCH_BYTES) {
    this.#spool = spool
    this.#batchBytes = batchBytes
  }

  async open(): Promise<void> {}

  append(body: SpoolBody): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ body, resolve, reject })
      if (this.#waiting.length === 1) setImmediate(() => this.#commit())
    })
  }

  async next(sourceId: string, after: SpoolPlace | undefined): Promise<SpoolRange | undefined> {
    const { epoch } = this.#spool
    if (after?.epoch.startsWith(KAFKA)) return { epoch, from: 0, to: 0, receivedMs: Date.now(), lost: LEFT }
    const range = this.#spool.next(sourceId, after?.epoch === epoch ? after.id : 0, this.#batchBytes)
    return range && { epoch, ...range, receivedMs: this.#spool.receivedMs(range.from) }
  }

  async read(sourceId: string, { epoch, from, to, lost }: SpoolRange): Promise<SpooledBodies> {
    if (lost !== undefined) return { rows: [] }
    if (epoch !== this.#spool.epoch)
      return {
        rows: [],
        lost: `bodies ${from} to ${to} of an earlier batch are missing: the spool was deleted or replaced. Keep spool.db and state.db together.`,
      }
    return { rows: this.#spool.read(sourceId, from, to) }
  }

  free(sourceId: string, { epoch, id }: SpoolPlace): void {
    if (epoch !== this.#spool.epoch) return
    if (this.#kept) this.#kept.set(sourceId, Math.max(id, this.#kept.get(sourceId) ?? 0))
    else this.#free(sourceId, id)
  }

  bytesBySource(): Record<string, number> {
    return this.#spool.bytesBySource()
  }

  bytes(sourceId?: string): number {
    return this.#spool.bytes(sourceId)
  }

  async ends(): Promise<SpoolEnds> {
    return this.#spool.ends()
  }

  async waits(ends: SpoolEnds): Promise<boolean> {
    return Object.entries(ends).some(
      ([sourceId, id]) => (this.#spool.next(sourceId, 0, 1)?.from ?? Number.POSITIVE_INFINITY) <= id,
    )
  }

  async scrub(): Promise<undefined> {
    this.#spool.scrub()
  }

  /** What was freed before is deleted before. */
  keep(): void {
    this.#sweep()
    this.#kept ??= new Map()
  }

  release(): void {
    const kept = this.#kept ?? []
    this.#kept = undefined
    for (const [sourceId, upToId] of kept) this.#free(sourceId, upToId)
  }

  trouble(): undefined {
    return undefined
  }

  async close(): Promise<void> {
    clearTimeout(this.#sweeping)
    this.#spool.close()
  }

  #free(sourceId: string, upToId: number): void {
    this.#spool.free(sourceId, upToId)
    this.#sweeping ??= setTimeout(() => this.#sweep(), SWEEP_MS)
  }

  #sweep(): void {
    clearTimeout(this.#sweeping)
    this.#sweeping = undefined
    try {
      this.#spool.sweep()
    } catch {
      // The disk is full: what arrives once it is not takes it along.
    }
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
  }
}
