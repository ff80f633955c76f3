import type { BatchEffects } from '../model/batch.ts'
import type { RowChange, TableWrite, WrittenRow } from '../model/table-write.ts'
import { LOOKUP_ROWS, writtenRowId } from '../stages/store/lookup-names.ts'
import type { ValueRow } from '../util/block/encode.ts'
import { rowsOf } from './rows.ts'

/** The effects of a batch with those of what its events wrote into tables: the new state of these, and rows for their history. */
export function withWrite(effects: BatchEffects, write: TableWrite | undefined): BatchEffects {
  if (!write) return effects
  const rows = rowsOf(LOOKUP_ROWS, write.changes.flatMap(historyOf))
  return { ...effects, rows: [...effects.rows, ...rows], tableWrite: write }
}

/** A row that ends, and one that begins. A row with the same columns as before does neither. */
function historyOf({ table, before, after, atMs }: RowChange): ValueRow[] {
  if (before?.version === after?.version) return []
  return [...(before ? [valuesOf(table.name, before, atMs)] : []), ...(after ? [valuesOf(table.name, after, undefined)] : [])]
}

function valuesOf(table: string, row: WrittenRow, endMs: number | undefined): ValueRow {
  const { key, spelling, text, version, sinceMs } = row
  const end = endMs === undefined ? null : new Date(Math.max(endMs, sinceMs)).toISOString()
  return [table, writtenRowId(key, version), new Date(sinceMs).toISOString(), end, end !== null, spelling, text, String(version)]
}
