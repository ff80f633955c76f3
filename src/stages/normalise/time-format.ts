import { epochSeconds, offsetSeconds, rfc3339Time, timeText, unixTime } from './time.ts'

/** Text of a time → RFC 3339 UTC, or `undefined` if it does not match the format or is not a valid time. */
export type TimeReader = (text: string) => string | undefined

const NAMED: Readonly<Record<string, TimeReader>> = {
  rfc3339: rfc3339Time,
  unix: (text) => unixTime(text, 0),
  unix_ms: (text) => unixTime(text, 3),
  unix_us: (text) => unixTime(text, 6),
  unix_ns: (text) => unixTime(text, 9),
}

/** What has been read so far with a strftime format. */
interface Clock {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  fraction: string
  offset: number
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

function zoneName(text: string, at: number): number {
  const match = /^(?:UTC|GMT|Z)/.exec(text.slice(at, at + 3))
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
 * A reader for one entry of `timeFormats`: a name (`rfc3339`, `unix`, `unix_ms`, `unix_us`, `unix_ns`) or a strftime
 * format. Returns an error text if there is no such format. Times without a zone are UTC.
 */
export function compileTimeFormat(format: string): TimeReader | string {
  const named = Object.hasOwn(NAMED, format) ? NAMED[format] : undefined
  if (named) return named
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
  if (!/%[Yys]/.test(expanded)) return `time format '${format}' has no year (%Y), which is required`
  const isDayOfYear = expanded.includes('%j')
  return (text) => readSteps(steps, text, isDayOfYear)
}

function readSteps(steps: readonly (Directive | string)[], text: string, isDayOfYear: boolean): string | undefined {
  const clock: Clock = {
    year: 1970,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    fraction: '',
    offset: 0,
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
  if (at !== text.length) return undefined
  if (clock.epoch !== undefined) return timeText(Number(clock.epoch), clock.fraction)
  const hour = clock.isAfternoon ? clock.hour + 12 : clock.hour
  const day = isDayOfYear ? 1 : clock.day
  const seconds = epochSeconds(clock.year, clock.month, day, hour, clock.minute, clock.second)
  if (isDayOfYear && (clock.day < 1 || clock.day > 366)) return undefined
  return timeText(seconds + (isDayOfYear ? (clock.day - 1) * 86_400 : 0) - clock.offset, clock.fraction)
}
