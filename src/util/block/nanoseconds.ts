import type { BlockWriter } from './writer.ts'

const DAY_MS = 86_400_000

let cachedDate = ''
let cachedDay = 0

/**
 * Writes a time, RFC 3339 in UTC with up to nine fractional digits, as 64-bit nanoseconds since 1970. Returns false for text that is not
 * such a time, and for times before 1677 or after 2262, which do not fit into 64 bits.
 */
export function nanoseconds(text: string, out: BlockWriter): boolean {
  const seconds = secondsOf(text)
  const fraction = text.length === 20 ? 0 : fractionOf(text)
  if (Number.isNaN(seconds) || fraction < 0) {
    out.halves(0, 0)
    return false
  }
  // In two steps of 16 and 48 bits, so that each is exact in a double.
  const below = Math.floor(seconds / 0x1_0000)
  const low = (seconds - below * 0x1_0000) * 1e9 + fraction
  const carried = Math.floor(low / 0x1_0000)
  const high = below * 1e9 + carried
  const highest = Math.floor(high / 0x1_0000)
  out.halves((high - highest * 0x1_0000) * 0x1_0000 + (low - carried * 0x1_0000), highest)
  return highest >= -0x8000_0000 && highest <= 0x7fff_ffff
}

/** Seconds since 1970 of `2024-04-19T10:00:00`, ignoring what follows; NaN if it is not a time. */
function secondsOf(text: string): number {
  if (text.length < 20 || text.charCodeAt(text.length - 1) !== 0x5a) return Number.NaN
  if (cachedDate === '' || !text.startsWith(cachedDate)) {
    const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text.slice(0, 10)) : Number.NaN
    // `Date` would read 30 February as 1 March.
    if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(text.slice(0, 10))) return Number.NaN
    cachedDate = text.slice(0, 11)
    cachedDay = ms / DAY_MS
  }
  if (text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return Number.NaN
  const hour = two(text, 11)
  const minute = two(text, 14)
  const second = two(text, 17)
  if (!(hour < 24 && minute < 60 && second < 60)) return Number.NaN
  return cachedDay * 86_400 + hour * 3600 + minute * 60 + second
}

/** A two-digit number, or NaN. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30
  const ones = text.charCodeAt(at + 1) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/** The nanoseconds after the decimal point, -1 if they are invalid. */
function fractionOf(text: string): number {
  const digits = text.length - 21
  if (text.charCodeAt(19) !== 0x2e || digits < 1 || digits > 9) return -1
  let fraction = 0
  for (let at = 20; at < text.length - 1; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return -1
    fraction = fraction * 10 + digit
  }
  return fraction * POWERS[9 - digits]!
}

const POWERS = [1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8]
