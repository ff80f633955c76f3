import { isUtf8 } from 'node:buffer'
import type { JsonValue } from '../../model/json.ts'

/**
 * A cell's text → its value; `null` is unset. Values that do not fit their type stay text, so that the schema reports what is
 * wrong.
 */
export type CellReader = (cell: string) => JsonValue

/** Settings from a Zeek header that determine how cells are read. */
export interface CellHeader {
  readonly setSeparator: string
  readonly emptyField: string
  readonly unsetField: string
}

/**
 * Text with Zeek's escapes resolved as in Zeek's JSON output: `\\` is a backslash, `\xNN` a byte. Bytes that
 * make up UTF-8 become their characters; other bytes, and control characters without a short JSON escape, stay `\xNN`.
 */
export function unescapeZeek(text: string): string {
  if (!text.includes('\\')) return text
  let out = ''
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '\\') {
      const next = text.indexOf('\\', at)
      out += text.slice(at, next < 0 ? text.length : next)
      at = next < 0 ? text.length : next
    } else if (text[at + 1] === '\\') {
      out += '\\'
      at += 2
    } else {
      const run = /^(?:\\x[0-9a-fA-F]{2})+/.exec(text.slice(at, at + 4096))?.[0]
      out += run === undefined ? '\\' : decodeRun(run)
      at += run?.length ?? 1
    }
  }
  return out
}

/** Backspace, tab, newline, form feed, carriage return. */
const SHORT_ESCAPES = [0x08, 0x09, 0x0a, 0x0c, 0x0d]

/** `\xc3\xa9\xff` → `é\xff`. */
function decodeRun(run: string): string {
  const bytes = Buffer.from(run.replaceAll('\\x', ''), 'hex')
  let out = ''
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at)
    out += length === 0 ? `\\x${bytes.toString('hex', at, at + 1)}` : bytes.toString('utf8', at, at + length)
    at += length || 1
  }
  return out
}

/**
 * Length of the UTF-8 sequence at `at`, or 0 if there is none (overlong forms, surrogates and most control characters included).
 */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return (first >= 0x20 && first !== 0x7f) || SHORT_ESCAPES.includes(first) ? 1 : 0
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0
}

const INTEGER = /^-?\d+$/

function integer(cell: string): JsonValue {
  const value = +cell
  if (Number.isSafeInteger(value)) return cell === '' ? cell : value
  return INTEGER.test(cell) && cell.length < 30 ? BigInt(cell) : cell
}

/** Zeek's JSON writer outputs null for numbers that JSON does not have. */
function double(cell: string): JsonValue {
  if (cell === 'nan' || cell === 'inf' || cell === '-inf') return null
  const value = +cell
  return Number.isFinite(value) && cell !== '' ? value : cell
}

function bool(cell: string): JsonValue {
  return cell === 'T' ? true : cell === 'F' ? false : cell
}

const SCALARS: Readonly<Record<string, (cell: string) => JsonValue>> = {
  bool,
  count: integer,
  int: integer,
  int64: integer,
  port: integer,
  double,
  interval: double,
  // Times stay text so that no digits are lost; addresses, networks and enums have no escapes.
  time: (cell) => cell,
  addr: (cell) => cell,
  subnet: (cell) => cell,
  enum: (cell) => cell,
}

function scalarReader(type: string): (cell: string) => JsonValue {
  return Object.hasOwn(SCALARS, type) ? SCALARS[type]! : unescapeZeek
}

/** The reader of a column of this Zeek type (`count`, `set[string]`, `vector[interval]` …). Unknown types are text. */
export function cellReader(type: string, { unsetField, emptyField, setSeparator }: CellHeader): CellReader {
  const container = /^(?:set|table|vector|list)\[(\w+)\]$/.exec(type)
  const read = scalarReader(container?.[1] ?? type)
  if (!container) {
    return (cell) => (cell === unsetField ? null : cell === emptyField ? '' : read(cell))
  }
  const readElement = (element: string) => (element === unsetField ? null : element === emptyField ? '' : read(element))
  return (cell) => {
    if (cell === unsetField) return null
    if (cell === emptyField) return []
    return cell.includes(setSeparator) ? cell.split(setSeparator).map(readElement) : [readElement(cell)]
  }
}
