import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { valueAt } from './json-path.ts'
import type { RecordsSpec } from './spec.ts'

/** The events of a record as JSON texts. A record that needs no change keeps its own text. */
export function eventTexts(value: JsonValue, text: string, spec: RecordsSpec): string[] {
  const { split, named_values: named, fields } = spec
  if (!isObject(value) || (split === undefined && named === undefined && !fields)) return [text]
  return parts(value, split).map((part) => jsonText(fields ? built(withNames(part, named), fields) : withNames(part, named)))
}

function parts(record: JsonObject, split: string | undefined): JsonObject[] {
  if (split === undefined) return [record]
  const list = record[split]
  const elements = Array.isArray(list) ? list.filter(isObject) : []
  if (elements.length === 0) return [record]
  const { [split]: _, ...rest } = record
  return elements.map((element) => ({ ...rest, ...element }))
}

/** `[{name: 'a', value: '1'}, {name: 'b', boolValue: true}]` becomes `{a: '1', b: true}`. */
function withNames(record: JsonObject, member: string | undefined): JsonObject {
  const list = member === undefined ? undefined : record[member]
  if (!Array.isArray(list)) return record
  const values: Record<string, JsonValue> = {}
  for (const one of list.filter(isObject)) {
    const { name, ...rest } = one
    if (typeof name !== 'string') continue
    const others = Object.values(rest)
    Object.defineProperty(values, name, {
      value: others.length === 1 ? others[0] : rest,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return { ...record, [member!]: values }
}

function built(record: JsonObject, fields: NonNullable<RecordsSpec['fields']>): JsonObject {
  const event: Record<string, JsonValue> = {}
  for (const [name, from] of Object.entries(fields)) {
    const value = typeof from === 'object' && 'value' in from ? (from.value as JsonValue) : valueAt(record, from as string)
    if (value !== undefined) event[name] = value
  }
  return event
}

/** JSON text on one line; integers of any size keep their digits. */
function jsonText(value: JsonValue): string {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, one]) => `${JSON.stringify(key)}:${jsonText(one ?? null)}`)
    .join(',')}}`
}
