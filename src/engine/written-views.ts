import type { JsonObject } from '../model/json.ts'
import type { TableDefinition } from '../stages/enrich/definition.ts'
import { joinKey } from '../stages/enrich/tables/composite-index.ts'
import type { KeyShape, Timeouts } from '../stages/enrich/written/event-source.ts'
import { canonicalKey, expiryOf } from '../stages/enrich/written/written-table.ts'
import { quoteText, tableName } from '../stages/store/ddl.ts'
import { LOOKUP_ROWS, writtenKeyId } from '../stages/store/lookup-names.ts'
import type { StateDb } from '../state/db.ts'
import { writtenRow, writtenTableSize } from '../state/written-rows.ts'
import { Refused } from '../util/errors.ts'
import { parseJson } from '../util/json.ts'
import type { TableView } from './engine.ts'
import type { TableRowThen } from './table-past.ts'

/** How a table is compiled that events write; `undefined` for any other. */
export function writtenShape({ events }: TableDefinition): { readonly shape: KeyShape; readonly timeouts: Timeouts } | undefined {
  return events?.shape && { shape: events.shape, timeouts: events.timeouts }
}

/** The tables that events write, as `caracal tables` lists them. */
export async function writtenViews(definitions: readonly TableDefinition[], state: StateDb, nowMs: number): Promise<TableView[]> {
  const views: TableView[] = []
  for (const definition of definitions) {
    const written = writtenShape(definition)
    if (!written) continue
    const { rows, lastMs, version } = await writtenTableSize(state, written.shape.id, written.timeouts, nowMs)
    views.push({
      name: definition.name,
      rows,
      version: version === undefined ? undefined : String(version),
      state: 'ok',
      problem: undefined,
      refreshedMs: lastMs,
      ageSeconds: lastMs === undefined ? undefined : Math.max(0, Math.round((nowMs - lastMs) / 1000)),
      nextRefreshMs: undefined,
      provider: 'events',
      file: definition.file,
      live: undefined,
    })
  }
  return views
}

interface RowDeps {
  readonly state: StateDb
  readonly query: (sql: string) => Promise<readonly string[]>
  readonly now: () => number
}

/** The row that such a table has for a key, or had at a time. `parts`: those of the key, as many as it has columns. */
export async function writtenRowThen(
  definition: TableDefinition,
  parts: readonly string[],
  asOf: string | undefined,
  deps: RowDeps,
): Promise<TableRowThen> {
  const { shape, timeouts } = writtenShape(definition)!
  const key = canonicalKey(parts.length > 1 ? joinKey(parts) : parts[0]!, shape)
  if (key === undefined) throw new Refused(`'${parts.join(', ')}' is not a key of table '${definition.name}'`)
  if (asOf !== undefined && asOf !== 'now') return pastRow(definition.name, key, timeOf(asOf), deps)
  const row = await writtenRow(deps.state, shape.id, key)
  const isThere = row && expiryOf(row, timeouts) > deps.now()
  return {
    version: isThere ? String(row.version) : '-',
    sinceMs: isThere ? row.sinceMs : deps.now(),
    row: isThere ? read(row.text) : null,
  }
}

/** From the history in the lake, which follows some seconds later. */
async function pastRow(table: string, key: string, atMs: number, { query }: RowDeps): Promise<TableRowThen> {
  const at = `fromUnixTimestamp64Milli(${atMs}, 'UTC')`
  const [row] = await query(
    `SELECT p_version, toUnixTimestamp64Milli(p_valid_from), p_row FROM ${tableName(LOOKUP_ROWS)} FINAL WHERE p_table = ${quoteText(table)} AND startsWith(p_row_id, ${quoteText(`${writtenKeyId(key)}-`)}) AND p_valid_from <= ${at} AND (p_valid_to IS NULL OR p_valid_to > ${at}) ORDER BY p_valid_from DESC LIMIT 1`,
  )
  if (row === undefined) return { version: '-', sinceMs: atMs, row: null }
  const [version, sinceMs, text] = JSON.parse(row) as [string, string | number, string]
  return { version, sinceMs: Number(sinceMs), row: read(text) }
}

function timeOf(text: string): number {
  const ms = Date.parse(text)
  if (!Number.isNaN(ms)) return ms
  throw new Refused(
    `'${text}' is not a time: rows that events write have no common versions, so write a time as in 2024-04-19T10:00:00Z`,
  )
}

function read(text: string): JsonObject {
  const parsed = parseJson(text, { maxDepth: 1000 })
  if (parsed.kind !== 'ok') throw new Error(`a stored row cannot be read: ${parsed.message}`)
  return parsed.value as JsonObject
}
