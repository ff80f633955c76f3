import type { Column } from '../../model/column.ts'
import type { ColumnSink } from '../../model/column-sink.ts'
import { writeColumn, writeSame } from './columns.ts'
import { BlockTooLarge, BlockWriter, MAX_BLOCK_BYTES, UnfitRows } from './writer.ts'

/** Maximum number of rows per block. */
const MAX_ROWS = 10_000

/** A block and its number of rows. */
export interface CountedBlock {
  readonly rows: Uint8Array
  readonly count: number
}

/** Writes all columns of the given rows. */
export type WriteRows<Row> = (rows: readonly Row[], out: ColumnSink) => void

/** Encodes rows into as many blocks as their number and size require. Throws `UnfitRows` if their table cannot store one of them. */
export function blocksOf<Row>(rows: readonly Row[], write: WriteRows<Row>): CountedBlock[] {
  const { blocks, unfit } = encodeRows(rows, write)
  if (unfit.size > 0) throw new UnfitRows(unfit)
  return blocks
}

/** The same for rows that are given as columns, in the order of `columns`. */
export function columnBlocks(columns: readonly Column[], values: readonly (readonly unknown[])[], count: number): CountedBlock[] {
  return blocksOf(
    Array.from({ length: count }, (_, row) => row),
    (rows, out) => {
      columns.forEach((column, at) => {
        const all = values[at]!
        out.column(column, rows.length === count ? all : rows.map((row) => all[row]))
      })
    },
  )
}

interface EncodedRows {
  readonly blocks: CountedBlock[]
  /** The rows that are in no block, by their index among all rows, and why. */
  readonly unfit: Map<number, string>
}

function encodeRows<Row>(rows: readonly Row[], write: WriteRows<Row>): EncodedRows {
  const encoded: EncodedRows = { blocks: [], unfit: new Map() }
  if (rows.length <= MAX_ROWS) addRows(rows, (row) => row, write, encoded)
  else
    for (let from = 0; from < rows.length; from += MAX_ROWS)
      addRows(rows.slice(from, from + MAX_ROWS), (row) => from + row, write, encoded)
  return encoded
}

function addRows<Row>(rows: readonly Row[], placeOf: (row: number) => number, write: WriteRows<Row>, encoded: EncodedRows): void {
  if (rows.length === 0) return
  // A single row becomes a block whatever its size.
  const out = rows.length > 1 ? new BlockWriter(rows.length, MAX_BLOCK_BYTES) : new BlockWriter(1)
  try {
    write(rows, {
      rows: rows.length,
      column: (column, values) => writeColumn(column, values, out),
      same: (column, value) => writeSame(column, value, out),
    })
    encoded.blocks.push({ rows: out.finish(), count: rows.length })
  } catch (error) {
    if (error instanceof BlockTooLarge) {
      const middle = rows.length >> 1
      addRows(rows.slice(0, middle), placeOf, write, encoded)
      addRows(rows.slice(middle), (row) => placeOf(middle + row), write, encoded)
    } else if (error instanceof UnfitRows) {
      for (const [row, message] of error.rows) encoded.unfit.set(placeOf(row), message)
      const fitting = [...rows.keys()].filter((row) => !error.rows.has(row))
      addRows(
        fitting.map((row) => rows[row]!),
        (row) => placeOf(fitting[row]!),
        write,
        encoded,
      )
    } else throw error
  }
}

/** A row's values in column order; see `ColumnSink` for the possible types. */
export type ValueRow = readonly unknown[]

/** Creates the function that writes rows of values. */
export function valueEncoder(columns: readonly Column[]): WriteRows<ValueRow> {
  return (rows, out) => {
    columns.forEach((column, at) => {
      const values = rows.map((row) => row[at])
      out.column(column, values)
    })
  }
}

/** A row that its table cannot store. */
export interface UnfitRow {
  readonly row: ValueRow
  readonly message: string
}

/** Encodes the rows that fit, and returns the others with the reason. */
export function fittingBlocks(
  columns: readonly Column[],
  rows: readonly ValueRow[],
): { blocks: CountedBlock[]; unfit: UnfitRow[] } {
  const { blocks, unfit } = encodeRows(rows, valueEncoder(columns))
  const inOrder = [...unfit].sort(([a], [b]) => a - b)
  return { blocks, unfit: inOrder.map(([row, message]) => ({ row: rows[row]!, message })) }
}
