import { messageOf, RetryLater } from '../../../util/errors.ts'
import { pause } from '../../../util/pause.ts'
import type { Finder, FoundObject } from './finder.ts'
import { type Prefix, prefixOf } from './prefixes.ts'
import type { ObjectStore, StoredObject } from './store.ts'
import { objectId, type Taken } from './taken.ts'

export interface ListingOptions {
  readonly store: ObjectStore
  readonly prefixes: readonly Prefix[]
  /** What was read, by prefix. */
  readonly taken: ReadonlyMap<string, Taken>
  readonly pollMs: number
  readonly now: () => number
}

/** Objects kept of a listing: the oldest. The others are listed again. */
const MAX_QUEUED = 10_000
const MAX_PAUSE_MS = 300_000
/** Below a key up to which everything is older than the window, objects are only searched this often. */
const FULL_LISTING_MS = 3_600_000

/** The part of a prefix's keys that need not be listed each time. */
interface Settled {
  readonly key: string
  readonly listedMs: number
}

/** Finds objects by listing the prefixes, oldest first. */
export class ListingFinder implements Finder {
  readonly #options: ListingOptions
  /** Oldest last. */
  #queue: FoundObject[] = []
  /** Returned and not done yet. */
  readonly #given = new Set<string>()
  readonly #settled = new Map<string, Settled>()
  readonly #shortened = new Set<string>()
  #isCut = false
  #failures = 0
  #nextMs = Number.NEGATIVE_INFINITY
  problem: string | undefined

  constructor(options: ListingOptions) {
    this.#options = options
  }

  get waitingBytes(): number {
    return this.#queue.reduce((sum, { object }) => sum + (object.size ?? 0), 0)
  }

  get notices(): readonly string[] {
    return [...this.#shortened].map(
      (prefix) =>
        `there are more objects under '${prefix}' than can be remembered for \`window_hours\`: objects that appear late may be missed. Use more prefixes, or notifications`,
    )
  }

  async next(signal: AbortSignal): Promise<FoundObject> {
    for (;;) {
      signal.throwIfAborted()
      const found = this.#queue.pop()
      if (found) {
        this.#given.add(found.id)
        return found
      }
      const waitMs = this.#nextMs - this.#options.now()
      if (waitMs > 0) await pause(waitMs, signal)
      else await this.#look(signal)
    }
  }

  done(id: string): void {
    this.#given.delete(id)
  }

  close(): void {}

  async #look(signal: AbortSignal): Promise<void> {
    const { pollMs, now } = this.#options
    try {
      this.#isCut = false
      const found: FoundObject[] = []
      for (const { prefix } of this.#options.prefixes) found.push(...(await this.#list(prefix, signal)))
      this.#queue = found.sort(newestFirst)
      this.#failures = 0
      this.problem = undefined
      this.#nextMs = this.#isCut && found.length > 0 ? now() : now() + pollMs
    } catch (error) {
      if (signal.aborted) return
      const afterMs = error instanceof RetryLater ? error.afterMs : undefined
      this.#nextMs = now() + Math.min(MAX_PAUSE_MS, Math.max(afterMs ?? 0, pollMs * 2 ** Math.min(this.#failures++, 10)))
      this.problem = `${this.#options.store.name} cannot be listed: ${messageOf(error)}`
    }
  }

  /** The objects under a prefix that were neither read nor returned, and moves its horizon. */
  async #list(prefix: string, signal: AbortSignal): Promise<FoundObject[]> {
    const { store, prefixes, taken: all, now } = this.#options
    const taken = all.get(prefix)!
    const startMs = now()
    const settled = this.#settled.get(prefix)
    const after = settled && startMs - settled.listedMs < FULL_LISTING_MS ? settled.key : undefined
    let found: FoundObject[] = []
    let newestMs = 0
    let oldestMs = Number.POSITIVE_INFINITY
    let lastOld: string | undefined
    let isAllOld = true
    let page: string | undefined
    do {
      const { objects, next } = await store.list({ prefix, after, page, signal })
      for (const object of objects) {
        if (object.modifiedMs >= taken.horizonMs) isAllOld = false
        else if (isAllOld) lastOld = object.key
        newestMs = Math.max(newestMs, object.modifiedMs)
        if (!isWanted(object, taken) || prefixOf(object.key, prefixes)?.prefix !== prefix) continue
        const id = objectId(store.name, object)
        if (isTaken(id, all)) continue
        oldestMs = Math.min(oldestMs, object.modifiedMs)
        if (!this.#given.has(id) && !taken.open.has(id)) found.push({ id, object, prefix })
      }
      if (found.length > 2 * MAX_QUEUED) found = this.#oldest(found)
      page = next
    } while (page !== undefined)
    const known = lastOld ?? after
    if (known !== undefined)
      this.#settled.set(prefix, { key: known, listedMs: after === undefined ? startMs : settled!.listedMs })
    if (newestMs > 0 && taken.advance(Math.min(oldestMs, newestMs))) this.#shortened.add(prefix)
    return found.length > MAX_QUEUED ? this.#oldest(found) : found
  }

  #oldest(found: FoundObject[]): FoundObject[] {
    this.#isCut = true
    return found.sort(newestFirst).slice(-MAX_QUEUED)
  }
}

function isWanted({ size, modifiedMs }: StoredObject, { horizonMs }: Taken): boolean {
  return size !== 0 && modifiedMs >= horizonMs
}

/** Also under another prefix, in case the configuration has changed. */
function isTaken(id: string, all: ReadonlyMap<string, Taken>): boolean {
  for (const taken of all.values()) if (taken.has(id)) return true
  return false
}

function newestFirst({ object: a }: FoundObject, { object: b }: FoundObject): number {
  return b.modifiedMs - a.modifiedMs || (a.key < b.key ? 1 : -1)
}
