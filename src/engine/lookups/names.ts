import type { Column, TableSpec } from '../../model/column.ts'
import type { TableFile } from '../../packs/content.ts'
import { isExtension } from '../../stages/enrich/definition.ts'
import { LOOKUPS, lookupName } from '../../stages/store/lookup-names.ts'

/** What a name in `lookups` stands for. */
export interface NamedLookup {
  readonly table: string
  readonly isHistory: boolean
}

/**
 * The names in `lookups` for these tables. A table comes before another one's history, and a table that is written like the name before
 * those that only become it.
 */
export function namesOfLookups(tables: readonly string[]): ReadonlyMap<string, NamedLookup> {
  const names = new Map<string, NamedLookup>()
  const take = (name: string, table: string, isHistory: boolean) => {
    if (!names.has(name)) names.set(name, { table, isHistory })
  }
  const sorted = [...tables].sort()
  for (const table of sorted) if (lookupName(table) === table) take(table, table, false)
  for (const table of sorted) take(lookupName(table), table, false)
  for (const table of sorted) if (names.get(lookupName(table))?.table === table) take(`${lookupName(table)}_history`, table, true)
  return names
}

/** Columns of every lookup table; the others are members of `p_row`, since only the content says which there are. */
const COLUMNS: readonly Column[] = [
  { name: 'p_key', kind: 'string', required: true },
  { name: 'p_version', kind: 'string', required: true },
  { name: 'p_valid_from', kind: 'timestamp', required: true },
  { name: 'p_event_time', kind: 'timestamp', required: true },
  { name: 'p_row', kind: 'json', required: true },
]
const ENDED: Column = { name: 'p_valid_to', kind: 'timestamp' }

/** The views of `lookups` that queries of this content may name. */
export function lookupSpecs(tables: readonly TableFile[]): TableSpec[] {
  const enabled = tables.filter(
    ({ document }) => !isExtension(document) && (document as { Enabled?: unknown } | null)?.Enabled !== false,
  )
  const named = enabled.map(({ name }) => name)
  return [...namesOfLookups(named)].map(([table, { isHistory }]) => ({
    database: LOOKUPS,
    table,
    columns: isHistory ? [...COLUMNS, ENDED] : COLUMNS,
    timeColumn: 'p_event_time',
    fieldsIn: 'p_row',
  }))
}
