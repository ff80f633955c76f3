import type { JsonObject } from '../../../model/json.ts'
import { addValue } from './add-value.ts'
import type { NativeParser } from './native.ts'

/** No log has more; the rest of the line is then not read, and the line is refused. */
const MAX_PAIRS = 2000

/**
 * logfmt and its relatives (`date=2024-03-06 msg="it works"`). A word without `=` is a key that is true. A value in double or
 * single quotes may contain spaces, and its quote after a backslash. A comma or semicolon after a value is a separator.
 */
export const keyValue: NativeParser = {
  type: 'key-value',
  summary: 'Keys and values joined by equals signs (logfmt), with quoted values.',
  example: {
    texts: [
      'time=2024-03-06T04:07:28Z level=info msg="started \\"web\\" on 192.0.2.1" ready port=8080',
      "date=2024-03-06, user='alice b', path=/a=b, empty=",
    ],
    records: [
      { time: '2024-03-06T04:07:28Z', level: 'info', msg: 'started "web" on 192.0.2.1', ready: true, port: '8080' },
      { date: '2024-03-06', user: 'alice b', path: '/a=b', empty: '' },
    ],
  },
  parse(text) {
    const record: JsonObject = {}
    let at = skipSpaces(text, 0)
    for (let count = 0; at < text.length; count++) {
      const keyEnd = endOfKey(text, at)
      if (count >= MAX_PAIRS || keyEnd === at) return undefined
      const key = text.slice(at, keyEnd)
      if (text[keyEnd] !== '=') {
        // A line that begins with a word is text.
        if (count === 0) return undefined
        addValue(record, key, true)
        at = skipSpaces(text, keyEnd)
        continue
      }
      const value = readValue(text, keyEnd + 1)
      addValue(record, key, value.text)
      at = skipSpaces(text, value.end)
    }
    return Object.keys(record).length > 0 ? record : undefined
  },
}

function skipSpaces(text: string, start: number): number {
  let at = start
  while (at < text.length && isSpace(text.charCodeAt(at))) at++
  return at
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d
}

/** A key has no spaces, quotes or brackets of JSON. */
function endOfKey(text: string, start: number): number {
  let at = start
  while (at < text.length && !isSpace(text.charCodeAt(at)) && !'="\'{}'.includes(text[at]!)) at++
  return at
}

interface Value {
  readonly text: string
  readonly end: number
}

function readValue(text: string, start: number): Value {
  const quote = text[start]
  const quoted = quote === '"' || quote === "'" ? readQuoted(text, start + 1, quote) : undefined
  if (quoted) return { text: quoted.text, end: afterSeparator(text, quoted.end) }
  let end = start
  while (end < text.length && !isSpace(text.charCodeAt(end))) end++
  const isSeparated = end > start && end < text.length && ',;'.includes(text[end - 1]!)
  return { text: text.slice(start, isSeparated ? end - 1 : end), end }
}

/** The value up to its quote, which may be preceded by a backslash; `undefined` if the quote never comes. */
export function readQuoted(text: string, start: number, quote: string): Value | undefined {
  const parts: string[] = []
  let from = start
  for (let at = start; at < text.length; at++) {
    if (text[at] === quote) return { text: parts.join('') + text.slice(from, at), end: at + 1 }
    if (text[at] !== '\\') continue
    if (text[at + 1] === quote || text[at + 1] === '\\') {
      parts.push(text.slice(from, at))
      from = at + 1
    }
    at++
  }
  return undefined
}

function afterSeparator(text: string, at: number): number {
  return at < text.length && ',;'.includes(text[at]!) ? at + 1 : at
}
