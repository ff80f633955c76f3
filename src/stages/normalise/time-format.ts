import { strftimeOfLayout } from './go-layout.ts'
import { epochSeconds, offsetSeconds, rfc3339Time, timeText, unixTime } from './time.ts'
import { type ZoneOffset, zoneOffset } from './time-zone.ts'

/**
 * Text of a time → RFC 3339 UTC, or `undefined` if it does not match the format or is not a valid time. `receivedMs`, epoch
 * milliseconds, decides the year of times without one.
 */
export type TimeReader = (text: string, receivedMs: number) => string | undefined

const NAMED: Readonly<Record<string, TimeReader>> = {
  rfc3339: rfc3339Time,
  unix: (text) => unixTime(text, 0),
  unix_ms: (text) => unixTime(text, 3),
  unix_us: (text) => unixTime(text, 6),
  unix_ns: (text) => unixTime(text, 9),
  // The three forms that a Cloudflare job can be set to: only a count of nanoseconds has more than 15 digits.
  cloudflare: (text) => rfc3339Time(text) ?? unixTime(text, text.length > 15 ? 9 : 0),
}

/** What has been read so far with a strftime format. */
interface Clock {
  year: number | undefined
  month: number
  day: number
  hour: number
  minute: number
  second: number
  fraction: string
  /** Seconds east of UTC. */
  offset: number | undefined
  isAfternoon: boolean | undefined
  /** `%s`: the whole time. */
  epoch: string | undefined
}

/** Reads at `at`; returns the index after what it read, or -1. */
type Directive = (text: string, at: number, clock: Clock) => number

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const LONG_MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const LONG_DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

function digits(most: number, set: (clock: Clock, value: number) => void, mayPad = false): Directive {
  return (text, start, clock) => {
    let from = start
    while (mayPad && text[from] === ' ') from++
    let at = from
    while (at < from + most && text[at]! >= '0' && text[at]! <= '9') at++
    if (at === from) return -1
    set(clock, Number(text.slice(from, at)))
    return at
  }
}

function word(words: readonly string[], set: (clock: Clock, index: number) => void): Directive {
  return (text, at, clock) => {
    const rest = text.slice(at, at + 10).toLowerCase()
    const index = words.findIndex((name) => rest.startsWith(name))
    if (index < 0) return -1
    set(clock, index)
    return at + words[index]!.length
  }
}

function fraction(text: string, start: number, clock: Clock): number {
  let at = start
  while (text[at]! >= '0' && text[at]! <= '9') at++
  clock.fraction = text.slice(start, at)
  return at === start ? -1 : at
}

function zone(text: string, at: number, clock: Clock): number {
  const match = /^(?:Z|[+-]\d{2}:?\d{2})/.exec(text.slice(at, at + 6))
  if (!match) return -1
  clock.offset = offsetSeconds(match[0], 0)
  return at + match[0].length
}

function zoneName(text: string, at: number, clock: Clock): number {
  const match = /^(?:UTC|GMT|Z)/.exec(text.slice(at, at + 3))
  clock.offset = 0
  return match ? at + match[0].length : -1
}

function epoch(text: string, start: number, clock: Clock): number {
  const match = /^\d{1,12}/.exec(text.slice(start, start + 12))
  if (!match) return -1
  clock.epoch = match[0]
  return start + match[0].length
}

const DIRECTIVES: Readonly<Record<string, Directive>> = {
  Y: digits(4, (c, v) => (c.year = v)),
  y: digits(2, (c, v) => (c.year = v < 69 ? 2000 + v : 1900 + v)),
  m: digits(2, (c, v) => (c.month = v)),
  d: digits(2, (c, v) => (c.day = v)),
  e: digits(2, (c, v) => (c.day = v), true),
  H: digits(2, (c, v) => (c.hour = v)),
  k: digits(2, (c, v) => (c.hour = v), true),
  I: digits(2, (c, v) => (c.hour = v >= 1 && v <= 12 ? v % 12 : 99)),
  l: digits(2, (c, v) => (c.hour = v >= 1 && v <= 12 ? v % 12 : 99), true),
  M: digits(2, (c, v) => (c.minute = v)),
  S: digits(2, (c, v) => (c.second = v)),
  j: digits(3, (c, v) => {
    c.month = 1
    c.day = v
  }),
  f: fraction,
  L: fraction,
  N: fraction,
  p: word(['am', 'pm'], (c, v) => (c.isAfternoon = v === 1)),
  b: word(MONTHS, (c, v) => (c.month = v + 1)),
  h: word(MONTHS, (c, v) => (c.month = v + 1)),
  B: word(LONG_MONTHS, (c, v) => (c.month = v + 1)),
  a: word(DAYS, () => undefined),
  A: word(LONG_DAYS, () => undefined),
  z: zone,
  Z: zoneName,
  s: epoch,
}

const COMPOUND: Readonly<Record<string, string>> = { T: '%H:%M:%S', R: '%H:%M', D: '%m/%d/%y', F: '%Y-%m-%d' }

/**
 * A reader for one entry of `timeFormats`: a name (`rfc3339`, `unix`, `unix_ms`, `unix_us`, `unix_ns`, `cloudflare`), a strftime
 * format, or `layout=` and a layout of Go. Returns an error text if there is no such format. Times without a zone are in `zone`, a
 * name of the IANA database or an offset such as `+02:00`; in UTC unless it is given.
 */
export function compileTimeFormat(format: string, zone?: string): TimeReader | string {
  const named = Object.hasOwn(NAMED, format) ? NAMED[format] : undefined
  if (named) return named
  if (format.startsWith('layout=')) return compileTimeFormat(strftimeOfLayout(format.slice('layout='.length)), zone)
  const known = `use ${Object.keys(NAMED).join(', ')} or a strftime format such as '%Y-%m-%d %H:%M:%S'`
  if (!format.includes('%')) return `unknown time format '${format}': ${known}`
  const expanded = format.replace(/%([TRDF])/g, (_, letter: string) => COMPOUND[letter]!)
  const steps: (Directive | string)[] = []
  for (let at = 0; at < expanded.length; at++) {
    const c = expanded[at]!
    const letter = c === '%' ? (expanded[++at] ?? '') : ''
    if (c !== '%' || letter === '%') steps.push(c)
    else if (Object.hasOwn(DIRECTIVES, letter)) steps.push(DIRECTIVES[letter]!)
    else
      return `time format '${format}' has the directive '%${letter}', which is not supported: known are ${Object.keys(DIRECTIVES).join(' ')} T R D F %`
  }
  const hasDay = /%[mbBh]/.test(expanded) && /%[de]/.test(expanded)
  if (!/%[Yys]/.test(expanded) && !hasDay)
    return `time format '${format}' has neither a year (%Y) nor a month and a day (%b %e), one of which is required`
  const offsetOf = zone === undefined ? () => 0 : zoneOffset(zone)
  if (!offsetOf) return `unknown time zone '${zone}': use a name such as Europe/Berlin, or an offset such as +02:00`
  const isDayOfYear = expanded.includes('%j')
  return (text, receivedMs) => {
    const clock = readSteps(steps, text)
    return clock && timeOf(clock, isDayOfYear, offsetOf, receivedMs)
  }
}

function readSteps(steps: readonly (Directive | string)[], text: string): Clock | undefined {
  const clock: Clock = {
    year: undefined,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    fraction: '',
    offset: undefined,
    isAfternoon: undefined,
    epoch: undefined,
  }
  let at = 0
  for (const step of steps) {
    if (typeof step === 'string') {
      if (text[at] !== step) return undefined
      at++
    } else at = step(text, at, clock)
    if (at < 0) return undefined
  }
  return at === text.length ? clock : undefined
}

function timeOf(clock: Clock, isDayOfYear: boolean, offsetOf: ZoneOffset, receivedMs: number): string | undefined {
  if (clock.epoch !== undefined) return timeText(Number(clock.epoch), clock.fraction)
  if (isDayOfYear && (clock.day < 1 || clock.day > 366)) return undefined
  if (clock.year !== undefined) return timeText(secondsIn(clock.year, clock, isDayOfYear, offsetOf), clock.fraction)
  return timeText(nearestYear(clock, offsetOf, receivedMs / 1000), clock.fraction)
}

function secondsIn(year: number, clock: Clock, isDayOfYear: boolean, offsetOf: ZoneOffset): number {
  const hour = clock.isAfternoon ? clock.hour + 12 : clock.hour
  const first = epochSeconds(year, clock.month, isDayOfYear ? 1 : clock.day, hour, clock.minute, clock.second)
  const local = isDayOfYear ? first + (clock.day - 1) * 86_400 : first
  return local - (clock.offset ?? offsetOf(local))
}

/** A log is not read months before it is written, but clocks may be wrong: a time without a year is at most this far ahead. */
const MAX_AHEAD = 30 * 86_400

/**
 * The latest year in which the time is not too far ahead of its receipt, so that 31 December received in January is of last year, and
 * 29 February of the last year that had one.
 */
function nearestYear(clock: Clock, offsetOf: ZoneOffset, received: number): number {
  const now = new Date(received * 1000).getUTCFullYear()
  for (let year = now + 1; year >= now - 8; year--) {
    const seconds = secondsIn(year, clock, false, offsetOf)
    if (seconds <= received + MAX_AHEAD) return seconds
  }
  return Number.NaN
}
