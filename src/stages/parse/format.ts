import type { JsonObject } from '../../model/json.ts'
import type { DeadLetterReason } from '../../model/outcome.ts'

/** A column as described by a header, in the format's own terms. */
export interface HeaderColumn {
  readonly name: string
  readonly type: string
}

/** The result of reading a line. */
export type Reading =
  | {
      readonly kind: 'record'
      readonly raw: JsonObject
      /** The record's own name for its type, in the format's terms (`conn`), or `undefined`. */
      readonly path: string | undefined
      /** Its columns, if a header lists them with types; the same list for all records under one header. */
      readonly columns?: readonly HeaderColumn[] | undefined
    }
  /** A header or comment in this format; not a record. */
  | { readonly kind: 'header' }
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason; readonly message: string }

/** Reads the lines of one chunk, in order. */
export interface LineReader {
  /** `undefined` if the line is not in this format, so that the next format is tried. Never throws. */
  read(line: string): Reading | undefined
  /** The context that a reader needs to continue after the lines read so far. */
  context(): string
}

export interface FormatOptions {
  /** Deepest nesting of objects and arrays. */
  readonly maxDepth: number
}

/** A record format that is detected from its bytes. */
export interface Format {
  readonly type: string
  readonly summary: string
  /** Lines, and the contents of those that are records, in order. Used by the docs and the behaviour suite. */
  readonly example: { readonly lines: readonly string[]; readonly records: readonly JsonObject[] }
  /** A reader for one chunk; `context` comes from the reader of the previous chunk, or is ''. */
  open(context: string, options: FormatOptions): LineReader
}
