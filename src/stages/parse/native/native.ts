import type { JsonObject } from '../../../model/json.ts'

/** A line that belongs to a format but is not a record: a table's title, a row of column names. */
export const HEADER = 'header'

/** Reads the text of one record into named values. A schema names it in `parser: {native: {name: …}}`. */
export interface NativeParser {
  readonly type: string
  readonly summary: string
  /** Texts, and the values of those that are records, in order. Used by the docs and the behaviour suite. */
  readonly example: { readonly texts: readonly string[]; readonly records: readonly JsonObject[] }
  /**
   * The record's values, where a key may hold `undefined` for a value that is not there, or `undefined` if the text is not in this format. `header` is the last text before it in the same file or
   * body that was a header. Never throws, and takes time linear in their length.
   */
  parse(text: string, header?: string): JsonObject | typeof HEADER | undefined
}
