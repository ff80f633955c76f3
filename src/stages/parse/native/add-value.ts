import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { setOwn } from '../../../util/json.ts'

/** Sets a value; a name that occurs again has a list of its values, so that none is lost. */
export function addValue(record: JsonObject, name: string, value: JsonValue): void {
  const before = Object.hasOwn(record, name) ? record[name] : undefined
  if (before === undefined) setOwn(record, name, value)
  else if (Array.isArray(before)) before.push(value)
  else setOwn(record, name, [before, value])
}
