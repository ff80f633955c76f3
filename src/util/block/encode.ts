import type { Column } from '../../model/column.ts'
import type { ColumnSink } from '../../model/column-sink.ts'
import { writeColumn, writeSame } from './columns.ts'
import { BlockTooLarge, BlockWriter, MAX_BLOCK_BYTES, UnfitRows } from './writer.ts'

/** Rows that a block is made of at most. */
const MAX_ROWS = 10_000

/** A block and how many rows it has. */
export interface CountedBlock {
  readonly rows: Uint8Array
  readonly count: number
}

/** Writes all columns of the rows it is given. */
export type WriteRows<Row> = (rows: readonly Row[], out: ColumnSink) => void

/** Encodes rows into as many blocks as their number and size ask for. */
export function blocksOf<Row>(rows: readonly Row[], write: WriteRows<Row>): CountedBlock[] {
  if (rows.length <= MAX_ROWS) return rows.length === 0 ? [] : asSmall(rows, write)
  const blocks: CountedBlock[] = []
  for (let from = 0; from < rows.length; from += MAX_ROWS) blocks.push(...asSmall(rows.slice(from, from + MAX_ROWS), write))
  return blocks
}

function asSmall<Row>(rows: readonly Row[], write: WriteRows<Row>): CountedBlock[] {
  // One row has to go into a block whatever its size.
  const out = rows.length > 1 ? new BlockWriter(rows.length, MAX_BLOCK_BYTES) : new BlockWriter(1)
  try {
    write(rows, {
      rows: rows.length,
      column: (column, values) => writeColumn(column, values, out),
      same: (column, value) => writeSame(column, value, out),
    })
  } catch (error) {
    if (!(error instanceof BlockTooLarge)) throw error
    const middle = rows.length >> 1
    return [...asSmall(rows.slice(0, middle), write), ...asSmall(rows.slice(middle), write)]
  }
  return [{ rows: out.finish(), count: rows.length }]
}

/** A row as its values in the order of the columns; see `ColumnSink` for what they may be. */
export type ValueRow = readonly unknown[]

/** The function that writes rows of values. */
export function valueEncoder(columns: readonly Column[]): WriteRows<ValueRow> {
  return (rows, out) => {
    columns.forEach((column, at) => {
      const values = rows.map((row) => row[at])
      out.column(column, values)
    })
  }
}

/** A row that its table cannot hold. */
export interface UnfitRow {
  readonly row: ValueRow
  readonly message: string
}

/** Encodes the rows that fit, and gives the others with the reason. */
export function fittingBlocks(
  columns: readonly Column[],
  rows: readonly ValueRow[],
): { blocks: CountedBlock[]; unfit: UnfitRow[] } {
  const unfit: UnfitRow[] = []
  const write = valueEncoder(columns)
  const blocks: CountedBlock[] = []
  for (let from = 0; from < rows.length; from += MAX_ROWS) {
    const some = rows.slice(from, from + MAX_ROWS)
    try {
      blocks.push(...blocksOf(some, write))
    } catch (error) {
      if (!(error instanceof UnfitRows)) throw error
      // Which half of a large block is meant is not said: each row shows by itself whether it fits.
      const fitting = some.filter((row) => {
        const message = misfitOf(row, write)
        if (message !== undefined) unfit.push({ row, message })
        return message === undefined
      })
      blocks.push(...blocksOf(fitting, write))
    }
  }
  return { blocks, unfit }
}

function misfitOf(row: ValueRow, write: WriteRows<ValueRow>): string | undefined {
  try {
    blocksOf([row], write)
    return undefined
  } catch (error) {
    if (error instanceof UnfitRows) return error.message
    throw error
  }
}
