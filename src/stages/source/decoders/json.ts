import { JsonScanner, MORE } from '../../../util/json-scanner.ts'
import type { TextDecoder } from './decoder.ts'
import { CLOSE_LIST, CLOSE_OBJECT, COMMA, NEWLINE, OPEN_LIST, OPEN_OBJECT, SEPARATOR, type TextWalk } from './text-walk.ts'

/** A line that begins like a value but is not one becomes a record as it is, and decoding restarts on the next line. */
export const json: TextDecoder = {
  kind: 'text',
  type: 'json',
  types: ['auto', 'json', 'json_array'],
  summary: 'Consecutive JSON objects, each on one line or several.',
  example: { body: '{"a":1}{"b":[2]} {\n "c": 3\n}\n{"d":4}\n', records: ['{"a":1}', '{"b":[2]}', '{\n "c": 3\n}', '{"d":4}'] },
  begins({ bytes, at }) {
    return bytes[at] === OPEN_OBJECT || bytes[at] === OPEN_LIST
  },
  step: (walk) => (walk.bytes[walk.at] === OPEN_OBJECT && objectLine(walk)) || value(walk),
}

/** The fast path for most lines: one object that fills the whole line. Returns false if the line needs the full parser. */
function objectLine(walk: TextWalk): boolean {
  const { bytes } = walk
  const newline = walk.newlines.from(walk.at)
  if (newline < 0) return false
  const last = walk.lines.lastText(newline)
  if (bytes[last] !== CLOSE_OBJECT) return false
  for (const seam of walk.seams) {
    const at = seam.from(walk.at)
    if (at >= 0 && at < last) return false
  }
  // If the object continues, one of these must come next.
  const next = walk.next(newline + 1)
  if (next === bytes.length && !walk.final) return false
  const byte = bytes[next]
  if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST) return false
  return walk.emit(walk.start, newline, newline + 1)
}

/** An object, or an array that does not begin with one: a single value, or else a line. */
function value(walk: TextWalk): boolean {
  const { bytes } = walk
  if (walk.broken.has(walk.at)) return walk.line()
  const scanner = new JsonScanner()
  const end = scanner.scan(bytes, walk.at)
  if (end === MORE && !walk.final) return walk.wait('value')
  if (end === MORE && walk.endState === 'array' && bytes[walk.at] === OPEN_LIST) return walk.enterArray()
  if (end < 0) {
    for (const at of scanner.openAt()) walk.broken.add(at)
    return walk.line()
  }
  const newline = walk.newlines.from(walk.at)
  const isOneLine = newline < 0 || newline >= end
  const next = walk.nextOnLine(end)
  if (isOneLine) {
    if (next === bytes.length && !walk.final) return walk.wait('value')
    if (!mayFollow(bytes[next])) return walk.line()
  }
  if (bytes[walk.at] === OPEN_LIST) return walk.enterArray()
  if (isOneLine && (next === newline || next === bytes.length))
    return walk.emit(walk.start, next, Math.min(next + 1, bytes.length))
  walk.isPlain = false
  return walk.emit(walk.start, end, end)
}

/** What may follow a value on its line. Anything else means that the line is not JSON, whatever it begins like. */
function mayFollow(byte: number | undefined): boolean {
  return byte === undefined || byte === NEWLINE || byte === 0 || byte === SEPARATOR || byte === OPEN_OBJECT || byte === OPEN_LIST
}
