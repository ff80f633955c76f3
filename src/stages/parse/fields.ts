import type { Hints } from '../../model/chunk.ts'
import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import { MAX_DEAD_LETTER_BYTES, type Outcome } from '../../model/outcome.ts'
import type { CompiledSchema, RecordMeta } from '../../model/schema.ts'
import { addMissing, setOwn, stringifyJson } from '../../util/json.ts'

/** The record's event together with what its body adds, which does not count as evidence for its log type. Changes `raw`. */
export function withFields(
  schema: CompiledSchema,
  outcome: Outcome<Event>,
  raw: JsonObject,
  meta: RecordMeta,
  fields: JsonObject | undefined,
): Outcome<Event> {
  if (fields === undefined || outcome.kind === 'drop') return outcome
  addMissing(raw, fields)
  if (outcome.kind === 'dead-letter') return outcome
  const whole = schema.normalise(raw, meta)
  if (whole.kind === 'ok') return whole
  // One of them is not of the type that the schema expects of a field with its name.
  const value = { ...outcome.value }
  setOwn(value as JsonObject, 'attributes', fields)
  return { kind: 'ok', value }
}

/** The length of what a body adds to a record, as JSON. */
export function lengthOf(fields: JsonObject | undefined): number {
  return fields ? stringifyJson(fields).length : 0
}

/** Why a record is refused that is longer than the limit, alone or together with what its body adds. */
export function tooLong(length: number, ofFields: number, limit: number) {
  const more = ofFields > 0 ? `, with ${ofFields} more in the fields that its sender adds,` : ''
  const message = `the record has ${length} bytes${more} and the limit is ${limit}: have the sender split it, or raise \`max_record_bytes\``
  return { reason: 'too_long', message } as const
}

/** The hints that a dead letter keeps: without the fields if these are longer than the record may be in it. */
export function keptHints(hints: Hints, ofFields: number): Hints {
  if (ofFields <= MAX_DEAD_LETTER_BYTES) return hints
  const { fields: _, ...others } = hints
  return others
}
