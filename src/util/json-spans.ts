/** True when objects and arrays of a text, JSON or not, are nested more than `maxDepth` deep. Costs nothing for most texts. */
export function isDeeper(text: string, maxDepth: number): boolean {
  // As many openers as levels are needed to be too deep; most texts have a handful.
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

/** Where a part of a text begins and ends. */
interface TextSpan {
  readonly start: number
  readonly end: number
}

/** The elements of a top-level JSON array. */
export interface JsonArraySplit {
  /** False: the text does not begin with an array, the array is cut off, or something follows it. */
  readonly whole: boolean
  /** Where each element's text begins and ends (white space stripped), in order. Elements are not checked. */
  readonly elements: readonly TextSpan[]
  /** Where an element begins that has no end, or what follows the array; the text's length when `whole`. */
  readonly rest: number
}

/**
 * Splits a text that is one JSON array into its elements' texts without parsing it. Works on a Latin-1 view of UTF-8
 * bytes too: what it looks for is ASCII, and the indexes are then byte offsets.
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

/** The same, an element at a time; returns how the array ended. */
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

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09
}

/** Index of the first character from `from` on that is no white space. */
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
