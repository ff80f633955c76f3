/** How many records a body holds at most, and whether it is one whole JSON array. */
export interface BodyShape {
  readonly isWholeArray: boolean
  /** Array elements, or lines. */
  readonly records: number
}

/**
 * Looks at a body without making anything of it: a hostile body of many tiny records must be counted before any
 * object is made per record. Elements are split exactly as `splitJsonArray` does.
 */
export function shapeOf(body: Uint8Array): BodyShape {
  const first = skipSpace(body, 0)
  if (body[first] === OPEN_LIST) {
    const elements = countElements(body, first)
    if (elements !== undefined) return { isWholeArray: true, records: elements }
  }
  let lines = 0
  for (let at = 0; at >= 0 && at < body.length; lines++) at = body.indexOf(NEWLINE, at) + 1 || -1
  return { isWholeArray: false, records: lines }
}

const NEWLINE = 0x0a
const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Elements of the array that opens at `open`, or `undefined` when it does not end, or something follows it. */
function countElements(body: Uint8Array, open: number): number | undefined {
  let depth = 0
  let commas = 0
  let isEmpty = true
  for (let at = open + 1; at < body.length; at++) {
    const byte = body[at]!
    if (isSpace(byte)) continue
    if (depth === 0 && byte === CLOSE_LIST)
      return skipSpace(body, at + 1) === body.length ? (isEmpty ? 0 : commas + 1) : undefined
    isEmpty = false
    if (byte === QUOTE) at = endOfString(body, at)
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++
    else if (depth > 0) depth -= byte === CLOSE_OBJECT || byte === CLOSE_LIST ? 1 : 0
    else if (byte === COMMA) commas++
  }
  return undefined
}

function endOfString(body: Uint8Array, quote: number): number {
  for (let at = quote + 1; at < body.length; at++) {
    if (body[at] === BACKSLASH) at++
    else if (body[at] === QUOTE) return at
  }
  return body.length
}

function skipSpace(body: Uint8Array, from: number): number {
  let at = from
  while (at < body.length && isSpace(body[at]!)) at++
  return at
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
