import type { Cursor } from '../../../model/batch.ts'

/** Ids are stored in this many parts, so that a batch rewrites only one. */
export const PARTS = 256
/** Ids in a part before the next is begun. */
export const PART_IDS = 512
/** Number of ids that are remembered at least. */
export const MAX_LISTED = (PARTS - 1) * PART_IDS

/** Where reading a list continues. Times are epoch milliseconds. */
export interface Position {
  /** Where the window being read begins; or, between polls, where the last one ended. Absent: nothing was read yet. */
  readonly fromMs?: number
  /** Where the window being read ends. Absent: between polls. */
  readonly toMs?: number
  /** The next page of the window: a URL, a cursor, or a number. */
  readonly next?: string
  /** Number of records on the pages that were read of a list that is requested as a whole. Absent: none. */
  readonly listed?: number
}

interface Part {
  /** Grows by one for each part that is begun, and names the newest. */
  readonly no: number
  readonly position: Position
  readonly ids: string[]
}

/**
 * What is remembered about one list: the position, and the ids of the records read last (at least 255 × 512 of them). Both are one cursor, so
 * that they change together with the effects of a batch.
 */
export class Remembered {
  readonly #name: string
  readonly #parts = new Map<number, Part>()
  readonly #ids = new Map<string, number>()
  #no = 0
  #position: Position = {}

  /** `cursors` are all of the source's. */
  constructor(name: string, cursors: readonly Cursor[]) {
    this.#name = name
    for (const { place, value } of cursors) {
      if (place.slice(0, place.lastIndexOf('/')) !== name) continue
      const part = value as Part
      this.#parts.set(part.no, { ...part, ids: [...part.ids] })
      for (const id of part.ids) this.#ids.set(id, part.no)
      if (part.no < this.#no) continue
      this.#no = part.no
      this.#position = part.position
    }
  }

  /** The position that was stored last. */
  get position(): Position {
    return this.#position
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** Remembers what a batch has read. `position` is absent if it ends in the middle of a page, which is then requested again. */
  add(ids: readonly string[], position: Position | undefined): Cursor {
    this.#position = position ?? this.#position
    let part = this.#parts.get(this.#no) ?? { no: this.#no, position: this.#position, ids: [] }
    if (part.ids.length >= PART_IDS) {
      part = { no: ++this.#no, position: this.#position, ids: [] }
      this.#forget(this.#no - PARTS)
    }
    for (const id of ids) {
      if (this.#ids.has(id)) continue
      this.#ids.set(id, part.no)
      part.ids.push(id)
    }
    this.#parts.set(part.no, part)
    return { place: `${this.#name}/${part.no % PARTS}`, value: { no: part.no, position: this.#position, ids: [...part.ids] } }
  }

  #forget(no: number): void {
    for (const id of this.#parts.get(no)?.ids ?? []) this.#ids.delete(id)
    this.#parts.delete(no)
  }
}
