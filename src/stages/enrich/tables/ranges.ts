import { type IpPrefix, maskWord } from '../../../model/ip.ts'
import type { Slice } from '../slice.ts'

/**
 * Networks of one family, flattened into ranges that do not overlap: the range from `starts[i]` up to the next start
 * belongs to row `rows[i]`, -1 for none. The first range starts at zero. IPv4 has one word a start, IPv6 four.
 */
export interface Ranges {
  readonly starts: Uint32Array
  readonly rows: Int32Array
  readonly size: number
  /** Distinct networks. */
  readonly networks: number
}

/** Networks gathered while a table is read; each with the number of its row. */
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

/** Flattens networks into ranges: of several that hold an address the longest wins, of equal ones the last added. */
export async function flatten(list: PrefixList, slice: Slice): Promise<Ranges> {
  const order = await sort(list, slice)
  const sweep = new Sweep(list.width, list.size)
  for (let i = 0; i < list.size; i++) {
    sweep.take(list, order[i]!)
    if ((i & 0xfff) === 0xfff) await slice()
  }
  return sweep.finish()
}

/** Order by address, then by length (wide networks first), then by place in the list: a radix sort, so that it can pause. */
async function sort(list: PrefixList, slice: Slice): Promise<Uint32Array> {
  const { width, words, bits, size } = list
  let order = new Uint32Array(size)
  for (let i = 0; i < size; i++) order[i] = i
  order = radixPass(order, (i) => bits[i]!)
  for (let word = width - 1; word >= 0; word--) {
    order = radixPass(order, (i) => words[i * width + word]! & 0xffff)
    await slice()
    order = radixPass(order, (i) => words[i * width + word]! >>> 16)
    await slice()
  }
  return order
}

/** One stable counting pass over a 16-bit digit. */
function radixPass(order: Uint32Array<ArrayBuffer>, digitOf: (item: number) => number): Uint32Array<ArrayBuffer> {
  const places = new Uint32Array(0x10001)
  for (const item of order) places[digitOf(item) + 1]!++
  for (let digit = 1; digit <= 0x10000; digit++) places[digit]! += places[digit - 1]!
  const sorted = new Uint32Array(order.length)
  for (const item of order) sorted[places[digitOf(item)]!++] = item
  return sorted
}

/** Walks sorted networks with a stack of those that are open, and writes a range wherever the innermost one changes. */
class Sweep {
  readonly #width: 1 | 4
  readonly #starts: Uint32Array
  readonly #rows: Int32Array
  #size = 0
  #networks = 0
  // Open networks, the innermost on top. Networks nest, so there are never more than lengths exist.
  readonly #open: { last: Uint32Array; row: number; bits: number }[] = []

  constructor(width: 1 | 4, count: number) {
    this.#width = width
    this.#starts = new Uint32Array((count * 2 + 1) * width)
    this.#rows = new Int32Array(count * 2 + 1)
    this.#emit(new Uint32Array(width), 0, -1)
  }

  take(list: PrefixList, item: number): void {
    const width = this.#width
    const at = item * width
    const bits = list.bits[item]!
    const row = list.rows[item]!
    while (this.#open.length > 0 && compare(this.#open.at(-1)!.last, 0, list.words, at, width) < 0) this.#close()
    const last = new Uint32Array(width)
    for (let i = 0; i < width; i++) last[i] = list.words[at + i]! | ~maskWord(bits - i * 32)
    const top = this.#open.at(-1)
    if (top && top.bits === bits) top.row = row
    else {
      this.#open.push({ last, row, bits })
      this.#networks++
    }
    this.#emit(list.words, at, row)
  }

  finish(): Ranges {
    while (this.#open.length > 0) this.#close()
    return {
      starts: this.#starts.slice(0, this.#size * this.#width),
      rows: this.#rows.slice(0, this.#size),
      size: this.#size,
      networks: this.#networks,
    }
  }

  /** Ends the innermost network: what follows belongs to the one around it. */
  #close(): void {
    const { last } = this.#open.pop()!
    for (let i = this.#width - 1; i >= 0; i--) {
      last[i]!++
      if (last[i] !== 0) {
        this.#emit(last, 0, this.#open.at(-1)?.row ?? -1)
        return
      }
    }
    // The network reached the end of the address space: nothing follows.
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
