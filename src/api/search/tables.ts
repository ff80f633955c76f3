import { INDICATOR_FIELDS, type IndicatorField } from '../../model/event.ts'
import { ApiError } from '../errors.ts'
import { Params, type Statement, tableNameOf } from '../timeline/sql.ts'
import type { Ask } from '../timeline/timeline.ts'
import { type Column, fieldIn, holdsWithout } from './condition.ts'
import type { Filter } from './filters.ts'

/** A table of events with its columns. */
export interface Table {
  readonly name: string
  readonly columns: ReadonlyMap<string, Column>
}

/** One search reads this many tables; each is a subquery. */
const MAX_TABLES = 100
const MAX_COLUMNS = 200_000

/** The tables that a search reads: those of the log types, or all that have the fields. Only tables that the caller may see are there. */
export async function tablesOf(ask: Ask, logTypes: readonly string[], fields: readonly Filter[]): Promise<Table[]> {
  const tables = await allTables(ask, logTypes)
  const found = tables.filter(({ columns }) =>
    fields.every(({ field, op }) => fieldIn(columns, field) || (logTypes.length > 0 && holdsWithout(op))),
  )
  if (tables.length > 0 && found.length === 0) {
    const unknown = fields.filter(({ field }) => tables.every(({ columns }) => !fieldIn(columns, field)))
    if (unknown.length > 0) {
      const names = unknown.map(({ field }) => `'${field}'`).join(', ')
      throw new ApiError(400, 'bad_request', `no log type that is searched has the field ${names}`)
    }
  }
  if (found.length <= MAX_TABLES) return found
  throw new ApiError(
    400,
    'bad_request',
    `${found.length} log types have these fields; at most ${MAX_TABLES} are searched: name some`,
  )
}

async function allTables(ask: Ask, logTypes: readonly string[]): Promise<Table[]> {
  const params = new Params()
  const names = logTypes.flatMap((logType) => tableNameOf(logType) ?? [])
  if (logTypes.length > names.length && names.length === 0) return []
  const wanted = names.length === 0 ? '' : ` AND table_name IN (${params.list(names)})`
  const sql = `SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = 'logs' AND table_name != 'all'${wanted} ORDER BY table_name, ordinal_position`
  const { rows } = await ask({ sql, params: params.values }, MAX_COLUMNS, { fresh: true })
  const tables = new Map<string, Map<string, Column>>()
  for (const row of rows) {
    const [table, name, type] = JSON.parse(row) as [string, string, string]
    if (!/^[a-z0-9_]{1,128}$/.test(table)) continue
    const columns = tables.get(table) ?? new Map<string, Column>()
    tables.set(table, columns)
    columns.set(name, {
      name,
      type: type.replace(/^(?:(?:LowCardinality|Nullable)\((.*)\))$/, '$1').replace(/^Nullable\((.*)\)$/, '$1'),
    })
  }
  return [...tables].map(([name, columns]) => ({ name, columns })).filter(({ columns }) => columns.has('p_row_id'))
}

/** A statement for the index of indicators: the tables in which the values of a filter occur. `undefined` for any other filter. */
export function indexStatement({ field, op, values }: Filter): Statement | undefined {
  if (op !== 'equals' || !(INDICATOR_FIELDS as readonly string[]).includes(field)) return undefined
  const params = new Params()
  const kind = params.add((field as IndicatorField).slice('p_any_'.length))
  const sql = `SELECT DISTINCT p_log_type FROM monitor.indicators WHERE kind = ${kind} AND value IN (${params.list(values.map(String))})`
  return { sql, params: params.values }
}
