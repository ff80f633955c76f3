import type { TableSpec } from '../../model/column.ts'
import { StorageError } from '../../util/errors.ts'
import { version } from '../../util/version.ts'
import { alterColumns, catalogue, createEverywhere, createPartDatabases, define, placed, placesOf } from './cluster.ts'
import { ALL, DATABASES, type Keeping, quoteName, quoteText, tableName, typeOf } from './ddl.ts'
import { rowsOf, type Statements, withSettings } from './engine.ts'
import { ADD_SPANS, createIndicators, INDEX, indexStored, isIndexed, OLD_VIEWS } from './indicators.ts'
import { applyKeeping } from './keeping.ts'
import type { Brought } from './lake.ts'
import { LOOKUP_ROWS } from './lookup-names.ts'
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
export async function bringToLayout(session: Statements, keeping: Keeping): Promise<Brought[]> {
  const tables = await storedTables(session)
  const isCurrent = await isPresent(session, tables)
  await define(session, `DROP DATABASE IF EXISTS ${quoteName(OLD_VIEWS)}`)
  for (const database of DATABASES) await define(session, `CREATE DATABASE IF NOT EXISTS ${quoteName(database)}`)
  if (session.cluster) for (const statement of createPartDatabases()) await define(session, statement)
  await createEverywhere(session, INDEX, createIndicators(keeping))
  await addSpans(session)
  await createEverywhere(session, LOOKUP_ROWS, CREATE_LOOKUP_ROWS)
  const brought = isCurrent ? [] : await bring(session, tables)
  await applyKeeping(session, keeping)
  return brought
}

/** An index of an earlier version lacks them. Even a change of nothing would wait for every replica of a replicated table. */
async function addSpans(session: Statements): Promise<void> {
  for (const { session: place, table, follows } of placesOf(session, INDEX)) {
    const where = `database = ${quoteText(table.database)} AND table = ${quoteText(table.table)} AND name = 'spans'`
    const isThere = (await place.run(`SELECT 1 FROM system.columns WHERE ${where}`)).trim() !== ''
    if (!isThere && !follows) await place.run(`ALTER TABLE ${tableName(table)} ${ADD_SPANS}`)
  }
}

type Stored = Pick<TableSpec, 'database' | 'table'>

async function storedTables(session: Statements): Promise<Stored[]> {
  const databases = DATABASES.map(quoteText).join(', ')
  const text = await session.run(
    `SELECT database, name FROM ${catalogue(session, 'tables')} WHERE engine = 'MergeTree' AND database IN (${databases}) AND name != ${quoteText(ALL)} ORDER BY database, name`,
  )
  return rowsOf<[string, string]>(text).map(([database, table]) => ({ database, table }))
}

async function isPresent(session: Statements, tables: readonly Stored[]): Promise<boolean> {
  if (!tables.some(({ table }) => table === RECORD.table)) return false
  const [row] = rowsOf<[number]>(await session.run(`SELECT max(layout) FROM ${tableName(RECORD)}`))
  const layout = Number(row?.[0])
  if (layout > LAYOUT)
    throw new StorageError(
      `the lake was used by a newer version of Caracal: it has layout ${layout}, and this version, ${version()}, knows layouts up to ${LAYOUT}. Start the newer version, or restore a backup that was made before the upgrade into another folder.`,
    )
  return layout === LAYOUT
}

async function bring(session: Statements, tables: readonly Stored[]): Promise<Brought[]> {
  await createEverywhere(
    session,
    RECORD,
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
    if (isIndexed(database, await columnsOf(session, { database, table })))
      await session.run(indexStored(table, withSettings(placed(session, INDEX, table))))
  }
  const rows = [{ table: '', rowsBefore: 0, rowsAfter: 0 }, ...brought].map(
    ({ table, rowsBefore, rowsAfter }) => `(${LAYOUT}, now64(9, 'UTC'), ${quoteText(table)}, ${rowsBefore}, ${rowsAfter})`,
  )
  await session.run(`INSERT INTO ${tableName(RECORD)}${withSettings(placed(session, RECORD, ''))} VALUES ${rows.join(', ')}`)
  return brought
}

async function addColumns(session: Statements, one: Stored): Promise<void> {
  const names = one.database === 'logs' ? ADDED : one.database === 'matches' ? [...ADDED, ...ADDED_TO_MATCHES] : []
  if (names.length === 0) return
  const type = typeOf({ name: '', kind: 'string' })
  const added = names.map((name) => `ADD COLUMN IF NOT EXISTS ${quoteName(name)} ${type}`)
  await alterColumns(session, one, added.join(', '))
}

async function count(session: Statements, one: Stored): Promise<number> {
  return Number(rowsOf<[number]>(await session.run(`SELECT count() FROM ${tableName(one)}`))[0]![0])
}

async function columnsOf(session: Statements, { database, table }: Stored): Promise<{ name: string }[]> {
  const where = `database = ${quoteText(database)} AND table = ${quoteText(table)}`
  return rowsOf<[string]>(await session.run(`SELECT name FROM system.columns WHERE ${where}`)).map(([name]) => ({ name }))
}
