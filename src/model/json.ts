/** A JSON value as the product holds it: integers beyond ±2^53 are BigInt, everything else as `JSON.parse` gives it. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject

/** A JSON object. Keys come from foreign input: never use one to reach a prototype. */
export interface JsonObject {
  [key: string]: JsonValue | undefined
}
