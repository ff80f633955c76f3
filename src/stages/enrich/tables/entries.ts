import { inParts, type Slice } from '../../../util/slice.ts'
import type { Ranges } from './ranges.ts'

/**
 * Ranges in the form an index stores them. Most tables are sparse, so every other range would say "no row from here on". Where such a
 * range follows one that is a network, it is left out: the network's length is stored with its row and checked instead.
 */
export interface Entries {
  readonly size: number
  /** One word for IPv4, four for IPv6. */
  readonly width: 1 | 4
  /** Ascending; the first is zero. */
  readonly starts: Uint32Array
  /** Row + 1 (0 = none) in the lower 24 bits, the length of the network above them, or `UNCHECKED`. */
  readonly values: Uint32Array
}

/** The row is valid up to the next start. */
export const UNCHECKED = 0xff
const ROW_BITS = 24
export const MAX_ROW = 2 ** ROW_BITS - 2

export function rowOf(value: number): number {
  return (value & 0xffffff) - 1
}

export function lengthOf(value: number): number {
  return value >>> ROW_BITS
}

/** The entries of flattened ranges. */
export async function entriesOf({ starts, rows, size }: Ranges, width: 1 | 4, slice: Slice): Promise<Entries> {
  const kept = { starts: new Uint32Array(size * width), values: new Uint32Array(size) }
  let entries = 0
  // The previous range was a network, so this one need not be stored.
  let isSpared = false
  await inParts(size, slice, (from, to) => {
    for (let i = from; i < to; i++) {
      if (isSpared) {
        isSpared = false
        continue
      }
      const row = rows[i]!
      const isSparse = row >= 0 && rows[i + 1] === -1
      const length = isSparse ? networkLength(starts, i * width, width) : -1
      for (let word = 0; word < width; word++) kept.starts[entries * width + word] = starts[i * width + word]!
      kept.values[entries++] = ((length < 0 ? UNCHECKED : length) << ROW_BITS) | (row + 1)
      isSpared = length >= 0
    }
  })
  return { size: entries, width, starts: kept.starts.subarray(0, entries * width), values: kept.values.subarray(0, entries) }
}

const differing = new Uint32Array(4)

/** The length of the network that ends where the next range starts; -1 if the range is not a single network. */
function networkLength(starts: Uint32Array, at: number, width: number): number {
  let length = 0
  let isInside = false
  let borrow = 1
  for (let word = width - 1; word >= 0; word--) {
    const start = starts[at + word]!
    const next = starts[at + width + word]!
    differing[word] = start ^ ((next - borrow) >>> 0)
    // The address bits of a network's start are all zero.
    if ((start & differing[word]!) !== 0) return -1
    borrow = borrow > 0 && next === 0 ? 1 : 0
  }
  for (let word = 0; word < width; word++) {
    const bits = differing[word]!
    const zeros = Math.clz32(bits)
    // Ones up to the end, and only ones in the words that follow.
    if (isInside ? zeros > 0 || ~bits !== 0 : zeros < 32 && bits !== 0xffffffff >>> zeros) return -1
    if (!isInside) length += zeros
    isInside ||= zeros < 32
  }
  return length
}
