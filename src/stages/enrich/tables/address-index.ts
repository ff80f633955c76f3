import { type IpFamily, type IpPrefix, parseIp, parsePrefix } from '../../../model/ip.ts'
import { networksOf, parseRange } from '../../../model/ip-range.ts'
import type { Slice } from '../../../util/slice.ts'
import { TableError } from '../table.ts'
import type { AddressBatch } from './address-batch.ts'
import { entriesOf } from './entries.ts'
import { Ipv4Index, type Ipv4Parts, ipv4Parts } from './ipv4-index.ts'
import { ipv6Filter } from './ipv6-filter.ts'
import { Ipv6Index, type Ipv6Parts, ipv6Parts } from './ipv6-index.ts'
import { flatten, PrefixList } from './ranges.ts'
import { MAX_KEYS } from './row-groups.ts'
import { sharedInt32 } from './shared.ts'

/** The parts of an index of networks. */
export interface AddressParts {
  readonly kind: 'addresses'
  /** Distinct networks. */
  readonly size: number
  readonly v4: Ipv4Parts
  readonly v6: Ipv6Parts
  /** By the number of a network: that of the smallest network around it, -1 for none. */
  readonly outer?: Int32Array | undefined
}

/** Finds the row of the longest network that contains an address. Immutable. */
export class AddressIndex {
  readonly parts: AddressParts
  readonly size: number
  readonly #v4: Ipv4Index
  readonly #v6: Ipv6Index
  readonly #words = new Uint32Array(4)

  constructor(parts: AddressParts) {
    this.parts = parts
    this.size = parts.size
    this.#v4 = new Ipv4Index(parts.v4)
    this.#v6 = new Ipv6Index(parts.v6)
  }

  /** The row number for an address; -1 if no network contains it or the text is not an address. Never allocates. */
  find(text: string): number {
    return this.findAddress(parseIp(text, this.#words), this.#words)
  }

  /** The same for an address that `parseIp` has already parsed. */
  findAddress(family: IpFamily, words: Uint32Array, at = 0): number {
    if (family === 4) return this.#v4.find(words[at]!)
    return family === 6 ? this.#v6.find(words, at) : -1
  }

  findWhere(text: string, accepts: (row: number) => boolean): number {
    return this.outerWhere(this.find(text), accepts)
  }

  /** The number of the innermost accepted network: this one, or one around it. */
  outerWhere(number: number, accepts: (row: number) => boolean): number {
    let at = number
    while (at >= 0 && !accepts(at)) at = this.parts.outer?.[at] ?? -1
    return at
  }

  /** The row number for each address of a batch, or -1. */
  findAll({ size, families, words }: AddressBatch, rows: Int32Array): void {
    for (let i = 0; i < size; i++) rows[i] = this.findAddress(families[i] as IpFamily, words, i * 4)
  }
}

/** Collects keys (addresses, or also networks and ranges) and builds the index. */
export class AddressIndexBuilder {
  readonly #v4 = new PrefixList(1)
  readonly #v6 = new PrefixList(4)
  readonly #networks: boolean
  readonly #isNested: boolean
  #numbers = 0

  /** Without `networks` a key like `10.0.0.0/8` is refused; `isNested`: it is recorded which network is in which. */
  constructor(networks: boolean, isNested = false) {
    this.#networks = networks
    this.#isNested = isNested
  }

  /** False if the text is not a valid key. */
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
    if (this.#v4.size + this.#v6.size === MAX_KEYS)
      throw new TableError(`the addresses and ranges of the content are more than ${MAX_KEYS} networks`)
    this.#numbers = Math.max(this.#numbers, row + 1)
    if (prefix.family === 4) this.#v4.add(prefix, row)
    else this.#v6.add(prefix, row)
  }

  async build(slice: Slice): Promise<AddressIndex> {
    const outer = this.#isNested ? sharedInt32(this.#numbers).fill(-1) : undefined
    const v4 = await flatten(this.#v4, slice, outer)
    const v6 = await flatten(this.#v6, slice, outer)
    return new AddressIndex({
      kind: 'addresses',
      size: v4.networks + v6.networks,
      ...(outer && { outer }),
      v4: await ipv4Parts(await entriesOf(v4, 1, slice), slice),
      v6: await ipv6Parts(await ipv6Filter(this.#v6, slice), await entriesOf(v6, 4, slice), slice),
    })
  }
}

/** An address in one spelling; `undefined` if the text is not an address. */
export function canonicalAddress(key: string): string | undefined {
  return key.includes('/') ? undefined : textOf(parsePrefix(key))
}

/** A network or range in one spelling; `undefined` if the text is neither. */
export function canonicalNetwork(key: string): string | undefined {
  const range = key.includes('-') ? parseRange(key) : undefined
  return range ? networksOf(range).map(textOf).join(' ') : textOf(parsePrefix(key))
}

function textOf(prefix: IpPrefix | undefined): string | undefined {
  return prefix && `${prefix.words.map((word) => word.toString(16)).join(':')}/${prefix.bits}`
}

/** The networks of a range; a key that is not a range as it is. */
export function splitRange(key: string): readonly string[] {
  const range = key.includes('-') ? parseRange(key) : undefined
  return range ? networksOf(range).map(({ family, words, bits }) => `${written(family, words)}/${bits}`) : [key]
}

function written(family: 4 | 6, words: readonly number[]): string {
  if (family === 4) return [24, 16, 8, 0].map((shift) => (words[0]! >>> shift) & 255).join('.')
  return words.map((word) => `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`).join(':')
}
