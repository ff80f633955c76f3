/** True if objects and arrays in a text, JSON or not, are nested more than `maxDepth` deep. Costs nothing for most texts. */
export function isDeeper(text: string, maxDepth: number): boolean {
  // Being too deep takes at least that many opening brackets; most texts only have a few.
  let openers = 0
  for (let at = text.indexOf('{'); at >= 0 && openers <= maxDepth; at = text.indexOf('{', at + 1)) openers++
  for (let at = text.indexOf('['); at >= 0 && openers <= maxDepth; at = text.indexOf('[', at + 1)) openers++
  return openers > maxDepth && depthOf(text, maxDepth) > maxDepth
}

/** Nesting of a text (brackets inside strings do not count), at most `limit + 1`. */
function depthOf(text: string, limit: number): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at)
    if (c === 0x22) at = endOfString(text, at)
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > deepest) deepest = depth
      if (deepest > limit) return deepest
    } else if (c === 0x7d || c === 0x5d) depth--
  }
  return deepest
}

/** Index of the quote that ends the string whose opening quote is at `start`, or the text's length. */
export function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = quote - 1
    while (text.charCodeAt(slashes) === 0x5c) slashes--
    if ((quote - slashes) % 2 === 1) return quote
  }
  return text.length
}

/** The start and end of a part of a text. */
interface TextSpan {
  readonly start: number
  readonly end: number
}

/** The elements of a top-level JSON array. */
export interface JsonArraySplit {
  /** False if the text does not begin with an array, the array is incomplete, or something follows it. */
  readonly whole: boolean
  /** The start and end of each element's text (without white space), in order. Elements are not validated. */
  readonly elements: readonly TextSpan[]
  /** Where an unterminated element, or whatever follows the array, begins; the text's length if `whole`. */
  readonly rest: number
}

/**
 * Splits a text that is one JSON array into its elements' texts without parsing it. Also works on a Latin-1 view of UTF-8 bytes,
 * since it only looks for ASCII; indexes are then byte offsets.
 */
export function splitJsonArray(text: string): JsonArraySplit {
  const elements: TextSpan[] = []
  const walk = jsonElements(text)
  for (;;) {
    const { done, value } = walk.next()
    if (done) return { ...value, elements }
    elements.push(value)
  }
}

/** The same, one element at a time; returns how the array ended. */
export function* jsonElements(text: string): Generator<TextSpan, Omit<JsonArraySplit, 'elements'>> {
  let at = skipSpace(text, 0)
  if (text.charCodeAt(at) !== 0x5b) return { whole: false, rest: at }
  let depth = 0
  let start = at + 1
  let isFirst = true
  for (at++; at < text.length; at++) {
    const c = text.charCodeAt(at)
    if (c === 0x22) at = endOfString(text, at)
    else if (c === 0x7b || c === 0x5b) depth++
    else if (depth > 0) depth -= c === 0x7d || c === 0x5d ? 1 : 0
    else if (c === 0x2c || c === 0x5d) {
      const element = stripped(text, start, at)
      const isEmptyArray = c === 0x5d && isFirst && element.start === element.end
      if (!isEmptyArray) yield element
      isFirst = false
      start = at + 1
      if (c === 0x5d) {
        const rest = skipSpace(text, start)
        return { whole: rest === text.length, rest }
      }
    }
  }
  return { whole: false, rest: skipSpace(text, start) }
}

/** Where the value of a member begins, in the JSON object that begins at `at`; `undefined` if there is no such object or member. */
export function memberValue(text: string, at: number, name: string): number | undefined {
  if (text.charCodeAt(at) !== 0x7b) return undefined
  for (let key = skipSpace(text, at + 1); text.charCodeAt(key) === 0x22; ) {
    const end = endOfString(text, key)
    const colon = skipSpace(text, end + 1)
    if (text.charCodeAt(colon) !== 0x3a) return undefined
    const value = skipSpace(text, colon + 1)
    if (text.slice(key + 1, end) === name) return value
    const comma = endOfValue(text, value)
    if (text.charCodeAt(comma) !== 0x2c) return undefined
    key = skipSpace(text, comma + 1)
  }
  return undefined
}

/** Index of what ends the value at `from` of an object: a comma or the closing bracket. */
function endOfValue(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const c = text.charCodeAt(at)
    if (c === 0x22) at = endOfString(text, at)
    else if (c === 0x7b || c === 0x5b) depth++
    else if (depth === 0 && (c === 0x2c || c === 0x7d)) return at
    else if (c === 0x7d || c === 0x5d) depth--
  }
  return text.length
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09
}

/** Index of the first non-white-space character at or after `from`. */
export function skipSpace(text: string, from: number): number {
  let at = from
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

function stripped(text: string, from: number, to: number): { start: number; end: number } {
  const start = Math.min(skipSpace(text, from), to)
  let end = to
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return { start, end }
}
