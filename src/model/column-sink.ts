import type { Column } from './column.ts'

/** Takes the columns of finished rows, one after the other, in the order of their table. */
export interface ColumnSink {
  /** Rows that every column has. */
  readonly rows: number
  /**
   * A column with a value for each row; `null` and `undefined` alike are none. Integers are numbers or BigInts, times RFC 3339 in UTC,
   * values of kind `json` exact JSON text.
   */
  column(column: Column, values: readonly unknown[]): void
  /** A column with one value for all rows. */
  same(column: Column, value: unknown): void
}
