import { type IpPrefix, maskWord } from '../../../model/ip.ts'
import { inParts, type Slice } from '../../../util/slice.ts'

/**
 * Networks of one family, flattened into ranges that do not overlap: the range from `starts[i]` up to the next start
 * belongs to row `rows[i]`, -1 for none. The first range starts at zero. A start is one word for IPv4, four for IPv6.
 */
export interface Ranges {
  readonly starts: Uint32Array
  readonly rows: Int32Array
  readonly size: number
  /** Distinct networks. */
  readonly networks: number
}

/** Networks collected while a table is read, each with the number of its row. */
export class PrefixList {
  readonly width: 1 | 4
  size = 0
  words: Uint32Array
  bits = new Uint8Array(1024)
  rows = new Int32Array(1024)

  constructor(width: 1 | 4) {
    this.width = width
    this.words = new Uint32Array(1024 * width)
  }

  add(prefix: IpPrefix, row: number): void {
    if (this.size === this.rows.length) this.#grow()
    for (let i = 0; i < this.width; i++) this.words[this.size * this.width + i] = prefix.words[i]!
    this.bits[this.size] = prefix.bits
    this.rows[this.size++] = row
  }

  #grow(): void {
    const words = new Uint32Array(this.words.length * 2)
    const bits = new Uint8Array(this.bits.length * 2)
    const rows = new Int32Array(this.rows.length * 2)
    words.set(this.words)
    bits.set(this.bits)
    rows.set(this.rows)
    this.words = words
    this.bits = bits
    this.rows = rows
  }
}

/**
 * Flattens networks into ranges: the longest network that contains an address wins, and the last added of equal ones. `outer` receives, by
 * row, the row of the smallest network around that of a row.
 */
export async function flatten(list: PrefixList, slice: Slice, outer?: Int32Array): Promise<Ranges> {
  const order = await sort(list, slice)
  const sweep = new Sweep(list.width, list.size, outer)
  await inParts(list.size, slice, (from, to) => {
    for (let i = from; i < to; i++) sweep.take(list, order[i]!)
  })
  return sweep.finish()
}

/** Order by address, then by length (wide networks first), then by position in the list: a radix sort, because it can pause. */
async function sort(list: PrefixList, slice: Slice): Promise<Uint32Array> {
  const { width, words, bits, size } = list
  let order = new Uint32Array(size)
  for (let i = 0; i < size; i++) order[i] = i
  order = await radixPass(order, (i) => bits[i]!, slice)
  for (let word = width - 1; word >= 0; word--) {
    order = await radixPass(order, (i) => words[i * width + word]! & 0xffff, slice)
    order = await radixPass(order, (i) => words[i * width + word]! >>> 16, slice)
  }
  return order
}

/** One stable counting pass over a 16-bit digit. */
async function radixPass(
  order: Uint32Array<ArrayBuffer>,
  digitOf: (item: number) => number,
  slice: Slice,
): Promise<Uint32Array<ArrayBuffer>> {
  const places = new Uint32Array(0x10001)
  // In list order, which is read faster than the order being built.
  await inParts(order.length, slice, (from, to) => {
    for (let item = from; item < to; item++) places[digitOf(item) + 1]!++
  })
  // All have the same digit: nothing to sort.
  if (order.length === 0 || places[digitOf(0) + 1] === order.length) return order
  for (let digit = 1; digit <= 0x10000; digit++) places[digit]! += places[digit - 1]!
  const sorted = new Uint32Array(order.length)
  await inParts(order.length, slice, (from, to) => {
    for (let i = from; i < to; i++) sorted[places[digitOf(order[i]!)]!++] = order[i]!
  })
  return sorted
}

/** Number of possible lengths of IPv6 networks. */
const MOST_OPEN = 129

/** Walks sorted networks with a stack of open ones, and writes a range wherever the innermost one changes. */
class Sweep {
  readonly #width: 1 | 4
  readonly #starts: Uint32Array
  readonly #rows: Int32Array
  #size = 0
  #networks = 0
  // Open networks, the innermost on top: last address, row and length of each. They nest, so the number of lengths is the maximum depth.
  #open = 0
  readonly #lasts: Uint32Array
  readonly #openRows = new Int32Array(MOST_OPEN)
  readonly #openBits = new Uint8Array(MOST_OPEN)
  readonly #outer: Int32Array | undefined

  constructor(width: 1 | 4, count: number, outer: Int32Array | undefined) {
    this.#width = width
    this.#outer = outer
    this.#lasts = new Uint32Array(MOST_OPEN * width)
    this.#starts = new Uint32Array((count * 2 + 1) * width)
    this.#rows = new Int32Array(count * 2 + 1)
    this.#emit(new Uint32Array(width), 0, -1)
  }

  take(list: PrefixList, item: number): void {
    const width = this.#width
    const at = item * width
    const bits = list.bits[item]!
    const row = list.rows[item]!
    while (this.#open > 0 && compare(this.#lasts, (this.#open - 1) * width, list.words, at, width) < 0) this.#close()
    if (this.#open === 0 || this.#openBits[this.#open - 1] !== bits) {
      this.#networks++
      this.#openBits[this.#open] = bits
      const last = this.#open++ * width
      for (let i = 0; i < width; i++) this.#lasts[last + i] = list.words[at + i]! | ~maskWord(bits - i * 32)
    }
    this.#openRows[this.#open - 1] = row
    if (this.#outer && this.#open > 1) this.#outer[row] = this.#openRows[this.#open - 2]!
    this.#emit(list.words, at, row)
  }

  finish(): Ranges {
    while (this.#open > 0) this.#close()
    return {
      starts: this.#starts.subarray(0, this.#size * this.#width),
      rows: this.#rows.subarray(0, this.#size),
      size: this.#size,
      networks: this.#networks,
    }
  }

  /** Ends the innermost network: the following addresses belong to the enclosing one. */
  #close(): void {
    const at = --this.#open * this.#width
    for (let i = this.#width - 1; i >= 0; i--) {
      this.#lasts[at + i]!++
      if (this.#lasts[at + i] !== 0) {
        this.#emit(this.#lasts, at, this.#open > 0 ? this.#openRows[this.#open - 1]! : -1)
        return
      }
    }
    // The network reached the end of the address space.
  }

  #emit(words: Uint32Array, at: number, row: number): void {
    const width = this.#width
    if (this.#size > 0 && compare(this.#starts, (this.#size - 1) * width, words, at, width) === 0) this.#size--
    for (let i = 0; i < width; i++) this.#starts[this.#size * width + i] = words[at + i]!
    this.#rows[this.#size++] = row
  }
}

function compare(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number, width: number): number {
  for (let i = 0; i < width; i++) {
    const difference = a[aAt + i]! - b[bAt + i]!
    if (difference !== 0) return difference
  }
  return 0
}
