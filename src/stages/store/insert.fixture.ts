import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TableSpec } from '../../model/column.ts'
import { blocksOf, type ValueRow, valueEncoder } from '../../util/block/encode.ts'
import type { Lake, RejectedRow } from './lake.ts'
import { RowWriter } from './row-writer.ts'

/** Encodes rows of values as blocks of a table. */
export function blocksFor(table: TableSpec, rows: readonly ValueRow[]): Uint8Array[] {
  return blocksOf(rows, valueEncoder(table.columns)).map((block) => block.rows)
}

/** Inserts rows of values into a lake as the flusher does. */
export async function insertInto(
  lake: Pick<Lake, 'ensure' | 'store'>,
  table: TableSpec,
  rows: readonly ValueRow[],
  token: string,
): Promise<readonly RejectedRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'inserts-'))
  try {
    return await new RowWriter(folder, lake).insert(table, blocksFor(table, rows), token)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
