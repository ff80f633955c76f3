import { isObject, type JsonObject } from '../../model/json.ts'
import { DocumentWriter, type FieldDocument } from './document.ts'
import { Shape } from './shape.ts'

/** Fields of stored events that their schema does not have. */
export interface FoundFields {
  /** Events that have any. */
  readonly events: number
  /** As a schema file would write them. */
  readonly fields: readonly FieldDocument[]
  /** What could not be decided, one sentence each. */
  readonly notes: readonly string[]
}

/** The fields in values of the lake's column `extra`, as it is queried: JSON text, or an object. */
export function unknownFieldsIn(extras: Iterable<unknown>): FoundFields {
  const shape = new Shape({ isText: false })
  for (const extra of extras) shape.add(objectIn(extra))
  const writer = new DocumentWriter(shape.count)
  const { fields } = writer.write('Unknown', undefined, shape)
  for (const field of fields) {
    // The schema has an event time already, and a field that came late is not in all records.
    delete field.isEventTime
    delete field.required
  }
  return { events: shape.count, fields, notes: writer.notes.filter((note) => !/event's time|when the event happened/.test(note)) }
}

function objectIn(value: unknown): JsonObject | null {
  let inner = value
  for (let i = 0; i < 2 && typeof inner === 'string'; i++) inner = JSON.parse(inner) as unknown
  return isObject(inner) && Object.keys(inner).length > 0 ? (inner as JsonObject) : null
}
