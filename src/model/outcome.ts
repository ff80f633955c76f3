import type { Hints } from './chunk.ts'

/** Why a record could not become an event. The words are fixed: people's scripts depend on them. */
export const DEAD_LETTER_REASONS = [
  'no_header',
  'truncated',
  'too_long',
  'too_deep',
  'invalid_utf8',
  'invalid_json',
  'wrong_type',
  'missing_field',
  'invalid_time',
  'unknown_log_type',
  'not_a_log',
  'compression',
  'decoding',
  'internal',
] as const

export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number]

/** What became of one record in one stage. Expected outcomes are values, never exceptions. */
export type Outcome<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'drop'; readonly filter: string }
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason; readonly message: string }

/** What a record is parsed again with. */
export interface LetterContext {
  /** What the parser remembered from earlier records: a header's lines, a log type. */
  readonly context?: string
  /** What its body said of it. */
  readonly hints?: Hints
}

/** A record that did not become an event, with what a person needs to mend and replay it. */
export interface DeadLetter {
  readonly reason: DeadLetterReason
  /** What is wrong and what to do about it, for a person. */
  readonly message: string
  /** Source id. */
  readonly source: string
  /** Where the record stands: `<place>:<byte offset>` (the place is a file's or a body's). */
  readonly position: string
  /** Bytes of the whole record. */
  readonly length: number
  /** SHA-256 of the whole record, hex. */
  readonly sha256: string
  /** The record's bytes, at most `MAX_DEAD_LETTER_BYTES` of them. */
  readonly raw: Uint8Array
  /** The same as `p_row_id` would have been. */
  readonly rowId: string
  /** When the record was received, epoch ms. Absent: it was no longer known. */
  readonly receivedMs?: number
  /** What parsing knew of the record beside its bytes, as JSON text of a `LetterContext`. Absent: nothing. */
  readonly context?: string | undefined
}

/** Of a dead letter's bytes at most this many are kept. */
export const MAX_DEAD_LETTER_BYTES = 64 * 1024

/** A record longer than this is dead-lettered as `too_long` unless configured otherwise. */
export const DEFAULT_MAX_RECORD_BYTES = 1024 * 1024
