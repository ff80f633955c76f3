import { maskWord } from '../../../model/ip.ts'
import { inParts, type Slice } from '../../../util/slice.ts'
import type { PrefixList } from './ranges.ts'
import { sharedUint32 } from './shared.ts'

/** Rules out that any network contains an address without reading the networks; false positives are possible. */
export interface Ipv6Filter {
  /** A bit for each hash, set if the first `length` bits of a network have that hash. At most 2 MiB. */
  readonly bits: Uint32Array
  /** Length of the shortest network; 0 if networks are too short, and all addresses pass. */
  readonly length: number
}

/** Shorter networks contain too large a share of the addresses in use. */
const MIN_LENGTH = 48
/** One bit in sixteen is set. */
const SPARSE_BITS = 4
const MAX_BITS = 24

export async function ipv6Filter({ words, bits, size }: PrefixList, slice: Slice): Promise<Ipv6Filter> {
  let length = 128
  for (let i = 0; i < size; i++) length = Math.min(length, bits[i]!)
  if (length < MIN_LENGTH) return { bits: sharedUint32(1), length: 0 }
  const exponent = Math.min(MAX_BITS, Math.max(5, Math.ceil(Math.log2(size + 1)) + SPARSE_BITS))
  const filter = { bits: sharedUint32(2 ** (exponent - 5)), length }
  const hash = new Ipv6Hash(filter)
  await inParts(size, slice, (from, to) => {
    for (let i = from; i < to; i++) {
      const bit = hash.of(words, i * 4)
      filter.bits[bit >>> 5]! |= 1 << (bit & 31)
    }
  })
  return filter
}

/** The filter bit for the leading bits of an address. */
export class Ipv6Hash {
  readonly #shift: number
  readonly #second: number
  readonly #third: number
  readonly #fourth: number

  constructor({ bits, length }: Ipv6Filter) {
    this.#shift = 32 - Math.log2(bits.length * 32)
    this.#second = maskWord(length - 32)
    this.#third = maskWord(length - 64)
    this.#fourth = maskWord(length - 96)
  }

  of(words: Uint32Array, at: number): number {
    let hash = Math.imul(words[at]!, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15) ^ (words[at + 1]! & this.#second), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13) ^ (words[at + 2]! & this.#third), 0xc2b2ae35)
    hash = Math.imul(hash ^ (hash >>> 16) ^ (words[at + 3]! & this.#fourth), 0x27d4eb2f)
    return (hash ^ (hash >>> 15)) >>> this.#shift
  }
}
