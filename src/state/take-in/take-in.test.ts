import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasPostgres, PostgresServer } from '../../../test/support/postgres.ts'
import { openState, type StateDb } from '../db.ts'
import type { PostgresPlace } from '../postgres/place.ts'
import { postgresState } from '../postgres/state.ts'
import { openSqlite } from '../sqlite.ts'
import { takeIn } from './take-in.ts'

const fixture = join(import.meta.dirname, '../../../test/fixtures/states/0022-alert-indexes.sql')
const MARK = { key: 'data_folder', value: 'this one' }
/** More than a page, and more than fit into one statement. */
const MANY = 1234
/** 2^62 + 1, of which a number of JavaScript would lose the last digit. */
const LARGE = '4611686018427387905'

type Row = Record<string, unknown>

describe.skipIf(!hasPostgres)('a state in SQLite that is taken into PostgreSQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-take-in-'))
  const path = join(folder, 'state.db')
  let server: PostgresServer
  let place: PostgresPlace

  beforeAll(async () => {
    server = await PostgresServer.start()
    const file = openSqlite(path)
    file.exec('PRAGMA foreign_keys = OFF')
    file.exec(readFileSync(fixture, 'utf8'))
    file.close()
    await (await openState(folder)).destroy()
    fill()
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    place = await server.database()
  })

  /** Rows in every table, and what is easily lost: order, digits, bytes, empty texts and NULL, fractions of earlier versions. */
  function fill(): void {
    const file = openSqlite(path)
    // The fixture has texts in columns of numbers, as no Caracal writes them.
    file.exec('DELETE FROM risk')
    file.exec(`INSERT INTO answered_calls VALUES ('o', 'k', 'c', 1, NULL)`)
    file.exec(`INSERT INTO nodes VALUES ('n', 'worker', '0.1.0', '', 1, 2);
      INSERT INTO stored_files VALUES ('tables/t', 3, 'h');
      INSERT INTO stored_parts VALUES ('tables/t', 0, 'c');
      INSERT INTO stored_chunks VALUES ('c', x'00ff7f')`)
    const counter = file.prepare('INSERT INTO counters VALUES (?, ?, ?, ?)')
    for (let i = 0; i < MANY; i++) counter.run([`s${(i * 7919) % MANY}`, 'received', '', i])
    file.exec(`DELETE FROM counters WHERE n % 3 = 1; UPDATE counters SET n = ${LARGE} WHERE n = 3`)
    const outbox = file.prepare(
      'INSERT INTO outbox (id, spec_id, row_count, bytes, created_ms, rows) VALUES (?, ?, 1, 256, ?, ?)',
    )
    for (let i = 0; i < 120; i++)
      outbox.run([9000 - i, 's', i + 0.75, Uint8Array.from({ length: 256 }, (_, at) => (at + i) % 256)])
    const text = file.prepare('INSERT INTO meta VALUES (?, ?)')
    for (const value of ['', "'; DROP TABLE meta; --", '\\x00', 'é 日本 🐈 \n\t\u0001', 'NULL'])
      text.run([`text ${value}`, value])
    file.prepare(`INSERT INTO risk VALUES ('ip', 'x', ?, 1, 0, '{}', ?)`).run([0.1 + 0.2, -1.7976931348623157e308])
    const alert = (file.prepare('SELECT alert_id FROM alerts LIMIT 1').all([]) as Row[])[0]!['alert_id'] as string
    const entry = file.prepare(
      `INSERT INTO alert_timeline (alert_id, at_ms, until_ms, "by", kind, detail) VALUES (?, 1, 1, '', 'note', '{}')`,
    )
    for (let i = 0; i < 10; i++) entry.run([alert])
    // Numbers that were used once are not used again.
    file.exec('DELETE FROM alert_timeline WHERE id = (SELECT max(id) FROM alert_timeline)')
    file.close()
  }

  interface Table {
    readonly name: string
    readonly columns: readonly { readonly name: string; readonly type: string }[]
  }

  function tables(): Table[] {
    const file = openSqlite(path)
    try {
      const names = file
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'kysely_%'")
        .all([]) as Row[]
      return names.map(({ name }) => ({
        name: String(name),
        columns: (file.prepare(`PRAGMA table_info("${name}")`).all([]) as Row[]).map((column) => ({
          name: String(column['name']),
          type: String(column['type']).toLowerCase(),
        })),
      }))
    } finally {
      file.close()
    }
  }

  /** All rows in the order of insertion, as texts. */
  function before({ name, columns }: Table): Row[] {
    const file = openSqlite(path)
    const shown = columns.map(({ name: column, type }) =>
      type === 'blob'
        ? `lower(hex("${column}")) AS "${column}"`
        : type === 'text'
          ? `"${column}"`
          : type === 'real'
            ? `"${column}"`
            : `iif(typeof("${column}") = 'real', CAST(floor("${column}") AS INTEGER), "${column}") || '' AS "${column}"`,
    )
    try {
      return file.prepare(`SELECT ${shown.join(', ')} FROM "${name}" ORDER BY rowid`).all([]) as Row[]
    } finally {
      file.close()
    }
  }

  async function after({ name, columns }: Table): Promise<Row[]> {
    const isNumbered =
      (
        await server.ask(
          place.database,
          `SELECT 1 FROM information_schema.columns WHERE table_name = '${name}' AND column_name = 'rowid'`,
        )
      ).length > 0
    const shown = columns.map(({ name: column, type }) =>
      type === 'blob'
        ? `encode("${column}", 'hex') AS "${column}"`
        : type === 'real' || type === 'text'
          ? `"${column}"`
          : `"${column}"::text`,
    )
    const own = name === 'meta' ? `WHERE key <> '${MARK.key}'` : name === 'sequences' ? `WHERE name <> 'owner'` : ''
    return server.ask(
      place.database,
      `SELECT ${shown.join(', ')} FROM "${name}" ${own} ORDER BY "${name}".${isNumbered ? 'rowid' : 'id'}`,
    )
  }

  async function opened<T>(work: (db: StateDb) => Promise<T>): Promise<T> {
    const db = await postgresState.open(place)
    try {
      return await work(db)
    } finally {
      await db.destroy()
    }
  }

  test('has every row of every table, in the same order and to the last digit', async () => {
    const moments: string[] = []
    const taken = await opened((db) => takeIn(path, db, { mark: MARK, onCommit: () => moments.push('commit') }))
    expect(moments).toEqual(['commit'])
    for (const table of tables()) {
      const rows = before(table)
      expect(rows.length, table.name).toBeGreaterThan(0)
      expect(await after(table), table.name).toEqual(rows)
      expect(taken).toContainEqual({ table: table.name, rowsBefore: rows.length, rowsAfter: rows.length })
    }
    expect(taken).toHaveLength(tables().length)
    expect(await server.ask(place.database, `SELECT n::text FROM counters WHERE n > 10000`)).toEqual([{ n: LARGE }])
    expect(await server.ask(place.database, `SELECT value FROM meta WHERE key = 'data_folder'`)).toEqual([{ value: 'this one' }])
  })

  test('goes on with numbers that no row has had', async () => {
    const last = openSqlite(path)
    const [{ seq }] = last.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'alert_timeline'").all([]) as [{ seq: number }]
    const [{ top }] = last.prepare('SELECT max(rowid) AS top FROM counters').all([]) as [{ top: number }]
    last.close()
    await opened(async (db) => {
      await takeIn(path, db, { mark: MARK, onCommit: () => {} })
      const { alert_id } = await db.selectFrom('alerts').select('alert_id').limit(1).executeTakeFirstOrThrow()
      const added = { alert_id, at_ms: 1, until_ms: 1, by: '', kind: 'note', key: null, detail: '{}' }
      expect(await db.insertInto('alert_timeline').values(added).returning('id').executeTakeFirstOrThrow()).toEqual({
        id: seq + 1,
      })
      await db.insertInto('counters').values({ source_id: 'new', outcome: 'x', reason: '', n: 1 }).execute()
      const { rows } = await sql<{ rowid: number }>`SELECT rowid FROM counters WHERE source_id = 'new'`.execute(db)
      expect(rows).toEqual([{ rowid: top + 1 }])
    })
  })

  test('is taken as a whole or not at all, and then at the next try', async () => {
    const ending = new AbortController()
    const stopped = opened((db) =>
      takeIn(path, db, {
        mark: MARK,
        onCommit: () => {},
        signal: ending.signal,
        onRows: (table) => table === 'counters' && ending.abort(),
      }),
    )
    await expect(stopped).rejects.toThrow(/abort/i)
    expect(await server.ask(place.database, 'SELECT count(*)::int AS n FROM meta')).toEqual([{ n: 0 }])
    const failed = opened((db) =>
      takeIn(path, db, {
        mark: MARK,
        onCommit: () => {
          throw new Error('no')
        },
      }),
    )
    await expect(failed).rejects.toThrow('no')
    expect(await server.ask(place.database, 'SELECT count(*)::int AS n FROM counters')).toEqual([{ n: 0 }])
    await opened((db) => takeIn(path, db, { mark: MARK, onCommit: () => {} }))
    expect(await server.ask(place.database, 'SELECT count(*)::int AS n FROM outbox')).toEqual([
      { n: before(tables().find(({ name }) => name === 'outbox')!).length },
    ])
  })

  test('is not mixed with what a database already has', async () => {
    await opened((db) => db.insertInto('specs').values({ spec_id: 'a', spec: '{}' }).execute())
    await expect(opened((db) => takeIn(path, db, { mark: MARK, onCommit: () => {} }))).rejects.toThrow(
      'is not empty (its table specs has 1 rows)',
    )
    expect(await server.ask(place.database, 'SELECT spec_id FROM specs')).toEqual([{ spec_id: 'a' }])
  })
})
