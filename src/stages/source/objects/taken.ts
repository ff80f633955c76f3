import type { Cursor } from '../../../model/batch.ts'
import { hash16 } from '../../../util/hash.ts'
import type { TextState } from '../decoders/text-walk.ts'
import type { StoredObject } from './store.ts'

/** Where reading an object continues. */
export interface Progress {
  readonly object: StoredObject
  /** Offset in its uncompressed bytes. */
  readonly offset: number
  readonly context: string
  readonly framing: TextState
}

interface TakenConfig {
  readonly prefixes: readonly { readonly prefix: string }[]
  /** RFC 3339. */
  readonly since?: string | undefined
  readonly window_hours: number
}

/** A cursor in state: what is remembered of a part of the objects under a prefix, so that a batch does not rewrite all of it. */
interface Slot {
  readonly prefix: string
  /** Objects last modified before this are not looked at any more, epoch ms. */
  readonly horizonMs: number
  /** Object id → when it was last modified, epoch ms. */
  readonly taken: Readonly<Record<string, number>>
  /** By object id: objects of which a part was read. */
  readonly open: Readonly<Record<string, Progress>>
}

/** Hex digits of an object's id that choose its slot. */
const SLOT_DIGITS = 2
/** Maximum number of objects remembered per prefix, at about 100 bytes of memory each. */
const MAX_TAKEN = 200_000

/** The id of an object's version, the same wherever it is listed. */
export function objectId(storeName: string, { key, etag }: StoredObject): string {
  return hash16(storeName, key, etag)
}

/** What was read, by prefix: of the configured prefixes and of those that were configured earlier. */
export function takenOf(
  { prefixes, since, window_hours: hours }: TakenConfig,
  cursors: readonly Cursor[],
): ReadonlyMap<string, Taken> {
  const windowMs = hours * 3_600_000
  const sinceMs = since === undefined ? 0 : Date.parse(since)
  const stored = new Set(cursors.map(({ value }) => (value as Slot).prefix))
  const all = new Map([...stored].map((prefix) => [prefix, new Taken(prefix, { windowMs, sinceMs, cursors })]))
  for (const { prefix } of prefixes) {
    if (all.has(prefix)) continue
    // What an earlier, shorter prefix has left behind is not read again.
    const before = [...stored].filter((one) => prefix.startsWith(one)).map((one) => all.get(one)!.horizonMs)
    all.set(prefix, new Taken(prefix, { windowMs, sinceMs: Math.max(sinceMs, ...before), cursors }))
  }
  return all
}

/**
 * Which objects under one prefix were read. A store has no order in which objects appear: one with a smaller key, or whose upload began
 * earlier, may come later. So each object is remembered until it was last modified longer than a window before the newest one, and
 * what is older than that is left alone.
 */
export class Taken {
  readonly prefix: string
  readonly #windowMs: number
  readonly #slots = new Map<string, Map<string, number>>()
  readonly #open = new Map<string, Progress>()
  #count = 0
  #horizonMs: number

  constructor(prefix: string, { windowMs, sinceMs, cursors }: { windowMs: number; sinceMs: number; cursors: readonly Cursor[] }) {
    this.prefix = prefix
    this.#windowMs = windowMs
    this.#horizonMs = sinceMs
    for (const { value } of cursors) {
      const slot = value as Slot
      if (slot.prefix !== prefix) continue
      this.#horizonMs = Math.max(this.#horizonMs, slot.horizonMs)
      for (const [id, modifiedMs] of Object.entries(slot.taken)) this.#add(id, modifiedMs)
      for (const [id, progress] of Object.entries(slot.open)) this.#open.set(id, progress)
    }
  }

  /** Objects last modified before this are left alone, epoch ms. */
  get horizonMs(): number {
    return this.#horizonMs
  }

  /** Objects of which a part was read, by id. */
  get open(): ReadonlyMap<string, Progress> {
    return this.#open
  }

  has(id: string): boolean {
    return this.#slots.get(slotOf(id))?.has(id) ?? false
  }

  /** A part of the object was read, or, without `progress`, all of it. */
  read(id: string, object: StoredObject, progress: Progress | undefined): Cursor {
    if (progress) this.#open.set(id, progress)
    else {
      this.#open.delete(id)
      this.#add(id, object.modifiedMs)
    }
    return this.#cursor(slotOf(id))
  }

  /** Nothing that is still to be read was modified before `oldestMs`. Returns true if the window had to be shortened. */
  advance(oldestMs: number): boolean {
    this.#horizonMs = Math.max(this.#horizonMs, oldestMs - this.#windowMs)
    if (this.#count <= MAX_TAKEN) return false
    const times = [...this.#slots.values()].flatMap((slot) => [...slot.values()]).sort((a, b) => a - b)
    const shortened = times[times.length - MAX_TAKEN / 2]!
    const isShorter = shortened > this.#horizonMs
    this.#horizonMs = Math.max(this.#horizonMs, shortened)
    for (const name of this.#slots.keys()) this.#prune(name)
    return isShorter
  }

  #add(id: string, modifiedMs: number): void {
    const name = slotOf(id)
    const slot = this.#slots.get(name) ?? new Map<string, number>()
    this.#slots.set(name, slot)
    if (!slot.has(id)) this.#count++
    slot.set(id, modifiedMs)
  }

  #prune(name: string): void {
    const slot = this.#slots.get(name)
    for (const [id, modifiedMs] of slot ?? []) {
      if (modifiedMs >= this.#horizonMs) continue
      slot!.delete(id)
      this.#count--
    }
  }

  #cursor(name: string): Cursor {
    this.#prune(name)
    const value: Slot = {
      prefix: this.prefix,
      horizonMs: this.#horizonMs,
      taken: Object.fromEntries(this.#slots.get(name) ?? []),
      open: Object.fromEntries([...this.#open].filter(([id]) => slotOf(id) === name)),
    }
    return { place: `${name} ${this.prefix}`, value }
  }
}

function slotOf(id: string): string {
  return id.slice(0, SLOT_DIGITS)
}
