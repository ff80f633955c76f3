import { type IpPrefix, parseIp } from './ip.ts'

/** Addresses from `first` to `last`, both included, as numbers of 32 or 128 bits. */
export interface IpRange {
  readonly family: 4 | 6
  readonly first: bigint
  readonly last: bigint
}

const words = new Uint32Array(4)

/** An address as a number, or `undefined`. */
export function addressNumber(text: string): { readonly family: 4 | 6; readonly value: bigint } | undefined {
  const family = parseIp(text, words)
  if (family === 0) return undefined
  if (family === 4) return { family, value: BigInt(words[0]!) }
  return { family, value: words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n) }
}

/** The range between two addresses, or `undefined` if they are not of one family or the second comes before the first. */
export function rangeOf(first: string, last: string): IpRange | undefined {
  const [from, to] = [addressNumber(first), addressNumber(last)]
  if (!from || !to || from.family !== to.family || from.value > to.value) return undefined
  return { family: from.family, first: from.value, last: to.value }
}

/** Parses `192.0.2.1-192.0.2.9`; blanks around the dash are allowed. */
export function parseRange(text: string): IpRange | undefined {
  const dash = text.indexOf('-')
  return dash < 0 ? undefined : rangeOf(text.slice(0, dash).trim(), text.slice(dash + 1).trim())
}

/** Number of bits in an address of the family. */
export function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128
}

/** The smallest set of networks that covers a range exactly: at most 62 for IPv4, 254 for IPv6. */
export function networksOf({ family, first, last }: IpRange): IpPrefix[] {
  const width = widthOf(family)
  const networks: IpPrefix[] = []
  for (let at = first; at <= last; ) {
    let host = at === 0n ? width : trailingZeros(at, width)
    while (at + (1n << BigInt(host)) - 1n > last) host--
    networks.push({ family, bits: width - host, words: wordsOf(at, family) })
    at += 1n << BigInt(host)
  }
  return networks
}

function trailingZeros(value: bigint, most: number): number {
  let count = 0
  while (count < most && (value & (1n << BigInt(count))) === 0n) count++
  return count
}

function wordsOf(value: bigint, family: 4 | 6): number[] {
  if (family === 4) return [Number(value)]
  return [96n, 64n, 32n, 0n].map((shift) => Number((value >> shift) & 0xffff_ffffn))
}
