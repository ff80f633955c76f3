import type { Column } from './column.ts'

/** Receives the columns of finished rows one after another, in the order of their table. */
export interface ColumnSink {
  /** Number of rows in every column. */
  readonly rows: number
  /**
   * A column with a value for each row; `null` and `undefined` both mean no value. Integers are numbers or BigInts, times RFC
   * 3339 in UTC, values of kind `json` exact JSON text.
   */
  column(column: Column, values: readonly unknown[]): void
  /** A column with the same value in all rows. */
  same(column: Column, value: unknown): void
}
