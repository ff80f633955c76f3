import { isIP } from 'node:net'
import { undoEscapes } from './escapes.ts'

/** What every access log line begins with: `[host[:port]] client ident user [time] "request" status bytes`. */
export interface AccessLine {
  /** `host` or `host:port`, where the format begins with it. */
  readonly virtualHost: string | undefined
  readonly client: string
  readonly ident: string | undefined
  readonly user: string | undefined
  /** RFC 3339. */
  readonly time: string
  readonly request: string | undefined
  readonly status: number | undefined
  readonly bytes: number | undefined
  /** Index after these: the end of the text, or a blank. */
  readonly end: number
}

/** A quoted value and the index after its closing quote. */
export interface Quoted {
  readonly value: string | undefined
  readonly end: number
}

/** Method, URI and protocol of a request line. */
export interface RequestLine {
  readonly method: string
  readonly uri: string
  readonly protocol: string | undefined
}

const TIME_LENGTH = 26
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The start of an access log line, or `undefined` if the text is not one. */
export function readAccessLine(text: string): AccessLine | undefined {
  // A user name may contain blanks and brackets, but no unescaped quote follows a bracket in it.
  const bracket = text.indexOf('] "')
  const open = bracket - TIME_LENGTH - 1
  if (open < 2 || text.charCodeAt(open) !== 0x5b || text.charCodeAt(open - 1) !== 0x20) return undefined
  const time = readTime(text, open + 1)
  const who = readWho(text.slice(0, open - 1))
  const request = readQuoted(text, bracket + 2)
  if (time === undefined || who === undefined || request === undefined) return undefined
  const status = readNumber(text, request.end + 1)
  const size = status && readNumber(text, status.end + 1)
  if (!size || text.charCodeAt(request.end) !== 0x20 || text.charCodeAt(status.end) !== 0x20) return undefined
  const { virtualHost, client, ident, user } = who
  return {
    virtualHost,
    client,
    ident,
    user,
    time,
    request: request.value,
    status: status.value,
    bytes: size.value,
    end: size.end,
  }
}

/**
 * A quoted value at `at`, unescaped; `-` and nothing are `undefined`. A quote closes the value if a blank or the end of the text
 * follows: some servers do not escape quotes. A value without closing quote was cut off and ends with the text.
 */
export function readQuoted(text: string, at: number): Quoted | undefined {
  if (text.charCodeAt(at) !== 0x22) return undefined
  const from = at + 1
  let to = text.indexOf('"', from)
  while (to >= 0 && ((to + 1 < text.length && text.charCodeAt(to + 1) !== 0x20) || isEscaped(text, to, from)))
    to = text.indexOf('"', to + 1)
  const end = to < 0 ? text.length : to
  if (end === from || (end === from + 1 && text.charCodeAt(from) === 0x2d)) return { value: undefined, end: end + 1 }
  return { value: undoEscapes(text.slice(from, end)), end: end + 1 }
}

function isEscaped(text: string, quote: number, from: number): boolean {
  let at = quote
  while (at > from && text.charCodeAt(at - 1) === 0x5c) at--
  return (quote - at) % 2 === 1
}

/** Takes a request line apart; `undefined` if it is not one, such as a TLS handshake. */
export function splitRequest(request: string | undefined): RequestLine | undefined {
  if (request === undefined) return undefined
  const first = request.indexOf(' ')
  if (first < 1 || first + 1 === request.length) return undefined
  for (let i = 0; i < first; i++) {
    const c = request.charCodeAt(i)
    if (!((c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x2d || c === 0x5f)) return undefined
  }
  const last = request.lastIndexOf(' ')
  const hasProtocol = last > first && request.startsWith('HTTP/', last + 1)
  return {
    method: request.slice(0, first),
    uri: hasProtocol ? request.slice(first + 1, last) : request.slice(first + 1),
    protocol: hasProtocol ? request.slice(last + 1) : undefined,
  }
}

/** Digits or `-` at `at`, up to a blank or the end. */
function readNumber(text: string, at: number): { readonly value: number | undefined; readonly end: number } | undefined {
  let end = at
  let value = 0
  for (; end < text.length; end++) {
    const digit = text.charCodeAt(end) - 0x30
    if (!(digit >= 0 && digit <= 9)) break
    value = value * 10 + digit
  }
  const isDash = end === at && text.charCodeAt(at) === 0x2d
  if (isDash) end++
  if ((!isDash && (end === at || end > at + 15)) || (end < text.length && text.charCodeAt(end) !== 0x20)) return undefined
  return { value: isDash ? undefined : value, end }
}

type Who = Pick<AccessLine, 'virtualHost' | 'client' | 'ident' | 'user'>

/** `[host] client ident user`; only the user name may contain blanks. */
function readWho(text: string): Who | undefined {
  const first = text.indexOf(' ')
  const second = text.indexOf(' ', first + 1)
  if (first < 1 || second < 0) return undefined
  const client = text.slice(0, first)
  const ident = text.slice(first + 1, second)
  const third = text.indexOf(' ', second + 1)
  if (third > 0 && ident !== '-' && (isIP(ident) > 0 || text.slice(second + 1, third) === '-')) {
    return { virtualHost: client, client: ident, ident: given(text.slice(second + 1, third)), user: given(text.slice(third + 1)) }
  }
  return { virtualHost: undefined, client, ident: given(ident), user: given(text.slice(second + 1)) }
}

function given(text: string): string | undefined {
  return text === '-' || text === '' ? undefined : undoEscapes(text)
}

/** What a time looks like; other characters than `0` and `+` stand for themselves. `xxx` is the month. */
const TIME_FORM = '00/xxx/0000:00:00:00 +0000'

/** `08/Jun/2020:` and ` +0000` of the last time that was read, and `2020-06-08T` and `+00:00` as character codes. */
let lastDay = ''
let lastZone = ''
const date = new Uint8Array(11)
const offset = new Uint8Array(6)

/** `08/Jun/2020:06:49:01 +0000` at `at` as RFC 3339. Lines in a row mostly have the same day and zone, so the last ones are remembered. */
function readTime(text: string, at: number): string | undefined {
  const isLast = lastDay !== '' && text.startsWith(lastDay, at) && text.startsWith(lastZone, at + 20)
  if (isLast ? !hasForm(text, at, 12, 20) : !remember(text, at)) return undefined
  const c = (i: number) => text.charCodeAt(at + i)
  // Made of characters, since text that is put together of texts has to be copied when it is read.
  // biome-ignore format: one line a part
  return String.fromCharCode(
    date[0]!, date[1]!, date[2]!, date[3]!, date[4]!, date[5]!, date[6]!, date[7]!, date[8]!, date[9]!, date[10]!,
    c(12), c(13), c(14), c(15), c(16), c(17), c(18), c(19),
    offset[0]!, offset[1]!, offset[2]!, offset[3]!, offset[4]!, offset[5]!,
  )
}

/** Takes the day and the zone of the time at `at`; false if it is not a time. */
function remember(text: string, at: number): boolean {
  const month = MONTHS.indexOf(text.slice(at + 3, at + 6)) + 1
  if (month === 0 || !hasForm(text, at, 0, TIME_LENGTH)) return false
  lastDay = text.slice(at, at + 12)
  lastZone = text.slice(at + 20, at + TIME_LENGTH)
  setCodes(date, `${text.slice(at + 7, at + 11)}-${String(month).padStart(2, '0')}-${text.slice(at, at + 2)}T`)
  setCodes(offset, `${lastZone.slice(1, 4)}:${lastZone.slice(4)}`)
  return true
}

function setCodes(codes: Uint8Array, text: string): void {
  for (let i = 0; i < codes.length; i++) codes[i] = text.charCodeAt(i)
}

/** Whether the characters from `first` up to `end` of the time at `at` are as they should be. */
function hasForm(text: string, at: number, first: number, end: number): boolean {
  for (let i = first; i < end; i++) {
    const form = TIME_FORM.charCodeAt(i)
    const c = text.charCodeAt(at + i)
    if (form === 0x30 ? !(c >= 0x30 && c <= 0x39) : form === 0x2b ? c !== 0x2b && c !== 0x2d : form !== 0x78 && c !== form)
      return false
  }
  return true
}
