import { TableWriter } from '../pipeline/table-writer.ts'
import type { StateDb } from '../state/db.ts'
import { loadWrittenRows } from '../state/written-rows.ts'
import { FULL_TABLE } from './troubles.ts'

/** The owner of the tables that events write, with the rows that the state has. */
export function openTableWriter(db: StateDb, onTrouble: (kind: string, message: string | undefined) => void): TableWriter {
  return new TableWriter({
    load: (names) => loadWrittenRows(db, names),
    onFull: (table, message) => onTrouble(`${FULL_TABLE}${table}`, message),
  })
}
