import { compileTimeFormat, type TimeReader } from '../../stages/normalise/time-format.ts'

/** Formats of times without a name of their own, in the order in which they are tried. */
const WRITTEN = [
  '%Y-%m-%d %H:%M:%S',
  '%Y-%m-%d %H:%M:%S.%f',
  '%Y-%m-%d %H:%M:%S,%f',
  '%Y-%m-%dT%H:%M:%S',
  '%Y-%m-%dT%H:%M:%S.%f',
  '%Y/%m/%d %H:%M:%S',
  '%Y-%m-%d %H:%M:%S %z',
  '%Y-%m-%d %H:%M:%S %Z',
  '%d/%b/%Y:%H:%M:%S %z',
  '%d/%b/%Y %H:%M:%S',
  '%d %b %Y %H:%M:%S',
  '%d.%m.%Y %H:%M:%S',
  '%a %b %e %H:%M:%S %Y',
  '%a %b %e %H:%M:%S %Y %Z',
  '%a, %d %b %Y %H:%M:%S %z',
  '%a, %d %b %Y %H:%M:%S %Z',
  '%b %e %H:%M:%S',
  '%m/%d/%Y %H:%M:%S',
  '%d/%m/%Y %H:%M:%S',
] as const

/** Formats that read the same texts as different times. */
const ALIKE = ['%m/%d/%Y %H:%M:%S', '%d/%m/%Y %H:%M:%S'] as const

/** Unit → the first and the last count that is taken for a time: 2001 to 2065. */
const UNIX = { unix: 1, unix_ms: 1e3, unix_us: 1e6, unix_ns: 1e9 } as const
const FIRST_SECOND = 1e9
const LAST_SECOND = 3e9

const readers = new Map<string, TimeReader>()

function readerOf(format: string): TimeReader {
  const known = readers.get(format)
  if (known) return known
  const made = compileTimeFormat(format, undefined)
  if (typeof made === 'string') throw new Error(made)
  readers.set(format, made)
  return made
}

const ANY_TIME = Date.UTC(2024, 0, 1)

/** The time formats that fit every value of a field. */
export class TimeFormats {
  #fitting: readonly string[] | undefined

  /** Takes a scalar's text into account; `isNumber`: it was a number. */
  add(text: string, isNumber: boolean): void {
    if (this.#fitting?.length === 0) return
    const all = this.#fitting ?? (isNumber || isDigits(text) ? Object.keys(UNIX) : ['rfc3339', ...WRITTEN])
    this.#fitting = all.filter((format) => fits(text, format))
  }

  /** A value has no time in it. */
  refuse(): void {
    this.#fitting = []
  }

  /** The format; `ambiguous`: day and month cannot be distinguished; `undefined`: these are no times. */
  get format(): string | 'ambiguous' | undefined {
    const fitting = this.#fitting ?? []
    return ALIKE.every((one) => fitting.includes(one)) ? 'ambiguous' : fitting[0]
  }
}

function fits(text: string, format: string): boolean {
  const unit = UNIX[format as keyof typeof UNIX]
  if (unit === undefined) return text.length <= 64 && readerOf(format)(text, ANY_TIME) !== undefined
  const seconds = Number(text) / unit
  return seconds >= FIRST_SECOND && seconds < LAST_SECOND && readerOf(format)(text, ANY_TIME) !== undefined
}

function isDigits(text: string): boolean {
  return text.length < 24 && /^\d+(?:\.\d+)?$/.test(text)
}

/** Words of a name, in lower case: `eventTime_ms` → event, time, ms. */
export function words(name: string): string[] {
  return name
    .slice(0, 255)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
}

const TIME_WORDS = new Set(
  'ts time times timestamp date datetime epoch unixtime at when created updated modified started ended start end seen published'.split(
    ' ',
  ),
)

/** Whether a number under this name may be a time: any other count could be one by its size alone. */
export function isTimeName(name: string): boolean {
  const parts = words(name)
  return parts.some((word) => TIME_WORDS.has(word) || /(?:time|timestamp)$/.test(word))
}

const EVENT_NAMES = [
  'ts',
  'timestamp',
  'eventtime',
  'time',
  'eventtimestamp',
  'datetime',
  'date',
  'unixtime',
  'epoch',
  'published',
]
/** Times of something else. */
const OTHER_TIMES = /expir|valid|until|updat|modif|ingest|receiv|index|last|birth|next|due|previous|notbefore|notafter/
/** Better than none. */
const EARLY_TIMES = /start|begin|first|creat/

/** How well a name says that the field is when the event happened; lower is better, `undefined` if it says another time. */
export function eventTimeRank(name: string): number | undefined {
  const plain = words(name).join('')
  const known = EVENT_NAMES.indexOf(plain)
  if (known >= 0) return known
  if (OTHER_TIMES.test(plain) || plain.endsWith('end')) return undefined
  if (EARLY_TIMES.test(plain)) return EVENT_NAMES.length + 2
  return /time|date|stamp/.test(plain) ? EVENT_NAMES.length : EVENT_NAMES.length + 1
}
