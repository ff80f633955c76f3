import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Column } from '../../../model/column.ts'
import { createChdbLake } from '../chdb.ts'
import { insertInto } from '../insert.fixture.ts'
import type { Catalog } from './context.ts'
import { NOW_PARAM, type Translation, translate } from './translate.ts'

/** The time at which the tests' queries run. */
export const NOW = '2024-04-19T12:00:00Z'

const standard: readonly Column[] = [
  { name: 'p_log_type', kind: 'string', required: true },
  { name: 'p_row_id', kind: 'string', required: true },
  { name: 'p_event_time', kind: 'timestamp', required: true },
  { name: 'p_parse_time', kind: 'timestamp', required: true },
]

/** A table for a test: its columns, and rows that begin with the event time. */
export interface TestTable {
  readonly name: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly unknown[])[]
}

/** A real lake with these tables in `logs`. */
export async function openTestLake(tables: readonly TestTable[]) {
  const dataDir = mkdtempSync(join(tmpdir(), 'dialect-'))
  const lake = await createChdbLake({ dataDir })
  for (const { name, columns, rows } of tables) {
    const table = { database: 'logs', table: name, columns: [...standard, ...columns], timeColumn: 'p_event_time' }
    await lake.ensure(table)
    const lines = rows.map(([time, ...cells], i) => ['Test.Log', `row ${i}`, time, NOW, ...cells])
    const rejected = await insertInto(lake, table, lines, name)
    if (rejected.length > 0) throw new Error(`a test row was not stored: ${rejected[0]!.message}`)
  }
  const known = new Map(tables.map(({ name, columns }) => [`logs.${name}`, { columns: [...standard, ...columns] }]))
  const catalog: Catalog = (database, table) => known.get(`${database}.${table}`)
  return {
    catalog,
    translate: (sql: string): Promise<Translation> => translate(sql, { from: 'snowflake', catalog }),
    /** The result rows of a query in Snowflake's SQL. */
    async ask(sql: string): Promise<unknown[][]> {
      const translation = await translate(sql, { from: 'snowflake', catalog })
      if (translation.kind !== 'ok') throw new Error(translation.what.join('; '))
      const answer = await lake.query(translation.sql, { params: { [NOW_PARAM]: NOW } })
      const names = answer.columns.map((column) => column.name)
      if (names.join() !== translation.columns.map((column) => column.name).join())
        throw new Error(`the answer's columns are ${names}`)
      return answer.rows.map((row) => JSON.parse(row) as unknown[])
    },
    async close(): Promise<void> {
      await lake.close()
      rmSync(dataDir, { recursive: true })
    },
  }
}
