import type { DeadLetterReason } from './outcome.ts'

/** Something a source could not read as records; it stands for exactly one record in the counts. */
export interface Fault {
  readonly reason: DeadLetterReason
  readonly message: string
  /** Absolute (uncompressed) byte offset of the record. */
  readonly offset: number
  readonly length: number
  readonly sha256: string
  /** At most `MAX_DEAD_LETTER_BYTES` of it. */
  readonly raw: Uint8Array
}

/** What a body says of a record beside the record's own bytes. */
export interface Hints {
  /** Its log type; counts where the source names none. */
  readonly logType?: string | undefined
  /** When it happened, RFC 3339 UTC; counts where the record has no time of its own. */
  readonly time?: string | undefined
  /** The machine it is of; becomes the field `host` where the record has none. */
  readonly host?: string | undefined
  /** `p_source_label` in place of the source's. */
  readonly sourceLabel?: string | undefined
}

/** Hints for the records that begin at `from` or behind it, up to the next entry. */
export interface HintsFrom {
  /** Offset in the chunk's bytes. */
  readonly from: number
  readonly hints: Hints
}

/** A run of whole records of one file, body or stream, in order. */
export interface Chunk {
  /** Whole records only. */
  readonly bytes: Uint8Array
  /** Pairs of where in `bytes` a record begins and ends. Absent: each line is one, and only the last may lack its newline. */
  readonly records?: Uint32Array | undefined
  /** 16 hex digits: hash of the source and of the file, body or stream. Row id = place + 12 hex digits of the offset. */
  readonly place: string
  /** Absolute uncompressed byte offset of `bytes[0]`. */
  readonly offset: number
  /**
   * What the parser must remember from earlier chunks of the same place (a Zeek header), as text it made itself
   * (`ParseResult.context`), or '' at the beginning of a place.
   */
  readonly context: string
  /** The stream ends here: a last line without newline counts. */
  readonly final: boolean
  readonly faults: readonly Fault[]
  /** In order of `from`. Only together with `records`. */
  readonly hints?: readonly HintsFrom[] | undefined
  /** When it was received, epoch ms. Absent: when its batch was. */
  readonly receivedMs?: number
}
