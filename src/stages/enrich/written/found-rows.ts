import type { Event } from '../../../model/event.ts'
import type { JsonObject, JsonValue } from '../../../model/json.ts'
import type { CompiledSchema } from '../../../model/schema.ts'
import type { FoundRow, FoundRows } from '../../../model/table-write.ts'
import { stringifyJson } from '../../../util/json.ts'
import { fits } from '../associations.ts'
import { createEnricher } from '../enricher.ts'
import { fieldValue, keyText } from '../event-value.ts'
import { canonicalParts, joinKey } from '../tables/composite-index.ts'
import { ReadKeys, type WrittenDefinition } from './written-table.ts'

/** Maximum length of a row's key and columns together, in UTF-16 code units. */
export const MAX_ROW_LENGTH = 8192

/** Events of one schema. */
export interface SchemaEvents {
  readonly schema: CompiledSchema
  readonly events: readonly Event[]
}

/** Finds what events write into tables, and which rows they read. Only tables with something are in the result. */
export type FindRows = (groups: readonly SchemaEvents[]) => FoundRows[]

/** What events say about these tables. */
export function createFindRows(tables: readonly WrittenDefinition[]): FindRows {
  const readers = new Map(tables.map((table) => [table, table.source.timeouts.readMs === undefined ? noReads : readerOf(table)]))
  return (groups) =>
    tables.flatMap((table): FoundRows[] => {
      const found = { rows: [] as FoundRow[], tooLong: 0 }
      for (const { schema, events } of groups) {
        if (!table.source.logTypes.some((logType) => fits(logType, schema.name))) continue
        for (const event of events) take(event, table, found)
      }
      const reads = readers.get(table)!(groups)
      return found.rows.length + reads.length + found.tooLong > 0 ? [{ table: table.shape.id, reads, ...found }] : []
    })
}

function take(
  event: Event,
  { source, isWanted, shape, keyColumns }: WrittenDefinition,
  found: { rows: FoundRow[]; tooLong: number },
) {
  if (!isWanted(event as JsonObject)) return
  const columns = source.columns.flatMap(([column, field]): [string, JsonValue][] => {
    const value = fieldValue(event, field)
    return value === undefined || value === null ? [] : [[column, value]]
  })
  const values = Object.fromEntries(columns)
  const parts = keyColumns.map((column) => (Object.hasOwn(values, column) ? keyText(values[column]!) : undefined))
  // A field that is missing, or a list or an object, is not a key.
  if (parts.includes(undefined)) return
  const spelling = joinKey(parts as string[])
  const key = canonicalParts(spelling, shape.compared)
  if (key === undefined) return
  const text = stringifyJson(values)
  if (spelling.length + text.length > MAX_ROW_LENGTH) found.tooLong++
  // The lake stores text with whole characters only.
  else found.rows.push({ key: key.toWellFormed(), spelling: spelling.toWellFormed(), text: text.toWellFormed() })
}

type Reader = (groups: readonly SchemaEvents[]) => readonly string[]

const noReads: Reader = () => []

/** The keys that the table's selectors have in events. */
function readerOf(table: WrittenDefinition): Reader {
  const keys = new ReadKeys(table)
  const { enrich } = createEnricher([keys])
  return (groups) => {
    keys.found.clear()
    for (const { schema, events } of groups) enrich(schema, events)
    return [...keys.found]
  }
}
