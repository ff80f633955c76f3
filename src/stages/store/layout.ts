import type { TableSpec } from '../../model/column.ts'
import { StorageError } from '../../util/errors.ts'
import { version } from '../../util/version.ts'
import { rowsOf, type Session } from './chdb-engine.ts'
import { ALL, DATABASES, type Keeping, quoteName, quoteText, tableName, typeOf } from './ddl.ts'
import { ADD_SPANS, createIndicators, INDEX, indexStored, isIndexed, OLD_VIEWS } from './indicators.ts'
import { applyKeeping } from './keeping.ts'
import type { Brought } from './lake.ts'
import { CREATE_LOOKUP_ROWS } from './lookups.ts'

/** The layout that this version writes; see docs/decisions/0014. */
export const LAYOUT = 2

const RECORD = { database: 'monitor', table: 'lake_layout' }

/** Columns that layout 2 adds to every events and matches table, and to matches tables only. */
const ADDED = ['p_source_file', 'p_generation', 'p_header']
const ADDED_TO_MATCHES = ['p_raw']

/**
 * Creates what every lake has and migrates a lake from layout 1 to layout 2. There must be no inserts meanwhile. An interrupted migration
 * restarts from the beginning without repeating any change, because the layout number is written last. Returns the migrated tables. Throws
 * `StorageError`, before anything is changed, if a newer version has migrated the lake.
 */
export async function bringToLayout(session: Session, keeping: Keeping): Promise<Brought[]> {
  const tables = await storedTables(session)
  const isCurrent = await isPresent(session, tables)
  await session.run(`DROP DATABASE IF EXISTS ${quoteName(OLD_VIEWS)}`)
  for (const database of DATABASES) await session.run(`CREATE DATABASE IF NOT EXISTS ${quoteName(database)}`)
  await session.run(createIndicators(keeping))
  await session.run(ADD_SPANS)
  await session.run(CREATE_LOOKUP_ROWS)
  const brought = isCurrent ? [] : await bring(session, tables)
  await applyKeeping(session, keeping)
  return brought
}

type Stored = Pick<TableSpec, 'database' | 'table'>

async function storedTables(session: Session): Promise<Stored[]> {
  const databases = DATABASES.map(quoteText).join(', ')
  const text = await session.run(
    `SELECT database, name FROM system.tables WHERE engine = 'MergeTree' AND database IN (${databases}) AND name != ${quoteText(ALL)} ORDER BY database, name`,
  )
  return rowsOf<[string, string]>(text).map(([database, table]) => ({ database, table }))
}

async function isPresent(session: Session, tables: readonly Stored[]): Promise<boolean> {
  if (!tables.some(({ table }) => table === RECORD.table)) return false
  const [row] = rowsOf<[number]>(await session.run(`SELECT max(layout) FROM ${tableName(RECORD)}`))
  const layout = Number(row?.[0])
  if (layout > LAYOUT)
    throw new StorageError(
      `the lake was used by a newer version of Caracal: it has layout ${layout}, and this version, ${version()}, knows layouts up to ${LAYOUT}. Start the newer version, or restore a backup that was made before the upgrade into another folder.`,
    )
  return layout === LAYOUT
}

async function bring(session: Session, tables: readonly Stored[]): Promise<Brought[]> {
  await session.run(
    `CREATE TABLE IF NOT EXISTS ${tableName(RECORD)} (layout UInt32, time DateTime64(9, 'UTC'), "table" String, rows_before UInt64, rows_after UInt64)
ENGINE = MergeTree ORDER BY (layout, "table") SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`,
  )
  await session.run(`TRUNCATE TABLE ${tableName(INDEX)}`)
  const brought: Brought[] = []
  for (const one of tables.filter(({ table }) => table !== RECORD.table)) {
    const rowsBefore = await count(session, one)
    await addColumns(session, one)
    const rowsAfter = await count(session, one)
    brought.push({ table: `${one.database}.${one.table}`, rowsBefore, rowsAfter })
  }
  for (const { database, table } of tables) {
    if (isIndexed(database, await columnsOf(session, { database, table }))) await session.run(indexStored(table))
  }
  const rows = [{ table: '', rowsBefore: 0, rowsAfter: 0 }, ...brought].map(
    ({ table, rowsBefore, rowsAfter }) => `(${LAYOUT}, now64(9, 'UTC'), ${quoteText(table)}, ${rowsBefore}, ${rowsAfter})`,
  )
  await session.run(`INSERT INTO ${tableName(RECORD)} VALUES ${rows.join(', ')}`)
  return brought
}

async function addColumns(session: Session, one: Stored): Promise<void> {
  const names = one.database === 'logs' ? ADDED : one.database === 'matches' ? [...ADDED, ...ADDED_TO_MATCHES] : []
  if (names.length === 0) return
  const type = typeOf({ name: '', kind: 'string' })
  const added = names.map((name) => `ADD COLUMN IF NOT EXISTS ${quoteName(name)} ${type}`)
  await session.run(`ALTER TABLE ${tableName(one)} ${added.join(', ')}`)
}

async function count(session: Session, one: Stored): Promise<number> {
  return Number(rowsOf<[number]>(await session.run(`SELECT count() FROM ${tableName(one)}`))[0]![0])
}

async function columnsOf(session: Session, { database, table }: Stored): Promise<{ name: string }[]> {
  const where = `database = ${quoteText(database)} AND table = ${quoteText(table)}`
  return rowsOf<[string]>(await session.run(`SELECT name FROM system.columns WHERE ${where}`)).map(([name]) => ({ name }))
}
