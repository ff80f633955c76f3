/** Seconds since 1970 of the first and the first-too-late second that a lake column can hold (1900 and 2262). */
const EARLIEST = -2_208_988_800
const TOO_LATE = 9_214_646_400

const TWO = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'))

let cachedMinute = Number.NaN
let cachedText = ''

/** `2024-04-19T10:00:` for a minute counted from 1970, cached since consecutive records usually share it. */
function minuteText(minute: number): string {
  if (minute !== cachedMinute) {
    cachedMinute = minute
    cachedText = new Date(minute * 60_000).toISOString().slice(0, 17)
  }
  return cachedText
}

const codes = new Uint8Array('2024-04-19T10:00:'.length)
let codesOf = ''

/** The same as character codes. */
function minuteCodes(minute: number): Uint8Array {
  const text = minuteText(minute)
  if (text !== codesOf) {
    codesOf = text
    for (let i = 0; i < codes.length; i++) codes[i] = text.charCodeAt(i)
  }
  return codes
}

/**
 * RFC 3339 in UTC. `fraction` is the digits after the point; more than nine are truncated, trailing zeros are dropped.
 * `undefined` outside 1900 to 2261, the range of the lake's columns.
 */
export function timeText(seconds: number, fraction: string): string | undefined {
  if (!isInRange(seconds)) return undefined
  const length = fractionLength(fraction)
  if (length === 0) return wholeTime(seconds)
  const minute = Math.floor(seconds / 60)
  const second = TWO[seconds - minute * 60]!
  // Short texts first: only one of these concatenations makes a long one.
  const rest = `${second}.${length === fraction.length ? fraction : fraction.slice(0, length)}Z`
  return minuteText(minute) + rest
}

/** The time of a whole second. Made of characters, since text that is put together of texts has to be copied when it is read. */
function wholeTime(seconds: number): string {
  const minute = Math.floor(seconds / 60)
  const c = minuteCodes(minute)
  const second = seconds - minute * 60
  const tens = Math.floor(second / 10)
  // biome-ignore format: one line a part
  return String.fromCharCode(
    c[0]!, c[1]!, c[2]!, c[3]!, c[4]!, c[5]!, c[6]!, c[7]!, c[8]!, c[9]!, c[10]!, c[11]!, c[12]!, c[13]!, c[14]!, c[15]!, c[16]!,
    0x30 + tens, 0x30 + second - tens * 10, 0x5a,
  )
}

/** A time with six digits of a fraction, of which the last is not 0. */
function microTime(seconds: number, micros: number): string {
  const minute = Math.floor(seconds / 60)
  const c = minuteCodes(minute)
  const second = seconds - minute * 60
  const tens = Math.floor(second / 10)
  const d5 = Math.floor(micros / 10)
  const d4 = Math.floor(micros / 100)
  const d3 = Math.floor(micros / 1000)
  const d2 = Math.floor(micros / 10_000)
  const d1 = Math.floor(micros / 100_000)
  // biome-ignore format: one line a part
  return String.fromCharCode(
    c[0]!, c[1]!, c[2]!, c[3]!, c[4]!, c[5]!, c[6]!, c[7]!, c[8]!, c[9]!, c[10]!, c[11]!, c[12]!, c[13]!, c[14]!, c[15]!, c[16]!,
    0x30 + tens, 0x30 + second - tens * 10, 0x2e,
    0x30 + d1, 0x30 + d2 - d1 * 10, 0x30 + d3 - d2 * 10, 0x30 + d4 - d3 * 10, 0x30 + d5 - d4 * 10, 0x30 + micros - d5 * 10, 0x5a,
  )
}

function isInRange(seconds: number): boolean {
  return seconds >= EARLIEST && seconds < TOO_LATE
}

function fractionLength(fraction: string): number {
  let length = Math.min(fraction.length, 9)
  while (length > 0 && fraction.charCodeAt(length - 1) === 0x30) length--
  return length
}

/** A time given as a count since 1970, as text (so that nothing is lost): `digits` is 0 for seconds, 3 for milliseconds … */
export function unixTime(text: string, digits: 0 | 3 | 6 | 9): string | undefined {
  const isNegative = text.charCodeAt(0) === 0x2d
  const first = isNegative ? 1 : 0
  let point = -1
  for (let at = first; at < text.length; at++) {
    const c = text.charCodeAt(at)
    if (c === 0x2e && point < 0) point = at
    else if (c < 0x30 || c > 0x39) return c === 0x65 || c === 0x45 ? unixTime(plainDecimal(text), digits) : undefined
  }
  const end = point < 0 ? text.length : point
  if (end === first || end - first > 22 || point === text.length - 1) return undefined
  let whole = text.slice(first, end)
  let fraction = point < 0 ? '' : text.slice(point + 1)
  if (digits > 0) {
    const padded = whole.padStart(digits + 1, '0')
    whole = padded.slice(0, -digits)
    fraction = padded.slice(-digits) + fraction
  }
  return isNegative ? beforeEpoch(Number(whole), fraction) : timeText(Number(whole), fraction)
}

/**
 * The same for a number of seconds. Numbers from 1970 to 2106 with at most six decimals, as Zeek writes them, need not go through
 * their text: in that range no two of them share a double.
 */
export function unixSeconds(value: number): string | undefined {
  if (value >= 0 && value < 4_294_967_296) {
    const micros = Math.round(value * 1e6)
    if (micros / 1e6 === value) {
      const seconds = Math.floor(micros / 1e6)
      const rest = micros - seconds * 1e6
      if (rest === 0) return wholeTime(seconds)
      return rest % 10 === 0 ? timeText(seconds, String(1_000_000 + rest).slice(1)) : microTime(seconds, rest)
    }
  }
  return unixTime(String(value), 0)
}

/** `1e-7` and the like without exponent; text that is not a number becomes '' and is refused. */
function plainDecimal(text: string): string {
  const value = Number(text)
  return Math.abs(value) < 1e21 ? value.toFixed(20) : ''
}

/** The time `whole.fraction` seconds before 1970. */
function beforeEpoch(whole: number, fraction: string): string | undefined {
  const nanos = Number(fraction.slice(0, 9).padEnd(9, '0'))
  return nanos === 0 ? timeText(-whole, '') : timeText(-whole - 1, String(1e9 - nanos).padStart(9, '0'))
}

/**
 * Seconds since 1970 for a date and time in UTC, or NaN if there is no such day or hour. A leap second counts as the next second.
 */
export function epochSeconds(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return Number.NaN
  if (hour > 23 || minute > 59 || second > 60) return Number.NaN
  // Days from civil (H. Hinnant, "chrono-compatible low-level date algorithms"): the year begins in March.
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return (era * 146_097 + dayOfEra - 719_468) * 86_400 + hour * 3600 + minute * 60 + second
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** The value of `count` digits at `at`, or NaN. */
export function digitsAt(text: string, at: number, count: number): number {
  let value = 0
  for (let i = at; i < at + count; i++) {
    const d = text.charCodeAt(i) - 0x30
    if (!(d >= 0 && d <= 9)) return Number.NaN
    value = value * 10 + d
  }
  return value
}

/** RFC 3339 (or with a space instead of `T`), any offset, any number of fraction digits → the same in UTC. */
export function rfc3339Time(text: string): string | undefined {
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d || text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a)
    return undefined
  const separator = text.charCodeAt(10)
  if (separator !== 0x54 && separator !== 0x74 && separator !== 0x20) return undefined
  const seconds = epochSeconds(
    digitsAt(text, 0, 4),
    digitsAt(text, 5, 2),
    digitsAt(text, 8, 2),
    digitsAt(text, 11, 2),
    digitsAt(text, 14, 2),
    digitsAt(text, 17, 2),
  )
  let at = 19
  if (text.charCodeAt(19) === 0x2e) {
    at = 20
    while (text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++
    if (at === 20) return undefined
  }
  const isOurForm = text.length === at + 1 && text.charCodeAt(at) === 0x5a && separator === 0x54 && at < 30
  if (isOurForm && text.charCodeAt(17) < 0x36 && (at === 19 || text.charCodeAt(at - 1) !== 0x30) && isInRange(seconds))
    return text
  return timeText(seconds - offsetSeconds(text, at), at === 19 ? '' : text.slice(20, at))
}

/** Seconds east of UTC of the zone at `at`, which must be the text's end (`Z`, `+02:00`, `+0200`), or NaN. */
export function offsetSeconds(text: string, at: number): number {
  const c = text.charCodeAt(at)
  if (c === 0x5a || c === 0x7a) return at === text.length - 1 ? 0 : Number.NaN
  if (c !== 0x2b && c !== 0x2d) return Number.NaN
  const hasColon = text.charCodeAt(at + 3) === 0x3a
  if (text.length !== at + (hasColon ? 6 : 5)) return Number.NaN
  const hours = digitsAt(text, at + 1, 2)
  const minutes = digitsAt(text, hasColon ? at + 4 : at + 3, 2)
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN
  return (c === 0x2d ? -1 : 1) * (hours * 3600 + minutes * 60)
}
