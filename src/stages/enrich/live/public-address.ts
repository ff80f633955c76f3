import ipaddr from 'ipaddr.js'
import { type IpFamily, maskWord, parseIp, parsePrefix } from '../../../model/ip.ts'

/** Special-purpose IPv4 ranges: private, shared, loopback, link-local, documentation, benchmarks, multicast, reserved (RFC 6890). */
const SPECIAL_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
].map(rangeOf)

/** By first octet, since most octets have none. */
const BY_OCTET = Array.from({ length: 256 }, (_, octet) =>
  SPECIAL_V4.filter(([first, mask]) => ((first ^ (octet << 24)) & mask & 0xff000000) === 0),
)

/** Special-purpose ranges within the global IPv6 addresses: [first word, mask of it, second word, mask of it]. */
const SPECIAL_V6: readonly (readonly [number, number, number, number])[] = [
  // Protocol assignments and tunnels 2001::/23, documentation 2001:db8::/32 and 3fff::/20, 6to4 2002::/16, AS112 2620:4f:8000::/48.
  [0x2001_0000, 0xffff_fe00, 0, 0],
  [0x2001_0db8, 0xffff_ffff, 0, 0],
  [0x2002_0000, 0xffff_0000, 0, 0],
  [0x3fff_0000, 0xffff_f000, 0, 0],
  [0x2620_004f, 0xffff_ffff, 0x8000_0000, 0xffff_0000],
]

/** True for an address that anyone on the internet may have: only such addresses are sent to a service. */
export function isPublic(family: IpFamily, words: Uint32Array, at = 0): boolean {
  const first = words[at]!
  if (family === 4) {
    for (const [network, mask] of BY_OCTET[first >>> 24]!) if (((first ^ network) & mask) === 0) return false
    return true
  }
  if (family !== 6 || first >>> 29 !== 1) return false
  const second = words[at + 1]!
  return !SPECIAL_V6.some(([one, mask, two, mask2]) => ((first ^ one) & mask) === 0 && ((second ^ two) & mask2) === 0)
}

/** The one spelling of a parsed address under which it is asked for and stored. */
export function spelling(family: IpFamily, words: Uint32Array, at = 0): string {
  if (family === 4) {
    const value = words[at]!
    return `${value >>> 24}.${(value >>> 16) & 0xff}.${(value >>> 8) & 0xff}.${value & 0xff}`
  }
  const groups = Array.from({ length: 8 }, (_, i) => (words[at + (i >> 1)]! >>> (i & 1 ? 0 : 16)) & 0xffff)
  return new ipaddr.IPv6(groups).toString()
}

const scratch = new Uint32Array(4)

/** That spelling of an address in any other; `undefined` if the text is not an address. */
export function addressOf(text: string): string | undefined {
  const family = parseIp(text, scratch)
  return family === 0 ? undefined : spelling(family, scratch)
}

/** Its first word, and the mask of that. */
function rangeOf(text: string): readonly [number, number] {
  const { words, bits } = parsePrefix(text)!
  return [words[0]!, maskWord(bits)]
}
