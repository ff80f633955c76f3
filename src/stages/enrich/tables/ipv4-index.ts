import { maskWord } from '../../../model/ip.ts'
import { inParts, type Slice } from '../slice.ts'
import { type Entries, lengthOf, rowOf, UNCHECKED } from './entries.ts'
import { sharedInt32, sharedUint32 } from './shared.ts'

/** What an index of IPv4 networks is made of; arrays in shared memory. */
export interface Ipv4Parts {
  /** A bit for each bucket of addresses with the same leading bits: 0 = no network has a part in it. At most 2 MiB. */
  readonly bitmap: Uint32Array
  readonly bitmapShift: number
  /** Pairs: start of an entry, its value (`Entries`). */
  readonly entries: Uint32Array
  /** Number of entries that start in a bucket before this one; coarser buckets than the bitmap's. */
  readonly first: Int32Array
  readonly shift: number
}

/** An entry or two in a bucket, so that the buckets' numbers stay in the processor's cache. */
const CROWDED_BITS = 1
/** Of a scattered table's bitmap one bit in some sixteen is set. */
const SPARSE_BITS = 4

/** IPv4 networks behind a bitmap, which answers nearly every miss of a sparse table with one read of a small array. */
export class Ipv4Index {
  readonly parts: Ipv4Parts
  readonly #bitmap: Uint32Array
  readonly #bitmapShift: number
  readonly #entries: Uint32Array
  readonly #first: Int32Array
  readonly #shift: number

  constructor(parts: Ipv4Parts) {
    this.parts = parts
    this.#bitmap = parts.bitmap
    this.#bitmapShift = parts.bitmapShift
    this.#entries = parts.entries
    this.#first = parts.first
    this.#shift = parts.shift
  }

  /** The row for an address, -1 for none. */
  find(address: number): number {
    const bit = address >>> this.#bitmapShift
    if (((this.#bitmap[bit >>> 5]! >>> (bit & 31)) & 1) === 0) return -1
    const entries = this.#entries
    const bucket = address >>> this.#shift
    // The last entry that starts at or before the address. The one before the bucket's first always does.
    let at = this.#first[bucket]! - 1
    let left = this.#first[bucket + 1]! - at
    while (left > 1) {
      const half = left >>> 1
      if (entries[(at + half) * 2]! <= address) at += half
      left -= half
    }
    const value = entries[at * 2 + 1]!
    const length = lengthOf(value)
    return length === UNCHECKED || ((address ^ entries[at * 2]!) & maskWord(length)) === 0 ? rowOf(value) : -1
  }
}

/** Makes the parts of entries. */
export async function ipv4Parts(all: Entries, slice: Slice): Promise<Ipv4Parts> {
  const { starts, values, size } = all
  const bits = Math.min(20, Math.max(8, Math.ceil(Math.log2(size)) - CROWDED_BITS))
  const shift = 32 - bits
  const bitmap = await bitmapOf(all, Math.min(24, bits + CROWDED_BITS + SPARSE_BITS), slice)
  const first = sharedInt32((1 << bits) + 1)
  const entries = sharedUint32(size * 2)
  await inParts(size, slice, (from, to) => {
    for (let i = from; i < to; i++) {
      first[(starts[i]! >>> shift) + 1]!++
      entries[i * 2] = starts[i]!
      entries[i * 2 + 1] = values[i]!
    }
  })
  for (let bucket = 1; bucket <= 1 << bits; bucket++) first[bucket]! += first[bucket - 1]!
  return { ...bitmap, entries, first, shift }
}

/** A table that is in most places anyway needs no bitmap: one that says yes everywhere is read faster. */
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
