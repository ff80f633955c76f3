import type { JsonObject, JsonValue } from '../../model/json.ts'
import { parseJson } from '../../util/json.ts'
import type { Format, Reading } from './format.ts'

/** Keys in which Zeek's JSON writers name the log: Zeek's own, Corelight's, and the field extension's. */
const PATH_KEYS = ['_path', '@stream', '_stream'] as const

/** A line that is one JSON object. Other JSON values are not log events. */
export const json: Format = {
  type: 'json',
  summary: 'One JSON object per line, or one JSON array of objects.',
  example: {
    lines: ['{"_path":"conn","uid":"C1","bytes":18446744073709551615}', ' {"tags":["a",null]}'],
    records: [{ _path: 'conn', uid: 'C1', bytes: 18446744073709551615n }, { tags: ['a', null] }],
  },
  open: (_, { maxDepth }) => ({
    read: (line) => (isJsonStart(line) ? readJson(line, maxDepth) : undefined),
    context: () => '',
  }),
}

/** What the first element of an array begins with; `[notice]` and `[Sun Dec 04 …]` are the beginnings of messages. */
const BEGINS_ARRAY = /^\[\s*(?:$|[\]{["]|(?:true|false|null|-?\d[\d.eE+-]*)\s*(?:$|[,\]]))/

/** An object, array or string, or a number, `true`, `false` or `null` that takes up the whole line. */
function isJsonStart(line: string): boolean {
  const c = line.charCodeAt(0)
  if (c === 0x7b) return true
  if (c === 0x20 || c === 0x09) return isJsonStart(line.trimStart())
  if (c === 0x5b) return BEGINS_ARRAY.test(line.slice(0, 64))
  if (c === 0x22) return true
  if (c === 0x2d || (c >= 0x30 && c <= 0x39)) return isNumber(line)
  return (c === 0x66 || c === 0x6e || c === 0x74) && /^(?:true|false|null)\s*$/.test(line.slice(0, 64))
}

/** Whether the first 64 characters are a number and blanks. Most lines that begin with a digit begin with an address or a time. */
function isNumber(line: string): boolean {
  let at = 0
  for (; at < 64; at++) {
    const c = line.charCodeAt(at)
    const isPart = (c >= 0x30 && c <= 0x39) || c === 0x2e || c === 0x2d || c === 0x2b || (c | 0x20) === 0x65
    if (!isPart) break
  }
  return line.slice(at, 64).trim() === '' && /^-?\d/.test(line)
}

/** One element of an array, or one line, as a record. */
function readJson(text: string, maxDepth: number): Reading {
  const result = parseJson(text, { maxDepth })
  if (result.kind === 'failure')
    return { kind: 'dead-letter', reason: result.reason, message: advice(result.reason, result.message) }
  const { value } = result
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = `a JSON ${typeName(value)} is not a log event: send one JSON object per line, or an array of objects`
    return { kind: 'dead-letter', reason: 'wrong_type', message }
  }
  return { kind: 'record', raw: value as JsonObject, path: pathOf(value as JsonObject) }
}

function advice(reason: string, message: string): string {
  if (reason === 'invalid_json') return `${message}: fix the sender, or resend the record if it was cut off`
  if (reason === 'too_deep') return `${message}: flatten the record before sending it`
  return message
}

function typeName(value: JsonValue): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value === 'bigint' ? 'number' : typeof value
}

function pathOf(raw: JsonObject): string | undefined {
  for (const key of PATH_KEYS) {
    const path = raw[key]
    if (typeof path === 'string' && path !== '') return path
  }
  return undefined
}
