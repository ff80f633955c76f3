import { messageOf, RetryLater } from '../../../util/errors.ts'
import { pause } from '../../../util/pause.ts'
import type { Finder, FoundObject } from '../objects/finder.ts'
import { type Prefix, prefixOf } from '../objects/prefixes.ts'
import type { ObjectStore } from '../objects/store.ts'
import { objectId, type Taken } from '../objects/taken.ts'
import { type Notification, notificationOf } from './notifications.ts'
import { HIDDEN_SECS, type Queue, type QueueMessage } from './queue.ts'

export interface QueueFinderOptions {
  readonly queue: Queue
  readonly store: ObjectStore
  readonly bucket: string
  readonly prefixes: readonly Prefix[]
  /** What was read, by prefix. */
  readonly taken: ReadonlyMap<string, Taken>
  readonly now: () => number
}

const MIN_PAUSE_MS = 1000
const MAX_PAUSE_MS = 300_000

/** A message whose objects are being read. */
interface Held {
  readonly message: QueueMessage
  /** Ids of its objects whose effects are not durable yet. */
  readonly open: Set<string>
}

/**
 * Finds objects by the notifications in a queue. A message is deleted when the effects of all its objects are durable; until then it
 * is kept from others, and after a crash it comes again. What was read is remembered, because a queue may deliver a message twice.
 */
export class QueueFinder implements Finder {
  readonly #options: QueueFinderOptions
  readonly #queue: FoundObject[] = []
  readonly #held = new Set<Held>()
  readonly #stopping = new AbortController()
  readonly #timer: NodeJS.Timeout
  #failures = 0
  #elsewhere = 0
  #unclear: string | undefined
  #unclearCount = 0
  #failure: string | undefined

  constructor(options: QueueFinderOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#keep(), (HIDDEN_SECS * 1000) / 3).unref()
  }

  get waitingBytes(): number {
    return this.#queue.reduce((sum, { object }) => sum + (object.size ?? 0), 0)
  }

  get notices(): readonly string[] {
    const many = this.#elsewhere
    return many === 0
      ? []
      : [`${many} notifications were about objects in another bucket, under no prefix, or excluded: not read`]
  }

  get problem(): string | undefined {
    if (this.#failure !== undefined) return this.#failure
    if (this.#unclear === undefined) return undefined
    return `${this.#unclearCount} messages in the queue were not understood and stay there; the last one: ${this.#unclear}`
  }

  async next(signal: AbortSignal): Promise<FoundObject> {
    for (;;) {
      signal.throwIfAborted()
      const found = this.#queue.shift()
      if (found) return found
      try {
        for (const message of await this.#options.queue.receive(signal)) this.#take(message)
        this.#failures = 0
        this.#failure = undefined
      } catch (error) {
        if (signal.aborted) continue
        const afterMs = error instanceof RetryLater ? (error.afterMs ?? 0) : 0
        this.#failure = `notifications cannot be received: ${messageOf(error)}`
        await pause(Math.min(MAX_PAUSE_MS, Math.max(afterMs, MIN_PAUSE_MS * 2 ** Math.min(this.#failures++, 9))), signal)
      }
    }
  }

  done(id: string): void {
    for (const held of this.#held) if (held.open.delete(id) && held.open.size === 0) this.#delete(held)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#stopping.abort()
  }

  #take(message: QueueMessage): void {
    const notification = notificationOf(message.body)
    if (typeof notification === 'string') {
      this.#unclearCount++
      this.#unclear = notification
      return
    }
    const held: Held = { message, open: new Set() }
    this.#held.add(held)
    for (const found of this.#wanted(notification)) {
      const isResumed = this.#options.taken.get(found.prefix)!.open.has(found.id)
      const isKnown = isResumed || [...this.#held].some(({ open }) => open.has(found.id))
      held.open.add(found.id)
      if (!isKnown) this.#queue.push(found)
    }
    if (held.open.size === 0) this.#delete(held)
  }

  /** The objects of a notification that are to be read. */
  #wanted({ objects }: Exclude<Notification, string>): FoundObject[] {
    const { store, bucket, prefixes, taken, now } = this.#options
    return objects.flatMap(({ bucket: of, key, etag, size }) => {
      if (size === 0) return []
      const prefix = of === bucket ? prefixOf(key, prefixes)?.prefix : undefined
      if (prefix === undefined) this.#elsewhere++
      // How long it is remembered counts from when it is taken: a message may be old.
      const object = { key, etag, size, modifiedMs: now() }
      const id = objectId(store.name, object)
      if (prefix === undefined || taken.get(prefix)!.has(id)) return []
      taken.get(prefix)!.advance(now())
      return [{ id, object, prefix }]
    })
  }

  /** If that fails, the message comes again, and is deleted then. */
  #delete(held: Held): void {
    this.#held.delete(held)
    this.#options.queue.delete(held.message, this.#stopping.signal).catch(() => {})
  }

  #keep(): void {
    for (const { message } of this.#held) this.#options.queue.keep(message, this.#stopping.signal).catch(() => {})
  }
}
