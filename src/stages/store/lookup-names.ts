import type { TableSpec } from '../../model/column.ts'
import { hash16 } from '../../util/hash.ts'

/** The database with a view for each lookup table, and one for its history. */
export const LOOKUPS = 'lookups'

/** The name in `lookups` for any spelling of a table's name, as Panther derives it: `OTX.Pulses` is `otx_pulses`. */
export function lookupName(table: string): string {
  return table.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')
}

/** The rows of lookup tables, as the lake stores them: those in force and earlier ones. Its stored columns are special. */
export const LOOKUP_ROWS: TableSpec = {
  database: 'monitor',
  table: 'lookup_rows',
  timeColumn: 'p_valid_from',
  columns: [
    { name: 'p_table', kind: 'string', required: true },
    { name: 'p_row_id', kind: 'string', required: true },
    { name: 'p_valid_from', kind: 'timestamp', required: true },
    { name: 'p_valid_to', kind: 'timestamp' },
    { name: 'p_is_over', kind: 'boolean', required: true },
    { name: 'p_key', kind: 'string', required: true },
    { name: 'p_row', kind: 'string', required: true },
    { name: 'p_version', kind: 'string', required: true },
  ],
}

/** True for that table. */
export function isLookupRows({ database, table }: Pick<TableSpec, 'database' | 'table'>): boolean {
  return database === LOOKUP_ROWS.database && table === LOOKUP_ROWS.table
}

/** The id of a row that events wrote, of one version; it begins with the key's hash. */
export function writtenRowId(key: string, version: number): string {
  return `${writtenKeyId(key)}-${version}`
}

/** What the ids of all versions of a row begin with. `key`: the form that all spellings share. */
export function writtenKeyId(key: string): string {
  return hash16(key)
}
