import type { JsonObject } from '../../../model/json.ts'
import type { MatchKind } from '../table.ts'

/** One row of a table's content as read: the row, or a sentence why that piece could not be read. */
export type ReadRow = JsonObject | string

export interface FormatContext {
  /** The table's primary key: formats without column names put the key there. */
  readonly primaryKey: string
}

/** A way to write a table's content as text. */
export interface Format {
  readonly type: string
  readonly summary: string
  /** True when every value comes as text, so that numbers and booleans must be made from the schema's types. */
  readonly isText: boolean
  /** True when rows hold more than a table wants: only the schema's fields are kept. */
  readonly isWide: boolean
  /** File name endings that say it, with the dot. */
  readonly extensions: readonly string[]
  /** How keys are compared, where the content says it. Throws `TableError` where it says that the definition has to. */
  matchOf?(text: string): MatchKind
  /**
   * Rows in small batches, so that the caller can pause between them. A piece that cannot be read as a row is a
   * sentence in its place; content that is not this format at all throws `TableError` with what to do.
   */
  read(text: string, context: FormatContext): Iterable<readonly ReadRow[]> | AsyncIterable<readonly ReadRow[]>
}

/** Rows a batch. */
export const BATCH = 500

/** Lines of a text with their numbers, without carriage returns. */
export function* lines(text: string): Generator<{ readonly line: string; readonly number: number }> {
  let number = 0
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf('\n', start)
    if (end < 0) end = text.length
    number++
    const line = text.slice(start, text.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end)
    yield { line, number }
    start = end + 1
  }
}

/** Gathers single rows into batches. */
export function* batches(rows: Iterable<ReadRow>): Generator<ReadRow[]> {
  let batch: ReadRow[] = []
  for (const row of rows) {
    batch.push(row)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** A piece of foreign text for a message: short, quoted, without control characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
