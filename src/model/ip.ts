/** Address family of a parsed address; 0 when the text is not an address. */
export type IpFamily = 0 | 4 | 6

/** A network: `words` holds the address with its host bits cleared, one word for IPv4 and four for IPv6. */
export interface IpPrefix {
  readonly family: 4 | 6
  readonly bits: number
  readonly words: readonly number[]
}

/** Longest text of an address: six groups and a dotted quad. */
export const LONGEST_ADDRESS = 45

/** The value of each byte as a digit: 0 to 15, else 255. */
const DIGITS = new Uint8Array(256).fill(0xff)
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  DIGITS[digit.charCodeAt(0)] = value
  DIGITS[digit.toUpperCase().charCodeAt(0)] = value
}
const DOT = 0x2e
const COLON = 0x3a

/**
 * A dotted quad in bytes → unsigned 32-bit number, or -1. Exactly four decimal octets; a leading zero is refused, because some
 * programs read `010` as eight (RFC 6943 §3.1.1). Unrolled octet by octet, since a loop over the digits takes 1.5 times as long.
 */
function parseIpv4(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  let at = start
  for (let octets = 0; ; ) {
    let octet = bytes[at]! - 0x30
    if (octet < 0 || octet > 9) return -1
    const second = bytes[at + 1]! - 0x30
    if (second < 0 || second > 9) at++
    else {
      octet = octet * 10 + second
      if (octet < 10) return -1
      const third = bytes[at + 2]! - 0x30
      if (third < 0 || third > 9) at += 2
      else {
        octet = octet * 10 + third
        if (octet > 255) return -1
        at += 3
      }
    }
    value = (value << 8) | octet
    if (++octets === 4) return at === end ? value >>> 0 : -1
    if (bytes[at++] !== DOT) return -1
  }
}

/**
 * Reads an address without allocating: an IPv4 address into `words[at]`, an IPv6 address into `words[at..at+3]`. An
 * IPv4-mapped IPv6 address (`::ffff:1.2.3.4`) is the IPv4 address it maps. Zones (`%eth0`), blanks and brackets are
 * refused. Returns the family, 0 when the bytes are not an address. The byte at `end` must exist and cannot be part of an
 * address.
 */
export function parseIpBytes(bytes: Uint8Array, start: number, end: number, words: Uint32Array, at = 0): IpFamily {
  if (end - start < 2 || end - start > LONGEST_ADDRESS) return 0
  const value = parseIpv4(bytes, start, end)
  if (value >= 0) {
    words[at] = value
    return 4
  }
  // Every IPv6 address has a colon among its first five characters, so other texts need not be read to the end.
  for (let i = start; i < start + 5 && i < end; i++) {
    if (bytes[i] === COLON) return parseIpv6(bytes, start, end, words, at)
  }
  return 0
}

/** With room for a byte that terminates the address. */
const ascii = new Uint8Array(LONGEST_ADDRESS + 1)

/** The same for a text, into `words[0..3]`. */
export function parseIp(text: string, words: Uint32Array): IpFamily {
  const { length } = text
  if (length < 2 || length > LONGEST_ADDRESS) return 0
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    // Neither a digit nor `.` or `:`: most texts that are not an address are rejected here.
    if (code > 0x66 || code < DOT) return 0
    ascii[i] = code
  }
  ascii[length] = 0
  return parseIpBytes(ascii, 0, length, words)
}

const groups = new Uint16Array(8)

function parseIpv6(bytes: Uint8Array, start: number, end: number, words: Uint32Array, into: number): IpFamily {
  let count = 0
  let gap = -1
  let at = start
  if (bytes[at] === COLON) {
    if (bytes[at + 1] !== COLON) return 0
    gap = 0
    at += 2
  }
  while (at < end) {
    if (count === 8) return 0
    const first = at
    let value = 0
    let digit = DIGITS[bytes[at]!]!
    while (at < end && digit <= 15) {
      value = (value << 4) | digit
      digit = DIGITS[bytes[++at]!]!
    }
    if (at < end && bytes[at] === DOT) {
      const quad = count <= 6 ? parseIpv4(bytes, first, end) : -1
      if (quad < 0) return 0
      groups[count++] = quad >>> 16
      groups[count++] = quad & 0xffff
      break
    }
    if (at === first || at - first > 4) return 0
    groups[count++] = value
    if (at === end) break
    if (bytes[at] !== COLON || ++at === end) return 0
    if (bytes[at] === COLON) {
      if (gap >= 0) return 0
      gap = count
      at++
    }
  }
  if (gap < 0 ? count !== 8 : count > 7) return 0
  return store(count, gap, words, into)
}

/** Spreads the groups around the gap (`::`) into four words. */
function store(count: number, gap: number, words: Uint32Array, at: number): IpFamily {
  if (gap >= 0) {
    let to = 7
    for (let from = count - 1; from >= gap; from--) groups[to--] = groups[from]!
    while (to >= gap) groups[to--] = 0
  }
  for (let word = 0; word < 4; word++) words[at + word] = (groups[word * 2]! << 16) | groups[word * 2 + 1]!
  if (words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff) {
    words[at] = words[at + 3]!
    return 4
  }
  return 6
}

const scratch = new Uint32Array(4)

/** True when the text is an IPv4 or IPv6 address, strictly. */
export function isIp(text: string): boolean {
  return parseIp(text, scratch) !== 0
}

/**
 * Reads `address` or `address/bits`; a bare address is a network of one. Host bits are cleared. A network of
 * IPv4-mapped addresses (`::ffff:10.0.0.0/104`) is the IPv4 network. `undefined` if it is neither.
 */
export function parsePrefix(text: string): IpPrefix | undefined {
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  const family = parseIp(address, scratch)
  if (family === 0) return undefined
  const isMapped = family === 4 && address.includes(':')
  const longest = family === 6 || isMapped ? 128 : 32
  const bits = slash < 0 ? longest : prefixLength(text, slash + 1, longest)
  if (bits < 0) return undefined
  if (family === 6) return { family, bits, words: [0, 1, 2, 3].map((i) => (scratch[i]! & maskWord(bits - i * 32)) >>> 0) }
  if (!isMapped) return { family, bits, words: [(scratch[0]! & maskWord(bits)) >>> 0] }
  // A network that is wider than all mapped addresses is an IPv6 network and never matches IPv4 look-ups.
  if (bits < 96) return { family: 6, bits, words: [0, 0, (0xffff & maskWord(bits - 64)) >>> 0, 0] }
  return { family: 4, bits: bits - 96, words: [(scratch[0]! & maskWord(bits - 96)) >>> 0] }
}

/** The mask for the first `bits` bits of a 32-bit word (below 0: none, above 32: all), as a signed number. */
export function maskWord(bits: number): number {
  if (bits <= 0) return 0
  return bits >= 32 ? -1 : -1 << (32 - bits)
}

function prefixLength(text: string, start: number, longest: number): number {
  const digits = text.length - start
  if (digits < 1 || digits > 3) return -1
  let bits = 0
  for (let at = start; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return -1
    bits = bits * 10 + digit
  }
  return bits <= longest ? bits : -1
}
