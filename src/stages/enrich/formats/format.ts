import type { JsonObject } from '../../../model/json.ts'
import type { MatchKind } from '../table.ts'

/** A row as read from a table's content, or a sentence on why that piece could not be read. */
export type ReadRow = JsonObject | string

export interface FormatContext {
  /** The table's primary key: formats without column names put the key there. */
  readonly primaryKey: string
  /** The columns of a CSV without a header line. */
  readonly columns?: readonly string[] | undefined
  /** Path of the list of rows in a JSON object. */
  readonly rowsAt?: string | undefined
}

/** A text format of table content. */
export interface Format {
  readonly type: string
  readonly summary: string
  /** True if all values are texts, which must be converted to the types of the schema. */
  readonly isText: boolean
  /** True if rows contain more than a table needs: only the schema's fields are used. */
  readonly isWide: boolean
  /** File extensions of the format, with the dot. */
  readonly extensions: readonly string[]
  /** How keys are compared, if the content says so. Throws `TableError` if the definition has to say it. */
  matchOf?(text: string): MatchKind
  /**
   * Yields rows in small batches, so that the caller can pause between them. A piece that cannot be read as a row yields a
   * sentence instead; content in another format throws `TableError` with advice.
   */
  read(text: string, context: FormatContext): Iterable<readonly ReadRow[]> | AsyncIterable<readonly ReadRow[]>
}

/** Rows per batch. */
export const BATCH = 500

/** The lines of a text with their numbers, without carriage returns. */
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

/** Collects single rows into batches. */
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

/** An excerpt of untrusted text for a message: short, quoted, without control characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
