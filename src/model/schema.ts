import type { Column } from './column.ts'
import type { ColumnSink } from './column-sink.ts'
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
  /** When the event happened as its body says, RFC 3339 UTC; counts where the record has no time of its own. */
  readonly time?: string | undefined
}

/** How a record's keys fit a schema: what a guess of the log type rests on. */
export interface Fit {
  /** The schema's fields that the record has. */
  readonly known: number
  /** Those of `known` that hold the event's time, which every log has. */
  readonly times: number
  /** Those of `known` whose names are not common to logs of any kind. */
  readonly telling: number
  /** The record's keys that the schema does not know. */
  readonly unknown: readonly string[]
  /** Required fields that the record lacks. */
  readonly missing: readonly string[]
  /** The record has every field of the schema. */
  readonly isWhole: boolean
}

/** What a row says of where its event came from, beside the event itself: the same for all events of a batch. */
export interface RowOrigin {
  /** The path of the file that it was read from, if it was. */
  readonly file?: string | undefined
  /** The hash of the generation that judged it. */
  readonly generation?: string | undefined
}

/** Writes events as the columns of their lake table. */
export type EncodeEvents = (events: readonly Event[], out: ColumnSink, origin: RowOrigin) => void

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
  /** Writes events as the columns of the lake table, in the order of `columns`. */
  readonly encode: EncodeEvents
  /** Field names that the schema does not know, of one event. */
  unknownFields(event: Event): readonly string[]
  /** Native parser of the format (`zeek`); its schemas name all fields that such a log has. */
  readonly native: string | undefined
  /** False: a record is of this log type only when it, its header or its source says so. */
  readonly mayGuess: boolean
  /** False for a schema that no file describes: it knows no field, and takes any record. */
  readonly isDescribed: boolean
  /** How a raw object's keys fit; its values do not matter. */
  fit(raw: JsonObject): Fit
  /** Fields with a common name whose value speaks for this log type all the same: an address, a marker. */
  confirmed(raw: JsonObject): number
}
