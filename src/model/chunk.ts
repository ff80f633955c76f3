import type { JsonObject } from './json.ts'
import type { DeadLetterReason } from './outcome.ts'

/** Data that a source could not read as records; it counts as exactly one record. */
export interface Fault {
  readonly reason: DeadLetterReason
  readonly message: string
  /** Absolute (uncompressed) byte offset of the record. */
  readonly offset: number
  readonly length: number
  readonly sha256: string
  /** At most `MAX_DEAD_LETTER_BYTES`. */
  readonly raw: Uint8Array
}

/** What a body says about a record in addition to the record's own bytes. */
export interface Hints {
  /** Its log type; used if the source names none. */
  readonly logType?: string | undefined
  /** When it happened, RFC 3339 UTC; used if the record has no time. */
  readonly time?: string | undefined
  /** The machine it comes from; becomes the field `host` if the record has none. */
  readonly host?: string | undefined
  /** Replaces the source's `p_source_label`. */
  readonly sourceLabel?: string | undefined
  /**
   * What else its body says about it: attributes, labels, a shipper's metadata. They become fields of the event unless the record
   * has them. A text that is in no known format is then the field `message`.
   */
  readonly fields?: JsonObject | undefined
  /** It is not a record but counts as filtered, under this name. */
  readonly leaveOut?: string | undefined
}

/** Hints for the records that begin at or after `from`, up to the next entry. */
export interface HintsFrom {
  /** Offset in the chunk's bytes. */
  readonly from: number
  readonly hints: Hints
}

/** A run of whole records of one file, body or stream, in order. */
export interface Chunk {
  /** Whole records only. */
  readonly bytes: Uint8Array
  /**
   * Pairs of start and end offsets of records in `bytes`. If absent, each line is a record, and only the last may lack its
   * newline.
   */
  readonly records?: Uint32Array | undefined
  /** 16 hex digits: hash of the source and of the file, body or stream. Row id = place + 12 hex digits of the offset. */
  readonly place: string
  /** Absolute uncompressed byte offset of `bytes[0]`. */
  readonly offset: number
  /**
   * What the parser must remember from earlier chunks of the same place (a Zeek header), as text that it produced
   * (`ParseResult.context`), or '' at the beginning of a place.
   */
  readonly context: string
  /** The stream ends here, so a last line without a newline counts. */
  readonly final: boolean
  readonly faults: readonly Fault[]
  /** Ordered by `from`. Requires `records`. */
  readonly hints?: readonly HintsFrom[] | undefined
  /** The log types that its records may have, if fewer than its source's. */
  readonly logTypes?: readonly string[] | undefined
  /** When it was received, epoch ms. Default: the batch's receive time. */
  readonly receivedMs?: number
}
