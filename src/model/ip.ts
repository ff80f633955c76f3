/** Address family of a parsed address; 0 when the text is not an address. */
export type IpFamily = 0 | 4 | 6

/** A network: `words` holds the address with its host bits cleared, one word for IPv4 and four for IPv6. */
export interface IpPrefix {
  readonly family: 4 | 6
  readonly bits: number
  readonly words: readonly number[]
}

/** Longest text of an address: six groups and a dotted quad. */
const LONGEST_ADDRESS = 45

/**
 * Dotted quad → unsigned 32-bit number, or -1. Exactly four decimal octets; a leading zero is refused, because some
 * programs read `010` as eight (RFC 6943 §3.1.1).
 */
export function parseIpv4(text: string, start = 0, end = text.length): number {
  let value = 0
  let octet = 0
  let dots = 0
  let octetStart = start
  // Reading a character costs most here, so each is read once, and octets are judged at their ends.
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit >= 0 && digit <= 9) {
      octet = octet * 10 + digit
      continue
    }
    if (digit !== -2 || ++dots > 3 || !isOctet(octet, at - octetStart)) return -1
    value = (value << 8) | octet
    octet = 0
    octetStart = at + 1
  }
  return dots === 3 && isOctet(octet, end - octetStart) ? ((value << 8) | octet) >>> 0 : -1
}

/** One to three digits without a leading zero, at most 255. */
function isOctet(octet: number, digits: number): boolean {
  if (digits === 1) return true
  return digits === 2 ? octet >= 10 : digits === 3 && octet >= 100 && octet <= 255
}

/**
 * Reads an address without allocating: an IPv4 address into `words[0]`, an IPv6 address into `words[0..3]`. An
 * IPv4-mapped IPv6 address (`::ffff:1.2.3.4`) is the IPv4 address it maps. Zones (`%eth0`), blanks and brackets are
 * refused. Answers the family, 0 when the text is not an address.
 */
export function parseIp(text: string, words: Uint32Array): IpFamily {
  const length = text.length
  if (length < 2 || length > LONGEST_ADDRESS) return 0
  const value = parseIpv4(text)
  if (value >= 0) {
    words[0] = value
    return 4
  }
  // A colon stands among the first five characters of every IPv6 address: no need to read other texts to their ends.
  for (let at = 0; at < 5 && at < length; at++) {
    if (text.charCodeAt(at) === 58) return parseIpv6(text, words)
  }
  return 0
}

const groups = new Uint16Array(8)

function parseIpv6(text: string, words: Uint32Array): IpFamily {
  const length = text.length
  let count = 0
  let gap = -1
  let at = 0
  if (text.charCodeAt(0) === 58) {
    if (text.charCodeAt(1) !== 58) return 0
    gap = 0
    at = 2
  }
  while (at < length) {
    if (count === 8) return 0
    let value = 0
    let digits = 0
    let code = 0
    const start = at
    for (; at < length; at++) {
      code = text.charCodeAt(at)
      const digit = hexDigit(code)
      if (digit < 0) break
      value = (value << 4) | digit
      if (++digits > 4) break
    }
    if (at < length && code === 46) {
      const quad = count <= 6 ? parseIpv4(text, start, length) : -1
      if (quad < 0) return 0
      groups[count++] = quad >>> 16
      groups[count++] = quad & 0xffff
      at = length
      break
    }
    if (digits === 0 || digits > 4) return 0
    groups[count++] = value
    if (at === length) break
    if (code !== 58) return 0
    at++
    if (at === length) return 0
    if (text.charCodeAt(at) === 58) {
      if (gap >= 0) return 0
      gap = count
      at++
    }
  }
  if (gap < 0 ? count !== 8 : count > 7) return 0
  return store(count, gap, words)
}

/** Spreads the groups around the gap (`::`) into four words. */
function store(count: number, gap: number, words: Uint32Array): IpFamily {
  const head = gap < 0 ? 8 : gap
  const shift = 8 - count
  for (let word = 0; word < 4; word++) {
    words[word] = ((groupAt(word * 2, head, shift) << 16) | groupAt(word * 2 + 1, head, shift)) >>> 0
  }
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) {
    words[0] = words[3]!
    return 4
  }
  return 6
}

function groupAt(index: number, head: number, shift: number): number {
  if (index < head) return groups[index]!
  return index - shift >= head ? groups[index - shift]! : 0
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

const scratch = new Uint32Array(4)

/** True when the text is an IPv4 or IPv6 address, strictly. */
export function isIp(text: string): boolean {
  return parseIp(text, scratch) !== 0
}

/**
 * Reads `address` or `address/bits`; a bare address is a network of one. Host bits are cleared. A network of
 * IPv4-mapped addresses (`::ffff:10.0.0.0/104`) is the IPv4 network. `undefined` when it is neither.
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
  // A wider network than all mapped addresses is an IPv6 network that IPv4 look-ups never see.
  if (bits < 96) return { family: 6, bits, words: [0, 0, (0xffff & maskWord(bits - 64)) >>> 0, 0] }
  return { family: 4, bits: bits - 96, words: [(scratch[0]! & maskWord(bits - 96)) >>> 0] }
}

/** The mask of one 32-bit word of which the first `bits` count (below 0: none, above 32: all), as a signed number. */
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
