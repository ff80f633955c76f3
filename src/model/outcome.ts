import type { Hints } from './chunk.ts'

/** Why a record could not become an event. The names are stable: users' scripts depend on them. */
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
  'no_match',
  'invalid_format',
  'script_error',
  'compression',
  'decoding',
  'internal',
] as const

export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number]

/** The outcome of one record in one stage. Expected outcomes are values, never exceptions. */
export type Outcome<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'drop'; readonly filter: string }
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason; readonly message: string }

/** What is needed to parse a record again. */
export interface LetterContext {
  /** What the parser remembered from earlier records: a header's lines, a log type. */
  readonly context?: string
  /** The log types that it may have. Absent: those of its source. */
  readonly logTypes?: readonly string[]
  /** What its body said about it. */
  readonly hints?: Hints
  /** When it was received, epoch ms. Absent: the letter's own time. */
  readonly receivedMs?: number
}

/** A record that did not become an event, with what a person needs to fix and replay it. */
export interface DeadLetter {
  readonly reason: DeadLetterReason
  /** What is wrong and what to do about it, for a person. */
  readonly message: string
  /** Source id. */
  readonly source: string
  /** The record's position: `<place>:<byte offset>` (the place of a file or a body). */
  readonly position: string
  /** Size of the whole record in bytes. */
  readonly length: number
  /** SHA-256 of the whole record, hex. */
  readonly sha256: string
  /** The record's first bytes, at most `MAX_DEAD_LETTER_BYTES`. */
  readonly raw: Uint8Array
  /** What `p_row_id` would have been. */
  readonly rowId: string
  /** When the record was received, epoch ms. Absent if no longer known. */
  readonly receivedMs?: number
  /** What parsing knew about the record besides its bytes, as JSON text of a `LetterContext`. */
  readonly context?: string | undefined
}

/** Maximum number of bytes kept of a dead letter. */
export const MAX_DEAD_LETTER_BYTES = 64 * 1024

/** A record longer than this is dead-lettered as `too_long` unless configured otherwise. */
export const DEFAULT_MAX_RECORD_BYTES = 1024 * 1024
