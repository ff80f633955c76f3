import type { Column } from './column.ts'
import type { Event } from './event.ts'
import type { JsonObject } from './json.ts'
import type { Outcome } from './outcome.ts'

/** What the engine knows of a record beside its bytes. */
export interface RecordMeta {
  readonly rowId: string
  /** RFC 3339 UTC. */
  readonly parseTime: string
  /** The batch's receive time, epoch milliseconds: event times more than five minutes ahead of it are not believed. */
  readonly receivedMs: number
  readonly sourceId: string
  readonly sourceLabel: string
}

/** A log type's schema, compiled: one call per record, no look-ups by name left. */
export interface CompiledSchema {
  /** Log type, `Zeek.Conn`. */
  readonly name: string
  readonly version: number
  /** Lake table name without database, `zeek_conn`. */
  readonly table: string
  /** Standard columns first, then the schema's fields, then `extra` and `p_enrichment`. */
  readonly columns: readonly Column[]
  /** Raw object → event with `p_` fields and indicators, or the reason why not. Does not change `raw`. */
  normalise(raw: JsonObject, meta: RecordMeta): Outcome<Event>
  /** The event as one JSON array text in the order of `columns`; nested values as JSON text inside strings. */
  row(event: Event): string
  /** Field names that the schema does not know, of one event. */
  unknownFields(event: Event): readonly string[]
  /** How well a raw object's keys fit: 0 = a required field is missing, else higher is better. For classification. */
  fit(raw: JsonObject): number
}
