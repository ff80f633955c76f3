import type { JsonObject } from '../../../../model/json.ts'
import { setOwn } from '../../../../util/json.ts'
import { addValue } from '../add-value.ts'
import { isDigit, isIsoTime, withoutSpaces } from './text.ts'

const HEADER = ['timestamp', 'hostname', 'appname', 'procid', 'msgid'] as const

/** Elements beyond these stay in the message. */
const MAX_ELEMENTS = 100
const MAX_PARAMS = 1000

/**
 * The part of an RFC 5424 message after its priority, or `undefined` if the text has another format. Structured data that does
 * not follow the RFC is left in the message. A parameter that occurs more than once in an element has a list of values.
 */
export function readRfc5424(text: string, start: number): JsonObject | undefined {
  const versionEnd = text.indexOf(' ', start)
  if (versionEnd <= start || versionEnd > start + 3) return undefined
  for (let at = start; at < versionEnd; at++) if (!isDigit(text.charCodeAt(at))) return undefined
  const record: JsonObject = { version: Number(text.slice(start, versionEnd)) }
  let at = versionEnd + 1
  for (const name of HEADER) {
    const space = text.indexOf(' ', at)
    const end = space < 0 ? text.length : space
    if (end === at) return undefined
    const value = text.slice(at, end)
    if (name === 'timestamp' && value !== '-' && !isIsoTime(value)) return undefined
    if (space < 0 && name !== 'msgid') return undefined
    if (value !== '-') record[name] = value
    at = end + 1
  }
  const data = readStructuredData(text, at)
  if (data?.elements) record['structured_data'] = data.elements
  const message = text.slice(data?.end ?? at)
  record['message'] = withoutMark(withoutSpaces(message))
  return record
}

/** The RFC lets a message begin with a byte order mark that says that it is UTF-8. */
function withoutMark(message: string): string {
  return message.charCodeAt(0) === 0xfeff ? message.slice(1) : message
}

interface StructuredData {
  readonly elements: JsonObject | undefined
  /** Where the message begins. */
  readonly end: number
}

function readStructuredData(text: string, start: number): StructuredData | undefined {
  if (text[start] === '-' && (start + 1 === text.length || text[start + 1] === ' '))
    return { elements: undefined, end: start + 1 }
  if (text[start] !== '[') return undefined
  const elements: JsonObject = {}
  let at = start
  for (let count = 0; text[at] === '[' && count < MAX_ELEMENTS; count++) {
    const end = readElement(text, at + 1, elements)
    if (end < 0) return undefined
    at = end
  }
  return at === text.length || text[at] === ' ' ? { elements, end: at } : undefined
}

/** Reads `id name="value" …]`; returns the index after the bracket, or -1 if it is malformed. */
function readElement(text: string, start: number, elements: JsonObject): number {
  let at = nameEnd(text, start)
  if (at === start) return -1
  const params: JsonObject = {}
  setOwn(elements, text.slice(start, at), params)
  for (let count = 0; text[at] === ' ' && count < MAX_PARAMS; count++) {
    const from = at + 1
    at = nameEnd(text, from)
    if (at === from || text[at] !== '=' || text[at + 1] !== '"') return -1
    const name = text.slice(from, at)
    const value = readQuoted(text, at + 2)
    if (value === undefined) return -1
    addValue(params, name, value.text)
    at = value.end
  }
  return text[at] === ']' ? at + 1 : -1
}

/** The end of a name: printable ASCII except `=`, space, `]` and `"`. */
function nameEnd(text: string, start: number): number {
  let at = start
  for (; at < text.length; at++) {
    const c = text.charCodeAt(at)
    if (c <= 0x20 || c >= 0x7f || c === 0x3d || c === 0x5d || c === 0x22) break
  }
  return at
}

/** The value up to its closing quote; `\"`, `\\` and `\]` are escapes, and any other backslash is itself. */
function readQuoted(text: string, start: number): { readonly text: string; readonly end: number } | undefined {
  let value = ''
  let from = start
  for (let at = start; at < text.length; at++) {
    const c = text.charCodeAt(at)
    if (c === 0x22) return { text: value + text.slice(from, at), end: at + 1 }
    if (c === 0x5c && '"\\]'.includes(text[at + 1] ?? ' ')) {
      value += text.slice(from, at)
      from = ++at
    }
  }
  return undefined
}
