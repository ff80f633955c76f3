import type { JsonObject, JsonValue } from '../../model/json.ts'

/** The value below these names, or `undefined`. */
export function valueAt(object: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = object
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return undefined
    value = (value as JsonObject)[name]
  }
  return value
}

/** A copy without the value at this path, which must exist. */
export function without(object: JsonObject, [name, ...rest]: readonly string[]): JsonObject {
  const { [name!]: inner, ...others } = object
  return rest.length === 0 ? others : { ...others, [name!]: without(inner as JsonObject, rest) }
}

/** The path of a name in a record: a key, or else keys joined by dots; `undefined` if the record has no such value. */
export function pathIn(object: JsonObject, name: string): readonly string[] | undefined {
  if (valueAt(object, [name]) !== undefined) return [name]
  const path = name.split('.')
  return path.length > 1 && valueAt(object, path) !== undefined ? path : undefined
}
