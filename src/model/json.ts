/** A JSON value as we represent it: integers beyond ±2^53 are BigInt, everything else is as `JSON.parse` returns it. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject

/** A JSON object. Keys are untrusted input: never let one reach a prototype. */
export interface JsonObject {
  [key: string]: JsonValue | undefined
}

/** True for a JSON object: neither a list nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
