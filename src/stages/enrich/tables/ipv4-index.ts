import { maskWord } from '../../../model/ip.ts'
import { inParts, type Slice } from '../../../util/slice.ts'
import { type Entries, lengthOf, rowOf, UNCHECKED } from './entries.ts'
import { sharedInt32, sharedUint32 } from './shared.ts'

/** The parts of an index of IPv4 networks; arrays in shared memory. */
export interface Ipv4Parts {
  /** A bit for each bucket of addresses with the same leading bits: 0 = no network overlaps it. At most 2 MiB. */
  readonly bitmap: Uint32Array
  readonly bitmapShift: number
  /** Pairs: start of an entry, its value (`Entries`). */
  readonly entries: Uint32Array
  /**
   * For each bucket of addresses, coarser than the bitmap's: row + 1 (0 = none) if it is the same for all of them, otherwise `~entry` of
   * the first entry that starts in the bucket.
   */
  readonly buckets: Int32Array
  readonly shift: number
}

/** At least four buckets per entry, so that most contain the row itself; fewer for a large table, so that they take at most 4 MiB. */
const ROOMY_BITS = 2
const MAX_BITS = 20
/** About one bit in sixteen is set in the bitmap of a scattered table. */
const SPARSE_BITS = 4

/** IPv4 networks with a bitmap that answers nearly every miss of a sparse table with one read of a small array. */
export class Ipv4Index {
  readonly parts: Ipv4Parts
  readonly #bitmap: Uint32Array
  readonly #bitmapShift: number
  readonly #entries: Uint32Array
  readonly #buckets: Int32Array
  readonly #shift: number

  constructor(parts: Ipv4Parts) {
    this.parts = parts
    this.#bitmap = parts.bitmap
    this.#bitmapShift = parts.bitmapShift
    this.#entries = parts.entries
    this.#buckets = parts.buckets
    this.#shift = parts.shift
  }

  /** The row for an address, -1 for none. */
  find(address: number): number {
    const bit = address >>> this.#bitmapShift
    if (((this.#bitmap[bit >>> 5]! >>> (bit & 31)) & 1) === 0) return -1
    const found = this.#buckets[address >>> this.#shift]!
    return found >= 0 ? found - 1 : this.#search(address, ~found - 1)
  }

  /** The row of the last entry that starts at or before the address: the one at `from`, which does, or usually one of the next few. */
  #search(address: number, from: number): number {
    const entries = this.#entries
    const end = entries.length >>> 1
    let at = from
    let step = 1
    for (; at + step < end && entries[(at + step) * 2]! <= address; step *= 2) at += step
    while (step > 1) {
      step >>>= 1
      if (at + step < end && entries[(at + step) * 2]! <= address) at += step
    }
    const value = entries[at * 2 + 1]!
    const length = lengthOf(value)
    return length === UNCHECKED || ((address ^ entries[at * 2]!) & maskWord(length)) === 0 ? rowOf(value) : -1
  }
}

/** Builds the parts from entries. */
export async function ipv4Parts(all: Entries, slice: Slice): Promise<Ipv4Parts> {
  const { starts, values, size } = all
  const crowd = Math.ceil(Math.log2(size))
  const bits = Math.min(MAX_BITS, Math.max(8, crowd + ROOMY_BITS))
  const bitmap = await bitmapOf(all, Math.min(24, Math.max(8, crowd) + SPARSE_BITS), slice)
  const entries = sharedUint32(size * 2)
  await inParts(size, slice, (from, to) => {
    for (let i = from; i < to; i++) {
      entries[i * 2] = starts[i]!
      entries[i * 2 + 1] = values[i]!
    }
  })
  return { ...bitmap, entries, buckets: await bucketsOf(all, bits, slice), shift: 32 - bits }
}

async function bucketsOf({ starts, values, size }: Entries, bits: number, slice: Slice): Promise<Int32Array> {
  const shift = 32 - bits
  const buckets = sharedInt32(1 << bits)
  let entry = 0
  await inParts(1 << bits, slice, (from, to) => {
    for (let bucket = from; bucket < to; bucket++) {
      const first = entry
      while (entry < size && starts[entry]! >>> shift === bucket) entry++
      const address = bucket * 2 ** shift
      // The only entry valid in this bucket: one that continues from before, or one that starts with it and does not end within it.
      const isWhole = entry === first + 1 && starts[first] === address && isWide(values[first]!, bits)
      if (entry > first && !isWhole) buckets[bucket] = ~first
      else buckets[bucket] = rowAt(starts, values, isWhole ? first : first - 1, address) + 1
    }
  })
  return buckets
}

/** True if an entry that starts with a bucket is valid for all of it. */
function isWide(value: number, bits: number): boolean {
  return lengthOf(value) === UNCHECKED || lengthOf(value) <= bits
}

/** The row that an entry yields for an address at or after its start. */
function rowAt(starts: Uint32Array, values: Uint32Array, entry: number, address: number): number {
  const length = lengthOf(values[entry]!)
  return length === UNCHECKED || ((address ^ starts[entry]!) & maskWord(length)) === 0 ? rowOf(values[entry]!) : -1
}

/** A table that covers most buckets needs no bitmap: one with all bits set is read faster. */
async function bitmapOf(
  { starts, values, size }: Entries,
  bits: number,
  slice: Slice,
): Promise<Pick<Ipv4Parts, 'bitmap' | 'bitmapShift'>> {
  const bitmapShift = 32 - bits
  const bitmap = sharedUint32(1 << (bits - 5))
  await inParts(size, slice, (from, to) => {
    for (let i = from; i < to; i++) {
      const value = values[i]!
      if (rowOf(value) < 0) continue
      const start = starts[i]!
      const next = i + 1 < size ? starts[i + 1]! - 1 : 0xffffffff
      const length = lengthOf(value)
      const last = length === UNCHECKED ? next : start + 2 ** (32 - length) - 1
      mark(bitmap, start >>> bitmapShift, last >>> bitmapShift)
    }
  })
  let full = 0
  for (const word of bitmap) if (word === 0xffffffff) full++
  return full * 2 < bitmap.length ? { bitmap, bitmapShift } : { bitmap: sharedUint32(1).fill(0xffffffff), bitmapShift: 31 }
}

function mark(bitmap: Uint32Array, from: number, to: number): void {
  for (let bit = from; bit <= to; bit++) {
    // Wide networks fill whole words.
    if ((bit & 31) === 0 && bit + 31 <= to) {
      bitmap[bit >>> 5] = 0xffffffff
      bit += 31
    } else bitmap[bit >>> 5]! |= 1 << (bit & 31)
  }
}
