import type { Column } from './column.ts'
import type { ColumnSink } from './column-sink.ts'
import type { Event } from './event.ts'
import type { JsonObject } from './json.ts'
import type { Outcome } from './outcome.ts'

/** What we know about a record besides its bytes. */
export interface RecordMeta {
  readonly rowId: string
  /** RFC 3339 UTC. */
  readonly parseTime: string
  /** The batch's receive time, epoch milliseconds. Event times more than five minutes later are not trusted. */
  readonly receivedMs: number
  readonly sourceId: string
  readonly sourceLabel: string
  /** When the event happened according to its body, RFC 3339 UTC; used if the record has no time. */
  readonly time?: string | undefined
}

/** How well a record's keys fit a schema; the basis for guessing log types. */
export interface Fit {
  /** The schema's fields that the record has. */
  readonly known: number
  /** How many of `known` hold the event's time, which every log has. */
  readonly times: number
  /** How many of `known` have names that are not common to all kinds of logs. */
  readonly telling: number
  /** The record's keys that are not in the schema. */
  readonly unknown: readonly string[]
  /** Required fields that the record lacks. */
  readonly missing: readonly string[]
  /** The record has every field of the schema. */
  readonly isWhole: boolean
}

/** How the text of records is read: the kind of parser, and what the schema says about it under that key. */
export interface ParserSpec {
  /** `native`, `csv` … */
  readonly type: string
  readonly settings: unknown
}

/** Where an event came from, the same for all events of a batch. */
export interface RowOrigin {
  /** The path of the file that it was read from, if any. */
  readonly file?: string | undefined
  /** The hash of the generation that judged it. */
  readonly generation?: string | undefined
}

/** Writes events as the columns of their lake table. */
export type EncodeEvents = (events: readonly Event[], out: ColumnSink, origin: RowOrigin) => void

/** A log type's compiled schema: one call per record, without look-ups by name. */
export interface CompiledSchema {
  /** Log type, `Zeek.Conn`. */
  readonly name: string
  readonly version: number
  /** Lake table name without database, `zeek_conn`. */
  readonly table: string
  /** Standard columns first, then the schema's fields, then `extra` and `p_enrichment`. */
  readonly columns: readonly Column[]
  /** Converts a raw object to an event with `p_` fields and indicators, or returns the reason why not. Does not change `raw`. */
  normalise(raw: JsonObject, meta: RecordMeta): Outcome<Event>
  /** Writes events as the columns of the lake table, in the order of `columns`. */
  readonly encode: EncodeEvents
  /** An event's field names that are not in the schema. */
  unknownFields(event: Event): readonly string[]
  /** Native parser of the format (`zeek`); its schemas list all fields that such a log can have. */
  readonly native: string | undefined
  /** Reads the text of its records; `undefined` if they are JSON, or if Caracal detects their format. */
  readonly parser: ParserSpec | undefined
  /** False: a record is of this log type only when it, its header or its source says so. */
  readonly mayGuess: boolean
  /** False for a log type without a schema file: it has no fields and accepts any record. */
  readonly isDescribed: boolean
  /** How well a raw object's keys fit; values do not matter. */
  fit(raw: JsonObject): Fit
  /** Number of fields with a common name whose value still suggests this log type: an address, a marker. */
  confirmed(raw: JsonObject): number
}
