import type { JsonObject, JsonValue } from '../model/json.ts'
import { jsonErrorAt } from './json-error.ts'
import { endOfString, isDeeper } from './json-spans.ts'

/** Why a text is not usable JSON; the reasons are those of dead letters. */
export interface JsonFailure {
  readonly kind: 'failure'
  readonly reason: 'invalid_json' | 'wrong_type' | 'too_deep'
  readonly message: string
}

export type JsonResult = { readonly kind: 'ok'; readonly value: JsonValue } | JsonFailure

/** Longer integers are refused: no log contains them, and parsing them would cost far more than their size suggests. */
const MAX_INTEGER_DIGITS = 1000

/** The nesting of a text up to this length is checked on its value, which is walked through anyway, and not on the text before it is parsed. */
const SHORT = 64 * 1024

/**
 * Reads one JSON text exactly: integers beyond ±2^53 become BigInt, numbers that no double can hold are refused,
 * lone surrogates become U+FFFD, and nesting deeper than `maxDepth` is refused, in a long text before it is parsed.
 * `JSON.parse` does the work; the exact path is taken only by texts with large numbers. A key `__proto__` becomes an own
 * property, as with `JSON.parse`.
 */
export function parseJson(text: string, { maxDepth }: { readonly maxDepth: number }): JsonResult {
  if (text.length > SHORT && isDeeper(text, maxDepth)) return tooDeep(maxDepth)
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch {
    if (isDeeper(text, maxDepth)) return tooDeep(maxDepth)
    return { kind: 'failure', reason: 'invalid_json', message: syntaxMessage(text) }
  }
  if (!isExact(value, maxDepth)) {
    if (isDeeper(text, maxDepth)) return tooDeep(maxDepth)
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
  // Text decoded from UTF-8 is well-formed, so only an escape can produce a lone surrogate.
  if (text.includes('\\u') && !isWellFormed(value)) value = wellFormed(value)
  return { kind: 'ok', value }
}

function tooDeep(maxDepth: number): JsonFailure {
  return { kind: 'failure', reason: 'too_deep', message: `objects and arrays are nested more than ${maxDepth} deep` }
}

/**
 * False if a number may have lost digits (integers beyond ±2^53, and numbers that do not fit a double), or if objects and arrays are nested
 * more than `levels` deep.
 */
function isExact(value: JsonValue, levels: number): boolean {
  if (typeof value === 'number') return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  if (Array.isArray(value)) return value.every((inner) => isExact(inner, levels - 1))
  const object = value as JsonObject
  for (const key in object) {
    const inner = object[key]!
    if (typeof inner === 'number') {
      if (inner > Number.MAX_SAFE_INTEGER || inner < Number.MIN_SAFE_INTEGER) return false
    } else if (typeof inner === 'object' && !isExact(inner, levels - 1)) return false
  }
  return true
}

function syntaxMessage(text: string): string {
  const at = jsonErrorAt(text)
  if (at >= text.length) return `not JSON: the text ends too early, at position ${text.length}`
  return `not JSON at position ${at}, near ${JSON.stringify(text.slice(at, at + 20))}`
}

/** Reads a text that `JSON.parse` has accepted, with exact integers. */
class ExactReader {
  /** The first number that cannot be represented, shortened for a message. */
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

/** Sets the members of `fields` that the object lacks or that hold `undefined`. */
export function addMissing(object: JsonObject, fields: JsonObject): void {
  for (const key of Object.keys(fields))
    if (!Object.hasOwn(object, key) || object[key] === undefined) setOwn(object, key, fields[key])
}

/** Sets an own property whatever its name, even `__proto__`. */
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

/** True if `JSON.parse` accepts the text. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/**
 * Exact JSON text of a value, BigInt as digits; `undefined` members are left out. As fast as `JSON.stringify` if there is no
 * BigInt; neither hand-written code nor code generated per schema was faster.
 */
export function stringifyJson(value: JsonValue): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof TypeError) return exactText(value)
    throw error
  }
}

/** Characters that JSON escapes in strings, and a few that it does not. */
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u

function exactText(value: JsonValue | undefined): string {
  if (typeof value === 'string') return ESCAPED.test(value) ? JSON.stringify(value) : `"${value}"`
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  return Array.isArray(value) ? `[${value.map(exactText).join()}]` : exactObject(value as JsonObject)
}

function exactObject(object: JsonObject): string {
  let text = ''
  for (const key of Object.keys(object)) {
    const value = object[key]
    if (value !== undefined) text += `${text === '' ? '' : ','}${exactText(key)}:${exactText(value)}`
  }
  return `{${text}}`
}
