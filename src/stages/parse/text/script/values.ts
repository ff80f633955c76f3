import type { JsonObject, JsonValue } from '../../../../model/json.ts'
import { parseJson, setOwn, stringifyJson } from '../../../../util/json.ts'

export type Value = string | number | bigint | boolean | null | Value[] | Dict | Callable
/** Keys are texts, numbers or booleans. */
export type Dict = Map<Key, Value>
export type Key = string | number | bigint | boolean
export type Callable = (given: readonly Value[]) => Value

/** A script that fails on a record. */
export class ScriptFailure extends Error {}

/** Deepest nesting of a value that goes into or comes from a script. */
const MAX_DEPTH = 100

/** Characters and elements that a script may read or make for one record, counted again each time. */
const MAX_WORK = 64 * 1024 * 1024

let work = 0

/** Starts counting for another record. Scripts run one after the other. */
export function beginWork(): void {
  work = 0
}

/** Counts work before it is done. Throws `ScriptFailure` beyond the limit. */
export function spend(amount: number): void {
  work += amount
  if (work > MAX_WORK) fail('the script does too much for one record')
}

/** Counts a search in a text. A long part that almost occurs everywhere takes the product of both lengths. */
export function spendSearch(text: string, part: string): void {
  spend(text.length * Math.ceil(part.length / 16))
}

/** What going through a value costs. */
export function sizeOf(value: Value): number {
  return typeof value === 'string' || Array.isArray(value) ? value.length : value instanceof Map ? value.size : 1
}

export function fail(message: string): never {
  throw new ScriptFailure(message)
}

export function typeOf(value: Value): string {
  if (value === null) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Map) return 'dict'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  return { string: 'string', bigint: 'int', boolean: 'bool', function: 'function' }[typeof value as 'string'] ?? 'function'
}

export function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0
  return value instanceof Map ? value.size > 0 : Boolean(value)
}

export function isEqual(a: Value, b: Value): boolean {
  spend(1 + Math.min(sizeOf(a), sizeOf(b)))
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => isEqual(one, b[i]!))
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && isEqual(value, b.get(key)!))
  // An int beyond 2^53 is a bigint; both kinds of numbers compare by value.
  // biome-ignore lint/suspicious/noDoubleEquals: of a number and a bigint
  if (typeof a !== typeof b && isNumber(a) && isNumber(b)) return a == b
  return a === b
}

export function isNumber(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

export function keyOf(value: Value): Key {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return value
  return fail(`a ${typeOf(value)} cannot be the key of a dict`)
}

/** As `str` writes it. */
export function textOf(value: Value): string {
  return typeof value === 'string' ? value : reprOf(value)
}

export function reprOf(value: Value, depth = 0): string {
  if (depth > MAX_DEPTH) return fail('the value is nested too deep')
  spend(1 + sizeOf(value))
  const inner = (one: Value) => reprOf(one, depth + 1)
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(inner).join(', ')}]`
  if (value instanceof Map) return `{${[...value].map(([key, one]) => `${inner(key)}: ${inner(one)}`).join(', ')}}`
  return typeof value === 'function' ? '<function>' : String(value)
}

export function fromJson(json: JsonValue): Value {
  if (Array.isArray(json)) return (json as readonly JsonValue[]).map(fromJson)
  if (typeof json === 'object' && json !== null)
    return new Map(Object.entries(json as JsonObject).map(([key, value]) => [key, fromJson(value as JsonValue)]))
  return json as string | number | bigint | boolean | null
}

export function toJson(value: Value, depth = 0): JsonValue {
  if (depth > MAX_DEPTH) return fail('the value is nested too deep')
  spend(1 + sizeOf(value))
  if (Array.isArray(value)) return value.map((one) => toJson(one, depth + 1))
  if (value instanceof Map) {
    const object: JsonObject = {}
    for (const [key, one] of value) {
      if (typeof key !== 'string') return fail(`the key ${reprOf(key)} of a dict is not a text`)
      setOwn(object, key, toJson(one, depth + 1))
    }
    return object
  }
  return typeof value === 'function' ? fail('a function is not a value of a record') : value
}

export const decodeJson: Callable = ([text]) => {
  const result = parseJson(asText(text), { maxDepth: MAX_DEPTH })
  return result.kind === 'ok' ? fromJson(result.value) : fail(`json.decode: ${result.message}`)
}

export const encodeJson: Callable = ([value]) => stringifyJson(toJson(value ?? null))

export function asText(value: Value | undefined): string {
  return typeof value === 'string' ? value : fail(`a text is needed, not ${value === undefined ? 'nothing' : typeOf(value)}`)
}

export function asInteger(value: Value | undefined): number {
  return typeof value === 'number' && Number.isInteger(value)
    ? value
    : fail(`an int is needed, not ${value === undefined ? 'nothing' : typeOf(value)}`)
}

/** What `for` goes through: elements, or keys of a dict. */
export function elementsOf(value: Value | undefined): readonly Value[] {
  if (Array.isArray(value)) return value
  if (value instanceof Map) return [...value.keys()]
  return fail(`a ${value === undefined ? 'missing value' : typeOf(value)} has no elements`)
}
