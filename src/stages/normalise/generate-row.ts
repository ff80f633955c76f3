import type { Column } from '../../model/column.ts'
import type { Event } from '../../model/event.ts'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { EncodeEvents, RowOrigin } from '../../model/schema.ts'
import { setOwn, stringifyJson } from '../../util/json.ts'

/** Fills `values` with one column's value of each event. */
type ReadColumn = (events: readonly Event[], values: unknown[]) => void

/**
 * The function that writes events as columns of their lake table. The code that reads a field is generated, so that each event is
 * read by a constant name; this is safe because names are only inserted as JSON literals. `constants` are the columns with the
 * same value in every event of the schema.
 */
export function generateEncoder(
  columns: readonly Column[],
  constants: ReadonlyMap<string, unknown>,
  unknownFields: (event: Event) => readonly string[],
): EncodeEvents {
  let readers: readonly (ReadColumn | undefined)[] | undefined
  return (events, out, origin) => {
    readers ??= columns.map((column) =>
      constants.has(column.name) || ORIGIN.has(column.name) ? undefined : readerOf(column, unknownFields),
    )
    const values: unknown[] = new Array(events.length).fill(null)
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!
      const read = readers[i]
      if (read) {
        read(events, values)
        out.column(column, values)
      } else {
        const key = ORIGIN.get(column.name)
        out.same(column, key ? origin[key] : constants.get(column.name))
      }
    }
  }
}

/** Columns with values that all events of a batch share. */
const ORIGIN: ReadonlyMap<string, keyof RowOrigin> = new Map([
  ['p_source_file', 'file'],
  ['p_generation', 'generation'],
])

function readerOf({ name, kind }: Column, unknownFields: (event: Event) => readonly string[]): ReadColumn {
  const value =
    name === 'extra'
      ? 'extra(events[i])'
      : kind === 'json'
        ? `json(events[i][${JSON.stringify(name)}])`
        : `events[i][${JSON.stringify(name)}]`
  const code = `'use strict'
return function read(events, values) {
  for (let i = 0; i < events.length; i++) values[i] = ${value}
}`
  const make = new Function('json', 'extra', code) as (...tools: unknown[]) => ReadColumn
  return make(json, (event: Event) => extra(event, unknownFields(event)))
}

/** Exact JSON text of a value. */
function json(value: JsonValue | undefined): string | null {
  if (value === undefined || value === null) return null
  return Array.isArray(value) && value.length === 0 ? '[]' : stringifyJson(value)
}

/** `extra`: the fields that are not in the schema, as an object. */
function extra(event: Event, names: readonly string[]): string | null {
  if (names.length === 0) return null
  const object: JsonObject = {}
  for (const name of names) setOwn(object, name, event[name]!)
  return stringifyJson(object)
}
