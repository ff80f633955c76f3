import { rangeOf } from '../../model/ip-range.ts'
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts'
import { quote } from './formats/format.ts'
import { keyOfColumns, spanKey } from './formats/span.ts'
import type { TableKey } from './table-key.ts'
import { joinKey } from './tables/composite-index.ts'

/** Maximum number of keys of a row whose key columns contain lists. */
const MAX_KEYS = 1000

/** The keys of a row: one, or one for each element where its column contains a list. A sentence if it has none. */
export function keysOfRow(row: JsonObject, { kind, columns }: TableKey): readonly string[] | string {
  if (kind === 'column') return keysOfColumn(row, columns[0]!)
  if (kind === 'range') return keyOfRange(row, columns)
  let keys: readonly (readonly string[])[] = [[]]
  for (const column of columns) {
    const parts = textsOf(columnOf(row, column))
    if (parts.length === 0) return `a row has no '${column}' (part of the primary key)`
    if (keys.length * parts.length > MAX_KEYS) return `the lists in a row make more than ${MAX_KEYS} keys`
    keys = keys.flatMap((before) => parts.map((part) => [...before, part]))
  }
  return keys.map(joinKey)
}

function keyOfRange(row: JsonObject, columns: readonly string[]): readonly string[] | string {
  const [first, last] = columns.map((column) => textsOf(columnOf(row, column)))
  if (first!.length !== 1 || last!.length !== 1)
    return `a row has no range from '${columns[0]}' to '${columns[1]}' (the primary key)`
  const range = rangeOf(first![0]!, last![0]!)
  return range ? [spanKey(first![0]!, last![0]!, range)] : `${quote(`${first![0]}-${last![0]}`)} is not a range of addresses`
}

function keysOfColumn(row: JsonObject, column: string): readonly string[] | string {
  const span = keyOfColumns(row, column)
  if (typeof span === 'string') return span
  const keys = textsOf(span?.key ?? columnOf(row, column))
  return keys.length > 0 ? keys : `a row has no '${column}' (the primary key)`
}

function columnOf(row: JsonObject, column: string): JsonValue | undefined {
  return Object.hasOwn(row, column) ? row[column] : undefined
}

/** Numbers and booleans are keys as text; objects are not keys. */
function textsOf(value: JsonValue | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap((element) => textsOf(element as JsonValue))
  if (value === undefined || value === null || value === '' || isObject(value)) return []
  return [String(value)]
}
