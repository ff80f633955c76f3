import type { JsonObject, JsonValue } from '../json.ts'
import type { Comparison } from './condition.ts'
import { findName } from './path.ts'

/** Whether a field's value and another one satisfy a comparison. */
export type Compare = (value: JsonValue, other: JsonValue) => boolean

/** Python's `==` on JSON values: numbers and booleans by value, lists and objects member by member. */
export function isEqual(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true
  if (typeof a !== 'object' && typeof b !== 'object') {
    if (typeof a === 'string' || typeof b === 'string') return false
    // biome-ignore lint/suspicious/noDoubleEquals: compares a BigInt with a number by value
    return asNumber(a) == asNumber(b)
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((element: JsonValue, at) => isEqual(element, b[at] as JsonValue))
  }
  return areEqualObjects(a as JsonObject, b as JsonObject)
}

function areEqualObjects(a: JsonObject, b: JsonObject): boolean {
  const keys = Object.keys(a).filter((key) => a[key] !== undefined)
  if (keys.length !== Object.keys(b).filter((key) => b[key] !== undefined).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && b[key] !== undefined && isEqual(a[key]!, b[key]))
}

function asNumber(value: JsonValue): number | bigint | JsonValue {
  return typeof value === 'boolean' ? Number(value) : value
}

/**
 * Two scalars have the same key in a `Map` exactly when they are equal. `undefined` for lists and objects, which equal no scalar.
 */
export function hashKey(value: JsonValue): string | number | bigint | null | undefined {
  switch (typeof value) {
    case 'string':
    case 'bigint':
      return typeof value === 'bigint' && value >= -MAX_EXACT && value <= MAX_EXACT ? Number(value) : value
    case 'boolean':
      return Number(value)
    case 'number':
      return Number.isSafeInteger(value) || !Number.isInteger(value) ? value : BigInt(value)
    default:
      return value === null ? null : undefined
  }
}

const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER)

/** Folds the case of a text; other values are unchanged. */
export function fold<T extends JsonValue>(value: T): T | string {
  return typeof value === 'string' ? value.toLowerCase() : value
}

/** True for null and for an empty text, list or object. Zero and false are values. */
export function isNullOrEmpty(value: JsonValue): boolean {
  if (value === null || value === '') return true
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.length === 0
  for (const key in value) if ((value as JsonObject)[key] !== undefined) return false
  return true
}

/** Whether it is a text with a non-ASCII character. */
export function isBeyondAscii(value: JsonValue): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  return typeof value === 'string' && /[^\u0000-\u007f]/.test(value)
}

/** Python's `in`: `item` is a substring, a list element, or an object key (in any case). */
export function contains(value: JsonValue, item: JsonValue): boolean {
  if (typeof value === 'string') return typeof item === 'string' && value.includes(item)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some((element: JsonValue) => isEqual(element, item))
  return typeof item === 'string' && findName(value as JsonObject, item, item.toLowerCase()) !== undefined
}

/** `contains` ignoring case; `folded` is already folded. */
export function containsFolded(value: JsonValue, folded: JsonValue): boolean {
  if (typeof value === 'string') return typeof folded === 'string' && value.toLowerCase().includes(folded)
  if (Array.isArray(value)) return value.some((element: JsonValue) => isEqual(fold(element), folded))
  return contains(value, folded)
}

/** Negative, zero or positive; `undefined` if the two cannot be ordered. */
export function order(a: JsonValue, b: JsonValue): number | undefined {
  if (typeof a === 'string' || typeof b === 'string') {
    return typeof a === 'string' && typeof b === 'string' ? orderTexts(a, b) : undefined
  }
  const left = asNumber(a)
  const right = asNumber(b)
  if (typeof left !== 'number' && typeof left !== 'bigint') return undefined
  if (typeof right !== 'number' && typeof right !== 'bigint') return undefined
  return left < right ? -1 : left > right ? 1 : 0
}

/** By code point, as in Python. JavaScript's `<` compares UTF-16 units, where U+FFFD comes after an emoji. */
function orderTexts(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let at = 0; at < shared; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** A comparison of two values, both of which may come from the event. */
export function comparison(test: Comparison, ignoreCase: boolean): Compare {
  const plain = plainComparison(test)
  if (!ignoreCase) return plain
  if (test === 'contains') return (value, other) => containsFolded(value, fold(other))
  return (value, other) => plain(fold(value), fold(other))
}

function plainComparison(test: Comparison): Compare {
  switch (test) {
    case 'equals':
      return isEqual
    case 'starts':
      return (value, other) => typeof value === 'string' && typeof other === 'string' && value.startsWith(other)
    case 'ends':
      return (value, other) => typeof value === 'string' && typeof other === 'string' && value.endsWith(other)
    case 'contains':
      return contains
    case 'greater':
      return (value, other) => (order(value, other) ?? 0) > 0
    case 'greaterOrEqual':
      return (value, other) => (order(value, other) ?? -1) >= 0
    case 'less':
      return (value, other) => (order(value, other) ?? 0) < 0
    case 'lessOrEqual':
      return (value, other) => (order(value, other) ?? 1) <= 0
    default:
      return unknown(test)
  }
}

/** For the `default` of an exhaustive switch. */
export function unknown(value: never): never {
  throw new Error(`unknown condition ${JSON.stringify(value)}: this is a bug`)
}
