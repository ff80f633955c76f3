import { inParts, type Slice } from '../../../util/slice.ts'
import { sharedBytes, sharedInt32 } from './shared.ts'

/** The parts of an index of texts; arrays in shared memory. */
export interface TextParts {
  readonly kind: 'texts'
  /** Distinct keys. */
  readonly size: number
  /** The characters of all keys: bytes if all of them fit, otherwise UTF-16 units. */
  readonly units: Uint8Array | Uint16Array
  /** Start of each key in `units`, and finally the end of the last one. */
  readonly starts: Int32Array
  /** Row of each key. */
  readonly rows: Int32Array
  /** Pairs: hash, number of the key + 1 (0 = empty). At most half full, so a search ends soon. */
  readonly slots: Int32Array
}

/**
 * Finds the row of an exact text key: open addressing over typed arrays. A miss costs a hash and mostly one read, where a
 * `Map` of a million texts costs several cache misses.
 */
export class TextIndex {
  readonly parts: TextParts
  readonly size: number
  readonly #units: Uint8Array | Uint16Array
  readonly #starts: Int32Array
  readonly #rows: Int32Array
  readonly #slots: Int32Array
  readonly #mask: number

  constructor(parts: TextParts) {
    this.parts = parts
    this.size = parts.size
    this.#units = parts.units
    this.#starts = parts.starts
    this.#rows = parts.rows
    this.#slots = parts.slots
    this.#mask = parts.slots.length / 2 - 1
  }

  /** The row number for a key, or -1; with `from`, the key is the text from that position on. Never allocates. */
  find(text: string, from = 0): number {
    const hash = hashOf(text, from)
    const slots = this.#slots
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const key = slots[slot * 2 + 1]!
      if (key === 0) return -1
      if (slots[slot * 2] === hash && this.#isKey(key - 1, text, from)) return this.#rows[key - 1]!
    }
  }

  #isKey(key: number, text: string, from: number): boolean {
    const start = this.#starts[key]! - from
    if (this.#starts[key + 1]! - start !== text.length) return false
    for (let i = from; i < text.length; i++) if (this.#units[start + i] !== text.charCodeAt(i)) return false
    return true
  }
}

/** Collects keys and builds the index; the last added of equal keys wins. */
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
    const slots = sharedInt32(size * 2)
    const rows = sharedInt32(this.#keys.length)
    rows.set(this.#rows)
    let distinct = 0
    await inParts(this.#keys.length, slice, (from, to) => {
      for (let i = from; i < to; i++) if (this.#insert(slots, size - 1, this.#keys[i]!, i)) distinct++
    })
    return new TextIndex({ kind: 'texts', size: distinct, ...(await this.#characters(slice)), rows, slots })
  }

  async #characters(slice: Slice): Promise<Pick<TextParts, 'units' | 'starts'>> {
    const keys = this.#keys
    const starts = sharedInt32(keys.length + 1)
    let isWide = false
    await inParts(keys.length, slice, (from, to) => {
      for (let i = from; i < to; i++) {
        starts[i + 1] = starts[i]! + keys[i]!.length
        isWide ||= !isOfBytes(keys[i]!)
      }
    })
    const total = starts[keys.length]!
    const units = isWide ? new Uint16Array(new SharedArrayBuffer(total * 2)) : sharedBytes(total)
    await inParts(keys.length, slice, (from, to) => {
      for (let i = from; i < to; i++) {
        const key = keys[i]!
        const start = starts[i]!
        for (let at = 0; at < key.length; at++) units[start + at] = key.charCodeAt(at)
      }
    })
    return { units, starts }
  }

  /** True if the key is new. */
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

function isOfBytes(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false
  return true
}

/** 32 bits of FNV-1a over UTF-16 units with a final mix (the murmur3 finaliser), so that low bits are spread. */
function hashOf(text: string, from = 0): number {
  let hash = 0x811c9dc5
  for (let i = from; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
