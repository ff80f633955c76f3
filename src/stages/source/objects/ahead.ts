import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeadLetterReason } from '../../../model/outcome.ts'
import { messageOf, RetryLater } from '../../../util/errors.ts'
import { inTime, pause } from '../../../util/pause.ts'
import { download, ObjectTooLarge } from './download.ts'
import type { Finder, FoundObject } from './finder.ts'
import { recordsAsLines } from './records.ts'
import { ObjectGone, type ObjectStore, ObjectUnreachable } from './store.ts'

/** An object with a local copy, or the reason why there will never be one. */
export interface Fetched {
  readonly found: FoundObject
  readonly path: string | undefined
  readonly bytes: number
  readonly fault?: { readonly reason: DeadLetterReason; readonly message: string }
}

export interface AheadOptions {
  readonly store: ObjectStore
  readonly finder: Finder
  /** Objects to fetch before those of the finder; asked once. */
  readonly resumed: () => readonly FoundObject[]
  /** Emptied first. */
  readonly folder: string
  readonly maxObjectBytes: number
  readonly wake: () => void
  readonly now: () => number
}

/** Copies waiting to be read. One that is larger may be on disk alone. */
const MAX_COPIES = 8
const MAX_COPY_BYTES = 256 * 1024 * 1024
/** Objects that could not be fetched and are retried; at that number, no others are begun. */
const MAX_LATER = 1000
const MIN_PAUSE_MS = 5000
const MAX_PAUSE_MS = 600_000
const MAX_SHOWN = 3

interface Later {
  readonly found: FoundObject
  readonly atMs: number
  readonly pauseMs: number
  readonly why: string
}

/** Fetches objects in the background, a few ahead of the one being read. */
export class Ahead {
  readonly #options: AheadOptions
  readonly #ready: Fetched[] = []
  readonly #later = new Map<string, Later>()
  readonly #stopping = new AbortController()
  #room: () => void = () => {}
  #isPrepared: Promise<unknown>
  #running: Promise<void> | undefined
  #resumed: FoundObject[] = []
  #finding: Promise<FoundObject> | undefined
  #lastCopy = 0

  constructor(options: AheadOptions) {
    this.#options = options
    const { folder } = options
    this.#isPrepared = rm(folder, { recursive: true, force: true }).then(() => mkdir(folder, { recursive: true, mode: 0o700 }))
    this.#isPrepared.catch(() => {})
  }

  /** The next object with a copy; `undefined`: none yet. The caller deletes the copy. */
  next(): Fetched | undefined {
    this.#running ??= this.#run()
    const ready = this.#ready.shift()
    if (ready) this.#room()
    return ready
  }

  /** Fetches an object out of turn. Rejects with `RetryLater` if it cannot be fetched now. */
  async fetch(found: FoundObject): Promise<Fetched> {
    await this.#isPrepared
    return this.#fetch(found)
  }

  get waitingBytes(): number {
    return this.#ready.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get problems(): readonly string[] {
    const shown = [...this.#later.values()].slice(0, MAX_SHOWN).map(({ why }) => why)
    const others = this.#later.size - shown.length
    return others > 0 ? [...shown, `${others} other objects cannot be fetched either`] : shown
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    this.#room()
    await this.#running
    await this.#isPrepared.catch(() => {})
    await rm(this.#options.folder, { recursive: true, force: true }).catch(() => {})
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    this.#resumed = [...this.#options.resumed()]
    while (!signal.aborted) {
      try {
        await this.#isPrepared
        while (!this.#hasRoom() && !signal.aborted) await new Promise<void>((resolve) => (this.#room = resolve))
        const found = await this.#wanted(signal)
        if (found) await this.#take(found)
      } catch (error) {
        if (signal.aborted) return
        process.emitWarning(`Fetching from ${this.#options.store.name}: ${messageOf(error)}`)
        await pause(MIN_PAUSE_MS, signal)
      }
    }
  }

  /** An object whose retry is due, or the next new one. While one waits for its retry, new ones are waited for no longer than that. */
  async #wanted(signal: AbortSignal): Promise<FoundObject | undefined> {
    const { finder, now } = this.#options
    const first = [...this.#later.values()].sort((a, b) => a.atMs - b.atMs)[0]
    if (first && first.atMs <= now()) return first.found
    if (this.#later.size >= MAX_LATER) {
      await pause(first!.atMs - now(), signal)
      return undefined
    }
    const resumed = this.#resumed.shift()
    if (resumed) return resumed
    const finding = this.#finding ?? finder.next(signal)
    this.#finding = finding
    const dueMs = first && Math.max(1, first.atMs - now())
    const found = dueMs === undefined ? await finding : await inTime(finding, dueMs)
    if (found) this.#finding = undefined
    return found
  }

  async #take(found: FoundObject): Promise<void> {
    const { wake, now } = this.#options
    try {
      this.#ready.push(await this.#fetch(found))
      this.#later.delete(found.id)
      wake()
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      const afterMs = error instanceof RetryLater ? (error.afterMs ?? 0) : 0
      const pauseMs = Math.min(MAX_PAUSE_MS, Math.max(afterMs, MIN_PAUSE_MS, 2 * (this.#later.get(found.id)?.pauseMs ?? 0)))
      this.#later.set(found.id, { found, atMs: now() + pauseMs, pauseMs, why: messageOf(error) })
    }
  }

  async #fetch(found: FoundObject): Promise<Fetched> {
    const { store, folder, maxObjectBytes: maxBytes } = this.#options
    const { object } = found
    const path = join(folder, String(this.#lastCopy++))
    const what = `${store.name}/${object.key}`
    try {
      const bytes = await download(store, object, { path, maxBytes, signal: this.#stopping.signal })
      const fault = await recordsAsLines(path, bytes)
      if (!fault) return { found, path, bytes }
      await rm(path, { force: true })
      return { found, path: undefined, bytes: 0, fault: { ...fault, message: `${what}: ${fault.message}` } }
    } catch (error) {
      await rm(path, { force: true }).catch(() => {})
      const none = { found, path: undefined, bytes: 0 }
      if (error instanceof ObjectGone)
        return { ...none, fault: { reason: 'truncated', message: `${what} was deleted or replaced before it was read` } }
      if (error instanceof ObjectUnreachable) {
        const message = `${what} cannot be read: ${error.message}. Have the sender write it under another key`
        return { ...none, fault: { reason: 'decoding', message } }
      }
      if (error instanceof ObjectTooLarge) {
        const message = `${what} has ${error.size} bytes and the limit is ${maxBytes}: have the sender write smaller objects, or raise \`max_object_bytes\``
        return { ...none, fault: { reason: 'too_long', message } }
      }
      throw new RetryLater(
        `${what} cannot be fetched: ${messageOf(error)}`,
        error instanceof RetryLater ? error.afterMs : undefined,
        {
          cause: error,
        },
      )
    }
  }

  #hasRoom(): boolean {
    return this.#ready.length < MAX_COPIES && this.waitingBytes < MAX_COPY_BYTES
  }
}
