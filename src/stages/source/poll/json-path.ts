import { isObject, type JsonValue } from '../../../model/json.ts'
import { type JsonPath, namesIn } from './spec.ts'

/** The value at a path; `undefined` if it is missing. */
export function valueAt(value: JsonValue, path: JsonPath): JsonValue | undefined {
  let at: JsonValue | undefined = value
  for (const name of namesIn(path)) at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
  return at
}

/** The text at a path, of a text or a number; `undefined` if there is neither. */
export function textAt(value: JsonValue, path: JsonPath): string | undefined {
  const found = valueAt(value, path)
  if (typeof found === 'number' || typeof found === 'bigint') return String(found)
  return typeof found === 'string' && found !== '' ? found : undefined
}
