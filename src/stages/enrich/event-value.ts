import type { Event } from '../../model/event.ts'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { Selector } from './selector.ts'

/** The value of a field. A field whose name contains dots takes precedence over the path. */
export function fieldValue(event: Event, { name, path }: Selector): JsonValue | undefined {
  return Object.hasOwn(event, name) ? event[name] : valueAt(event, path, 0)
}

/** The value at a path; a list of values if an array is on the way. */
export function valueAt(value: JsonValue | undefined, path: readonly string[], step: number): JsonValue | undefined {
  if (Array.isArray(value)) {
    const found: JsonValue[] = []
    for (const element of value) {
      const inner = valueAt(element as JsonValue, path, step)
      // One by one: a call has room for some 100,000 arguments only.
      if (Array.isArray(inner)) for (const one of inner as JsonValue[]) found.push(one)
      else if (inner !== undefined) found.push(inner)
    }
    return found
  }
  if (step === path.length) return value
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, path[step]!)) return undefined
  return valueAt((value as JsonObject)[path[step]!], path, step + 1)
}

/** Numbers and booleans are looked up as text; objects are never keys. */
export function keyText(value: JsonValue): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : undefined
}
