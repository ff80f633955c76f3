import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { BEFORE } from './before-migrating.ts'
import { migrationsIn } from './copy.ts'
import { knownMigrations, openState } from './db.ts'
import { openSqlite } from './sqlite.ts'

/** State databases that earlier versions have written: this version opens each, and loses nothing of it. */
const fixtures = join(import.meta.dirname, '../../test/fixtures/states')
/** The first migration that was recorded; older states are in the folders of test/data-folders.test.ts. */
const FIRST = '0016-delivery-order'

const top = mkdtempSync(join(tmpdir(), 'caracal-earlier-states-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

const recorded = readdirSync(fixtures).map((file) => file.replace(/\.sql$/, ''))
const known = await knownMigrations()
const last = known.at(-1)!

/** A data folder with a recorded state. */
function folderWith(name: string): string {
  const dataDir = mkdtempSync(join(top, 'data-'))
  const file = openSqlite(join(dataDir, 'state.db'))
  file.exec('PRAGMA foreign_keys = OFF')
  file.exec(readFileSync(join(fixtures, `${name}.sql`), 'utf8'))
  expect(file.prepare('PRAGMA foreign_key_check').all([])).toEqual([])
  file.close()
  return dataDir
}

type Row = Record<string, unknown>

function read(file: string, sql: string): Row[] {
  const db = openSqlite(file, { readonly: true })
  try {
    return db.prepare(sql).all([]) as Row[]
  } finally {
    db.close()
  }
}

/** The definitions of tables and indexes, by name. */
function schemaOf(file: string): Record<string, unknown> {
  const rows = read(file, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
  return Object.fromEntries(rows.map(({ name, sql }) => [name, sql]))
}

/** The number of rows of each table, apart from those of the migrations themselves. */
function rowsOf(file: string): Record<string, unknown> {
  const tables = read(file, "SELECT name FROM sqlite_master WHERE type = 'table'").map(({ name }) => String(name))
  const own = tables.filter((name) => !/^(?:sqlite|kysely)_/.test(name))
  return Object.fromEntries(own.map((name) => [name, read(file, `SELECT count(*) AS n FROM "${name}"`)[0]!['n']]))
}

test('the state of every earlier version since the first recorded one is here', () => {
  const earlier = known.slice(known.indexOf(FIRST), -1)
  const missing = earlier.filter((name) => !recorded.includes(name))
  expect(missing, 'record them: npm run build && node scripts/record-state.mjs NAME').toEqual([])
  expect(recorded.filter((name) => !known.includes(name))).toEqual([])
})

describe.each(recorded)('a state of %s', (name) => {
  test('is what its migrations still create: one that was released never changes', async () => {
    const dataDir = mkdtempSync(join(top, 'data-'))
    await (await openState(dataDir, { upTo: name })).destroy()
    expect(schemaOf(join(folderWith(name), 'state.db'))).toEqual(schemaOf(join(dataDir, 'state.db')))
  })

  test('has a row in every table', () => {
    const rows = rowsOf(join(folderWith(name), 'state.db'))
    expect(Object.entries(rows).filter(([, n]) => n === 0)).toEqual([])
  })

  test('is migrated to the tables of this version with all of its rows, after it was copied', async () => {
    const [dataDir, fresh] = [folderWith(name), mkdtempSync(join(top, 'data-'))]
    const file = join(dataDir, 'state.db')
    const before = rowsOf(file)
    await (await openState(dataDir)).destroy()
    await (await openState(fresh)).destroy()
    expect(schemaOf(file)).toEqual(schemaOf(join(fresh, 'state.db')))
    expect(rowsOf(file)).toMatchObject(before)
    expect(migrationsIn(file)).toEqual(known)
    const copy = join(dataDir, BEFORE, `state-${name}.db`)
    expect(existsSync(copy)).toBe(name !== last)
    if (name === last) return
    expect(rowsOf(copy)).toEqual(before)
    expect(migrationsIn(copy).at(-1)).toBe(name)
    // The copy is of the state before the upgrade, not of one that was migrated already.
    await (await openState(dataDir)).destroy()
    expect(readdirSync(join(dataDir, BEFORE))).toEqual([`state-${name}.db`])
  })
})

test('a new data folder, and one of this version, are not copied', async () => {
  const dataDir = mkdtempSync(join(top, 'data-'))
  for (let i = 0; i < 2; i++) await (await openState(dataDir)).destroy()
  expect(readdirSync(dataDir)).not.toContain(BEFORE)
})

test('a state that a newer version has migrated is refused, and stays as it is', async () => {
  const dataDir = mkdtempSync(join(top, 'data-'))
  await (await openState(dataDir)).destroy()
  const db = openSqlite(join(dataDir, 'state.db'))
  db.exec("INSERT INTO kysely_migration VALUES ('9999-later', '2030-01-01')")
  db.close()
  await expect(openState(dataDir)).rejects.toThrow(
    `The data folder ${dataDir} was used by a newer version of Caracal: its state has been migrated to 9999-later, and this version, 0.1.0, knows the migrations up to ${last}.`,
  )
  expect(migrationsIn(join(dataDir, 'state.db'))).toEqual([...known, '9999-later'])
})

test('an upgrade whose copy cannot be written does not begin', async () => {
  const name = recorded.find((one) => one !== last)!
  const dataDir = folderWith(name)
  // A file is where the folder should be.
  openSqlite(join(dataDir, BEFORE)).close()
  await expect(openState(dataDir)).rejects.toThrow(/copied before it is migrated, and that failed, so nothing was migrated/)
  expect(migrationsIn(join(dataDir, 'state.db')).at(-1)).toBe(name)
})
