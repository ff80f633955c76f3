import { FAILED, isScalar, JsonScanner, MORE } from '../../../util/json-scanner.ts'
import type { TextDecoder } from './decoder.ts'
import { isSpace, OpenBrackets } from './search.ts'
import { BACKSLASH, CLOSE_LIST, CLOSE_OBJECT, COMMA, NEWLINE, OPEN_LIST, OPEN_OBJECT, QUOTE, type TextWalk } from './text-walk.ts'

/**
 * Each element is a record as soon as it is complete. A broken one ends where its brackets close, or before a line on which the next one
 * begins.
 */
export const jsonArray: TextDecoder = {
  kind: 'text',
  type: 'json-array',
  types: ['auto', 'json', 'json_array'],
  summary: 'JSON arrays: each element is a record.',
  example: { body: '[{"a":1},\n {"b":{"c":"]"}}, {"d" 2}]\n', records: ['{"a":1}', '{"b":{"c":"]"}}', '{"d" 2}'] },
  begins: (walk) => walk.isInside || (walk.state === 'lines' && beginsArray(walk)),
  step(walk) {
    if (!walk.isInside) return walk.enterArray()
    const byte = walk.bytes[walk.at]!
    if (byte === CLOSE_LIST) walk.leaveArray()
    if (byte !== CLOSE_LIST && byte !== COMMA) return element(walk)
    walk.begin(walk.at + 1)
    return true
  },
}

/** Numbers and the words for null that tools write into JSON, whether valid or not. */
const WORD = /^([+-]?(\d[\w.+-]*|Infinity)|true|false|null|NaN|undefined|True|False|None)$/

/** `[{"` or `[{}`. Other arrays are only entered once they are known to be complete, because a line of text may begin with a bracket. */
function beginsArray(walk: TextWalk): boolean {
  const { bytes, at } = walk
  if (bytes[at] !== OPEN_LIST) return false
  const first = walk.next(at + 1)
  if (bytes[first] !== OPEN_OBJECT) return false
  const inside = bytes[walk.next(first + 1)]
  return inside === QUOTE || inside === CLOSE_OBJECT
}

function element(walk: TextWalk): boolean {
  const { bytes, at: start } = walk
  const byte = bytes[start]!
  if (byte !== OPEN_OBJECT && byte !== OPEN_LIST && byte !== QUOTE) return word(walk)
  const scanner = new JsonScanner()
  const end = scanner.scan(bytes, start)
  if (end >= 0) return walk.emit(start, end, end)
  const broken = end === FAILED ? endOfBroken(walk, scanner) : MORE
  if (broken === MORE && !walk.final) return walk.wait('value')
  const next = broken === MORE ? bytes.length : broken
  return walk.emit(start, walk.trimmed(next), next)
}

/** A number, a word, or something that is not allowed in an array. */
function word(walk: TextWalk): boolean {
  const { bytes, at: start } = walk
  let end = start
  while (end < bytes.length && isScalar(bytes[end]!)) end++
  const after = walk.next(end)
  const isWhole = after < bytes.length ? bytes[after] === COMMA || bytes[after] === CLOSE_LIST : walk.final
  const isWord = end - start < 64 && WORD.test(bytes.toString('latin1', start, end))
  if (isWord && isWhole) return walk.emit(start, end, end)
  if (after === bytes.length && !walk.final) return walk.wait('value')
  // The array broke off: what follows is lines, or the rest of one.
  if (bytes[walk.start] === NEWLINE) walk.start++
  if (!walk.line()) return false
  walk.state = 'lines'
  return true
}

/** Where a broken element ends: after its closing bracket, or before a line that begins like another element. */
function endOfBroken({ bytes, at: start, start: from, lines }: TextWalk, scanner: JsonScanner): number {
  // The bytes may begin in the middle of a line. So the column counts only if nothing else precedes the element on its line.
  const indent = bytes[from] === NEWLINE ? start - from - 1 : 0
  const open = new OpenBrackets(scanner.open())
  let inString = scanner.isInString
  let line = lines.startOf(scanner.failedAt)
  let isFresh = lines.firstText() === scanner.failedAt
  for (let at = scanner.failedAt; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === NEWLINE) {
      inString = false
      isFresh = true
      line = at + 1
    } else if (inString) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (isFresh && line > start && at - line <= indent) return line - 1
      open.push(byte)
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      const isClosed = open.close(byte === CLOSE_OBJECT ? OPEN_OBJECT : OPEN_LIST)
      if (isClosed && open.isEmpty) return at + 1
      // The end of the array itself.
      if (!isClosed && byte === CLOSE_LIST) return at
    }
    if (isFresh && !isSpace(byte)) isFresh = false
  }
  return MORE
}
