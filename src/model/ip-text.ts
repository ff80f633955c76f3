import { type IpPrefix, parsePrefix } from './ip.ts'
import { type IpRange, networksOf, parseRange, widthOf } from './ip-range.ts'

/** A network, a range or a single address as a range of addresses. */
export function addressRange(text: string): IpRange | undefined {
  const prefix = parsePrefix(text)
  if (!prefix) return parseRange(text)
  const { family, bits, words } = prefix
  const first = words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n)
  return { family, first, last: first + (1n << BigInt(widthOf(family) - bits)) - 1n }
}

/** An address in its usual spelling (RFC 5952 for IPv6). */
export function addressText(family: 4 | 6, value: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.')
  return new URL(`http://[${groupsOf(value).join(':')}]`).hostname.slice(1, -1)
}

function groupsOf(value: bigint): string[] {
  return Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
}

/** Texts that find addresses in a sorted list of texts. */
export interface AddressTexts {
  readonly exact: readonly string[]
  /** The beginnings of the addresses' texts; other addresses may begin with them too. */
  readonly prefixes: readonly string[]
}

/** How the addresses of a range are spelled. An IPv4 address may also be spelled as an IPv6 address. */
export function textsOf(range: IpRange): AddressTexts {
  const all = networksOf(range).map(range.family === 4 ? ipv4Texts : ipv6Texts)
  const both = (texts: readonly string[]) => (range.family === 4 ? texts.flatMap((text) => [text, `::ffff:${text}`]) : texts)
  return { exact: both(all.flatMap(({ exact }) => exact)), prefixes: both(all.flatMap(({ prefixes }) => prefixes)) }
}

/** Whole octets are a prefix; of the octet that the network divides, each value is one. */
function ipv4Texts({ bits, words }: IpPrefix): AddressTexts {
  const fixed = Math.min(3, Math.floor(bits / 8))
  const octets = [24, 16, 8, 0].map((shift) => (words[0]! >>> shift) & 0xff)
  const head = octets.slice(0, fixed).map((octet) => `${octet}.`)
  if (bits === fixed * 8 && bits > 0) return { exact: [], prefixes: [head.join('')] }
  const count = 2 ** (8 - (bits - fixed * 8))
  const values = Array.from({ length: count }, (_, i) => `${head.join('')}${octets[fixed]! + i}`)
  return fixed === 3 ? { exact: values, prefixes: [] } : { exact: [], prefixes: values.map((text) => `${text}.`) }
}

/** Groups up to the first zero, where `::` may begin. */
function ipv6Texts({ bits, words }: IpPrefix): AddressTexts {
  const value = words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n)
  if (bits === 128) return { exact: [addressText(6, value)], prefixes: [] }
  const groups = groupsOf(value).slice(0, Math.floor(bits / 16))
  const end = groups.indexOf('0')
  const head = end < 0 ? groups : groups.slice(0, end)
  if (head.length > 0) return { exact: [], prefixes: [`${head.join(':')}:`] }
  // Divided within the first group, or beginning with zeros.
  return { exact: [], prefixes: bits < 16 ? [''] : ['::', '0:'] }
}
