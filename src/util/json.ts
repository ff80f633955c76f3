import type { JsonObject, JsonValue } from '../model/json.ts'
import { jsonErrorAt } from './json-error.ts'

/** Why a text is no usable JSON; the reasons are those of dead letters. */
export interface JsonFailure {
  readonly kind: 'failure'
  readonly reason: 'invalid_json' | 'wrong_type' | 'too_deep'
  readonly message: string
}

export type JsonResult = { readonly kind: 'ok'; readonly value: JsonValue } | JsonFailure

/** Longer integers are refused: no log holds them, and they would cost far more than their bytes. */
const MAX_INTEGER_DIGITS = 1000

/**
 * Reads one JSON text exactly: integers beyond ±2^53 become BigInt, numbers that no double can hold are refused,
 * lone surrogates become U+FFFD, and nesting deeper than `maxDepth` is refused before it costs anything.
 * `JSON.parse` does the work; the exact path is taken only by texts with large numbers. A key `__proto__` becomes an own
 * property, as with `JSON.parse`.
 */
export function parseJson(text: string, { maxDepth }: { readonly maxDepth: number }): JsonResult {
  if (isDeeper(text, maxDepth)) {
    return { kind: 'failure', reason: 'too_deep', message: `objects and arrays are nested more than ${maxDepth} deep` }
  }
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch {
    return { kind: 'failure', reason: 'invalid_json', message: syntaxMessage(text) }
  }
  if (!isExact(value)) {
    const reader = new ExactReader(text)
    value = reader.value()
    if (reader.refused !== undefined) {
      return {
        kind: 'failure',
        reason: 'wrong_type',
        message: `number out of range: ${reader.refused} is beyond what a number can hold`,
      }
    }
  }
  // Text decoded from UTF-8 is well-formed: only an escape can make a lone surrogate.
  if (text.includes('\\u') && !isWellFormed(value)) value = wellFormed(value)
  return { kind: 'ok', value }
}

/** False when a number may have lost digits: integers beyond ±2^53, and what no double can hold. */
function isExact(value: JsonValue): boolean {
  if (typeof value === 'number') return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isExact)
  const object = value as JsonObject
  for (const key in object) {
    const inner = object[key]!
    if (typeof inner === 'number') {
      if (inner > Number.MAX_SAFE_INTEGER || inner < Number.MIN_SAFE_INTEGER) return false
    } else if (typeof inner === 'object' && !isExact(inner)) return false
  }
  return true
}

function syntaxMessage(text: string): string {
  const at = jsonErrorAt(text)
  if (at >= text.length) return `not JSON: the text ends too early, at position ${text.length}`
  return `not JSON at position ${at}, near ${JSON.stringify(text.slice(at, at + 20))}`
}

function isDeeper(text: string, maxDepth: number): boolean {
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
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = quote - 1
    while (text.charCodeAt(slashes) === 0x5c) slashes--
    if ((quote - slashes) % 2 === 1) return quote
  }
  return text.length
}

/** Reads a text that `JSON.parse` has accepted, with exact integers. */
class ExactReader {
  /** The first number that cannot be held, cut for a message. */
  refused: string | undefined
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): JsonValue {
    const c = this.#peek()
    if (c === '{') return this.#object()
    if (c === '[') return this.#array()
    if (c === '"') return this.#string()
    if (c === 't' || c === 'n') return this.#word(4, c === 't' ? true : null)
    if (c === 'f') return this.#word(5, false)
    return this.#number()
  }

  #peek(): string {
    while (' \t\n\r'.includes(this.#text[this.#at]!)) this.#at++
    return this.#text[this.#at]!
  }

  #word(length: number, value: boolean | null): boolean | null {
    this.#at += length
    return value
  }

  #object(): JsonObject {
    const object: JsonObject = {}
    this.#at++
    while (this.#peek() !== '}') {
      const key = this.#string()
      this.#peek()
      this.#at++
      setOwn(object, key, this.value())
      if (this.#peek() === ',') this.#at++
    }
    this.#at++
    return object
  }

  #array(): JsonValue[] {
    const array: JsonValue[] = []
    this.#at++
    while (this.#peek() !== ']') {
      array.push(this.value())
      if (this.#peek() === ',') this.#at++
    }
    this.#at++
    return array
  }

  #string(): string {
    const start = this.#at
    this.#at = endOfString(this.#text, start) + 1
    return JSON.parse(this.#text.slice(start, this.#at)) as string
  }

  #number(): number | bigint {
    const start = this.#at
    let c = this.#text.charCodeAt(this.#at)
    while ((c >= 0x30 && c <= 0x39) || c === 0x2d || c === 0x2b || c === 0x2e || (c | 0x20) === 0x65)
      c = this.#text.charCodeAt(++this.#at)
    const text = this.#text.slice(start, this.#at)
    const value = Number(text)
    if (!Number.isSafeInteger(value) && /^-?\d+$/.test(text) && text.length <= MAX_INTEGER_DIGITS) return BigInt(text)
    if (!Number.isFinite(value)) this.refused ??= text.length > 40 ? `${text.slice(0, 40)}…` : text
    return value
  }
}

/** Sets an own property whatever its name (`__proto__` too). */
export function setOwn(object: JsonObject, key: string, value: JsonValue | undefined): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  else object[key] = value
}

function isWellFormed(value: JsonValue): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isWellFormed)
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner!))
}

function wellFormed(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(wellFormed)
  const object: JsonObject = {}
  for (const [key, inner] of Object.entries(value)) setOwn(object, key.toWellFormed(), wellFormed(inner!))
  return object
}

/** Exact JSON text of a value, BigInt as digits; `undefined` members are left out. As fast as `JSON.stringify` where there is no BigInt. */
export function stringifyJson(value: JsonValue): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof TypeError) return stringifyExact(value)
    throw error
  }
}

function stringifyExact(value: JsonValue): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((inner: JsonValue | undefined) => stringifyExact(inner ?? null)).join(',')}]`
  const members: string[] = []
  for (const [key, inner] of Object.entries(value)) {
    if (inner !== undefined) members.push(`${JSON.stringify(key)}:${stringifyExact(inner)}`)
  }
  return `{${members.join(',')}}`
}

/** The elements of a top-level JSON array. */
export interface JsonArraySplit {
  /** False: the text does not begin with an array, the array is cut off, or something follows it. */
  readonly whole: boolean
  /** Where each element's text begins and ends (white space stripped), in order. Elements are not checked. */
  readonly elements: readonly { readonly start: number; readonly end: number }[]
  /** Where an element begins that has no end, or what follows the array; the text's length when `whole`. */
  readonly rest: number
}

/**
 * Splits a text that is one JSON array into its elements' texts without parsing it. Works on a Latin-1 view of UTF-8
 * bytes too: what it looks for is ASCII, and the indexes are then byte offsets.
 */
export function splitJsonArray(text: string): JsonArraySplit {
  const elements: { start: number; end: number }[] = []
  let at = skipSpace(text, 0)
  if (text.charCodeAt(at) !== 0x5b) return { whole: false, elements, rest: at }
  let depth = 0
  let start = at + 1
  for (at++; at < text.length; at++) {
    const c = text.charCodeAt(at)
    if (c === 0x22) at = endOfString(text, at)
    else if (c === 0x7b || c === 0x5b) depth++
    else if (depth > 0) depth -= c === 0x7d || c === 0x5d ? 1 : 0
    else if (c === 0x2c || c === 0x5d) {
      const element = stripped(text, start, at)
      const isEmptyArray = c === 0x5d && elements.length === 0 && element.start === element.end
      if (!isEmptyArray) elements.push(element)
      start = at + 1
      if (c === 0x5d) {
        const rest = skipSpace(text, start)
        return { whole: rest === text.length, elements, rest }
      }
    }
  }
  return { whole: false, elements, rest: skipSpace(text, start) }
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09
}

function skipSpace(text: string, from: number): number {
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
