import type { JsonObject } from '../../model/json.ts'
import type { DeadLetterReason } from '../../model/outcome.ts'

/** A column as a header describes it, in the format's own words. */
export interface HeaderColumn {
  readonly name: string
  readonly type: string
}

/** What a line turned out to be. */
export type Reading =
  | {
      readonly kind: 'record'
      readonly raw: JsonObject
      /** What the record says it is, in the format's own words (`conn`), or `undefined`. */
      readonly path: string | undefined
      /** Its columns, where a header with types names them; the same list for all records under one header. */
      readonly columns?: readonly HeaderColumn[] | undefined
    }
  /** A header or comment of the format: no record. */
  | { readonly kind: 'header' }
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason; readonly message: string }

/** Reads the lines of one chunk, in order. */
export interface LineReader {
  /** `undefined` when the line is not of this format: the next format is asked. Never throws. */
  read(line: string): Reading | undefined
  /** What a reader must be opened with to go on after the lines read so far. */
  context(): string
}

export interface FormatOptions {
  /** Deepest nesting of objects and arrays. */
  readonly maxDepth: number
}

/** A record format that is recognised by its bytes. */
export interface Format {
  readonly type: string
  readonly summary: string
  /** Lines, and what those of them that are records hold, in order. The docs and the behaviour suite use it. */
  readonly example: { readonly lines: readonly string[]; readonly records: readonly JsonObject[] }
  /** A reader for one chunk; `context` is what the reader of the chunk before it answered, or ''. */
  open(context: string, options: FormatOptions): LineReader
}
