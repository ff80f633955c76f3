import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Outcome } from '../../model/outcome.ts'
import type { CompiledSchema, RecordMeta } from '../../model/schema.ts'
import { addMissing, setOwn } from '../../util/json.ts'

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
  // Otherwise one of them is not of the type that the schema expects of a field with its name.
  if (whole.kind !== 'ok') setOwn(outcome.value as JsonObject, 'attributes', fields)
  return whole.kind === 'ok' ? whole : outcome
}
