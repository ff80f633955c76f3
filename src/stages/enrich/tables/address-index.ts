import { type IpFamily, type IpPrefix, parseIp, parsePrefix } from '../../../model/ip.ts'
import { networksOf, parseRange } from '../../../model/ip-range.ts'
import type { Slice } from '../slice.ts'
import { flatten, PrefixList, type Ranges } from './ranges.ts'

/** Finds the row of the longest network that holds an address. Made once, never changed. */
export class AddressIndex {
  /** Distinct networks. */
  readonly size: number
  readonly #v4: Ipv4Index
  readonly #v6: Ranges
  readonly #words = new Uint32Array(4)

  constructor(v4: Ranges, v6: Ranges) {
    this.#v4 = new Ipv4Index(v4)
    this.#v6 = v6
    this.size = v4.networks + v6.networks
  }

  /** The row number for an address, -1 when no network holds it or the text is not an address. Never allocates. */
  find(text: string): number {
    return this.findAddress(parseIp(text, this.#words), this.#words)
  }

  /** The same for an address that has been read already by `parseIp`. */
  findAddress(family: IpFamily, words: Uint32Array): number {
    if (family === 4) return this.#v4.find(words[0]!)
    return family === 6 && this.#v6.networks > 0 ? this.#findIpv6(words) : -1
  }

  #findIpv6(words: Uint32Array): number {
    const { starts, rows, size } = this.#v6
    const first = words[0]!
    let low = 0
    let high = size
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = middle * 4
      const start = starts[at]!
      // Mostly the first word tells.
      if (start < first || (start === first && isAtMost(starts, at, words))) low = middle + 1
      else high = middle
    }
    return rows[low - 1]!
  }
}

/** True when the last three of the four words at `at` are at most those of the address. */
function isAtMost(starts: Uint32Array, at: number, words: Uint32Array): boolean {
  let word = 1
  while (word < 3 && starts[at + word] === words[word]) word++
  return starts[at + word]! <= words[word]!
}

/** Buckets of the bitmap for each range: of a scattered table's bitmap one bit in some sixteen is set. */
const SPARSENESS_BITS = 4

/** IPv4 ranges behind a bitmap, which answers nearly every miss with one read of a small array. */
class Ipv4Index {
  /** A bit for each bucket of addresses with the same leading bits: 0 = no network has a part in it. */
  readonly #bitmap: Uint32Array
  readonly #bitmapShift: number
  /** Pairs: start of a range, number of its row + 1 (0 = none). */
  readonly #ranges: Uint32Array
  /** `#first[b]` = number of ranges that start in a bucket before `b`; coarser buckets than the bitmap's. */
  readonly #first: Uint32Array
  readonly #shift: number

  constructor({ starts, rows, size }: Ranges) {
    const bits = Math.min(20, Math.max(8, Math.ceil(Math.log2(size))))
    this.#shift = 32 - bits
    this.#bitmapShift = this.#shift - SPARSENESS_BITS
    this.#bitmap = new Uint32Array(1 << (bits + SPARSENESS_BITS - 5))
    this.#first = new Uint32Array((1 << bits) + 1)
    this.#ranges = new Uint32Array(size * 2)
    for (let i = 0; i < size; i++) {
      this.#ranges[i * 2] = starts[i]!
      this.#ranges[i * 2 + 1] = rows[i]! + 1
      this.#first[(starts[i]! >>> this.#shift) + 1]!++
      const last = i + 1 < size ? starts[i + 1]! - 1 : 0xffffffff
      if (rows[i]! >= 0) this.#mark(starts[i]! >>> this.#bitmapShift, last >>> this.#bitmapShift)
    }
    for (let bucket = 1; bucket <= 1 << bits; bucket++) this.#first[bucket]! += this.#first[bucket - 1]!
  }

  find(address: number): number {
    const bit = address >>> this.#bitmapShift
    if (((this.#bitmap[bit >>> 5]! >>> (bit & 31)) & 1) === 0) return -1
    const ranges = this.#ranges
    const bucket = address >>> this.#shift
    let low = this.#first[bucket]!
    let high = this.#first[bucket + 1]!
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ranges[middle * 2]! <= address) low = middle + 1
      else high = middle
    }
    return ranges[low * 2 - 1]! - 1
  }

  #mark(from: number, to: number): void {
    for (let bit = from; bit <= to; bit++) {
      // Wide networks fill whole words.
      if ((bit & 31) === 0 && bit + 31 <= to) {
        this.#bitmap[bit >>> 5] = 0xffffffff
        bit += 31
      } else this.#bitmap[bit >>> 5]! |= 1 << (bit & 31)
    }
  }
}

/** Gathers keys (addresses, or networks and ranges too) and makes the index. */
export class AddressIndexBuilder {
  readonly #v4 = new PrefixList(1)
  readonly #v6 = new PrefixList(4)
  readonly #networks: boolean

  /** Without `networks` a key like `10.0.0.0/8` is refused. */
  constructor(networks: boolean) {
    this.#networks = networks
  }

  /** False when the key is not one. */
  add(key: string, row: number): boolean {
    const range = this.#networks && key.includes('-') ? parseRange(key) : undefined
    if (range) {
      for (const network of networksOf(range)) this.#add(network, row)
      return true
    }
    const prefix = this.#networks || !key.includes('/') ? parsePrefix(key) : undefined
    if (!prefix) return false
    this.#add(prefix, row)
    return true
  }

  #add(prefix: IpPrefix, row: number): void {
    if (prefix.family === 4) this.#v4.add(prefix, row)
    else this.#v6.add(prefix, row)
  }

  async build(slice: Slice): Promise<AddressIndex> {
    return new AddressIndex(await flatten(this.#v4, slice), await flatten(this.#v6, slice))
  }
}
