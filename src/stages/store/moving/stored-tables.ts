import { catalogue } from '../cluster.ts'
import { ALL, DATABASES, quoteName, quoteText, type StoredColumn, tableName } from '../ddl.ts'
import { rowsOf, type Settings, type Statements, settingsText } from '../engine.ts'

/** A table as the engine has it, with what it takes to make the same one elsewhere. */
export interface StoredTable {
  readonly database: string
  readonly table: string
  readonly columns: readonly StoredColumn[]
  /** The statement that creates it. */
  readonly create: string
  /** Rows of the same key are merged into one, sooner or later: only `FINAL` gives a certain number of rows. */
  readonly isMerged: boolean
  /** The expressions that rows are sorted by. */
  readonly sortingKey: string
  /** The column of nanoseconds that is the whole sorting key, if there is one. */
  readonly timeKey: string | undefined
  readonly rows: number
}

/** Rows of one key in several partitions stay several. */
export const FINAL: Settings = { do_not_merge_across_partitions_select_final: 1 }

/** Tables that each lake has of its own. */
const OWN = ['lake_owner', 'lake_shards']
/** Each lake writes the row without a table itself; see layout.ts. */
const CONDITIONS: Readonly<Record<string, string>> = { lake_layout: `"table" != ''` }

type Row = [string, string, string, string, string]

/** All tables with rows of the lake. Views and `all` are made from them. */
export async function storedTables(session: Statements): Promise<StoredTable[]> {
  const databases = DATABASES.map(quoteText).join(', ')
  const own = OWN.map(quoteText).join(', ')
  const text = await session.run(
    `SELECT database, name, engine, create_table_query, sorting_key FROM ${catalogue(session, 'tables')}
     WHERE endsWith(engine, 'MergeTree') AND database IN (${databases}) AND name != ${quoteText(ALL)}
     AND NOT (database = 'monitor' AND name IN (${own})) ORDER BY database, name`,
  )
  const found: StoredTable[] = []
  for (const [database, table, engine, create, sortingKey] of rowsOf<Row>(text)) {
    const columns = await columnsOf(session, database, table)
    const key = sortingKey.replaceAll('`', '')
    const isMerged = engine !== 'MergeTree'
    const isTime = columns.some(({ name, type }) => name === key && type.startsWith('DateTime64(9'))
    const part = { database, table, isMerged }
    const counted = await session.run(
      `SELECT count() FROM ${rowsFrom(part)} WHERE ${conditionOf(part)} SETTINGS ${settingsText(FINAL)}`,
    )
    const rows = Number(rowsOf<[number | string]>(counted)[0]![0])
    found.push({ ...part, columns, create, sortingKey, timeKey: isTime && !isMerged ? key : undefined, rows })
  }
  return found
}

/** What follows FROM to read a table's rows. */
export function rowsFrom(table: Pick<StoredTable, 'database' | 'table' | 'isMerged'>): string {
  return `${tableName(table)}${table.isMerged ? ' FINAL' : ''}`
}

/** The rows of a table that are moved. */
export function conditionOf({ database, table }: Pick<StoredTable, 'database' | 'table'>): string {
  return (database === 'monitor' && CONDITIONS[table]) || '1'
}

/** Names and types of a table's columns; empty if there is no such table. */
export async function columnsOf(session: Statements, database: string, table: string): Promise<StoredColumn[]> {
  const where = `database = ${quoteText(database)} AND table = ${quoteText(table)}`
  const text = await session.run(`SELECT name, type FROM system.columns WHERE ${where} ORDER BY position`)
  return rowsOf<[string, string]>(text).map(([name, type]) => ({ name, type }))
}

/** Names and types as SQL. */
export function structureOf(columns: readonly StoredColumn[]): string {
  return columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ')
}
