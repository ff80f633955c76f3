import type { Slice } from '../slice.ts'

/**
 * Finds the row of an exact text key: open addressing over typed arrays. A miss costs a hash and mostly one read, where a
 * `Map` of a million texts costs several cache misses.
 */
export class TextIndex {
  /** Distinct keys. */
  readonly size: number
  readonly #keys: readonly string[]
  readonly #rows: Int32Array
  /** Pairs: hash, number of the key + 1 (0 = empty). At most half full, so a search ends soon. */
  readonly #slots: Int32Array
  readonly #mask: number

  constructor(keys: readonly string[], rows: Int32Array, slots: Int32Array, size: number) {
    this.size = size
    this.#keys = keys
    this.#rows = rows
    this.#slots = slots
    this.#mask = slots.length / 2 - 1
  }

  /** The row number for a key, or -1. Never allocates. */
  find(text: string): number {
    const hash = hashOf(text)
    const slots = this.#slots
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const key = slots[slot * 2 + 1]!
      if (key === 0) return -1
      if (slots[slot * 2] === hash && this.#keys[key - 1] === text) return this.#rows[key - 1]!
    }
  }
}

/** Gathers keys and makes the index; of equal keys the last added wins. */
export class TextIndexBuilder {
  readonly #keys: string[] = []
  readonly #rows: number[] = []

  add(key: string, row: number): boolean {
    this.#keys.push(key)
    this.#rows.push(row)
    return true
  }

  async build(slice: Slice): Promise<TextIndex> {
    const size = Math.max(16, 2 ** Math.ceil(Math.log2(this.#keys.length * 2 + 1)))
    const slots = new Int32Array(size * 2)
    const rows = Int32Array.from(this.#rows)
    let distinct = 0
    for (const [i, key] of this.#keys.entries()) {
      if (this.#insert(slots, size - 1, key, i)) distinct++
      if ((i & 0xfff) === 0xfff) await slice()
    }
    return new TextIndex(this.#keys, rows, slots, distinct)
  }

  /** True when the key is new. */
  #insert(slots: Int32Array, mask: number, key: string, number: number): boolean {
    const hash = hashOf(key)
    let slot = hash & mask
    let other = slots[slot * 2 + 1]!
    while (other !== 0 && (slots[slot * 2] !== hash || this.#keys[other - 1] !== key)) {
      slot = (slot + 1) & mask
      other = slots[slot * 2 + 1]!
    }
    slots[slot * 2] = hash
    slots[slot * 2 + 1] = number + 1
    return other === 0
  }
}

/** 32 bits of FNV-1a over UTF-16 units with a final mix (the murmur3 finaliser), so that low bits are spread. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
