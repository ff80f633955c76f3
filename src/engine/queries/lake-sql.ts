import type { TableSpec } from '../../model/column.ts'
import type { RowColumn } from '../../stages/detect/scheduled/rows.ts'
import type { QueryResult } from '../../stages/store/lake.ts'

/** The tables of content that a text in the lake's SQL may read, as `database.table`: they may have no rows yet, and have to exist. */
export function tablesNamed(sql: string, tables: readonly TableSpec[]): string[] {
  const names = [...sql.matchAll(/\b(\w{1,64})\b["`]?\.["`]?(\w{1,200})\b/g)].map(([, database, table]) => `${database}.${table}`)
  const wanted = new Set(names.map((name) => name.toLowerCase().replace(/^panther_logs\./, 'logs.')))
  for (const [, table] of sql.matchAll(/\bpanther_logs\.public\.(\w{1,200})/gi)) wanted.add(`logs.${table!.toLowerCase()}`)
  return tables.map(({ database, table }) => `${database}.${table}`).filter((name) => wanted.has(name))
}

/** How the cells of an answer are read. JSON is text in the lake, and looks like an object or a list. */
export function columnsOfAnswer(columns: QueryResult['columns']): RowColumn[] {
  return columns.map(({ name, type }) => ({
    name,
    shape: /^(?:LowCardinality\()?(?:Nullable\()?String/.test(type) ? 'text or json' : type,
  }))
}
