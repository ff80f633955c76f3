import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ClickhouseCluster } from '../../../../test/support/clickhouse-cluster.ts'
import { ClickhouseServer, whyNoServer } from '../../../../test/support/clickhouse-server.ts'
import { openTestLake } from '../../../../test/support/server-lake.ts'
import type { Column, ColumnKind, TableSpec } from '../../../model/column.ts'
import { RetryLater } from '../../../util/errors.ts'
import { type ChdbLake, createChdbLake } from '../chdb.ts'
import { INDEX } from '../indicators.ts'
import { insertInto } from '../insert.fixture.ts'
import type { Lake } from '../lake.ts'
import { type MoveOptions, moveLake } from './move-lake.ts'

const column = (name: string, kind: ColumnKind, required = false): Column => ({ name, kind, required })
const table = (database: string, name: string, more: readonly Column[] = []): TableSpec => ({
  database,
  table: name,
  timeColumn: 'p_event_time',
  columns: [
    column('p_row_id', 'string', true),
    column('p_event_time', 'timestamp', true),
    column('p_parse_time', 'timestamp', true),
    ...more,
  ],
})
const EVENTS = table('logs', 'many', [
  column('n', 'bigint'),
  column('text', 'string'),
  column('list', 'strings'),
  column('share', 'float'),
  column('is', 'boolean'),
])
const EMPTY = table('logs', 'none_yet')
const MATCHES = table('matches', 'many', [column('p_rule_id', 'string', true), column('p_alert_id', 'string', true)])
const LETTERS = table('monitor', 'dead_letters', [column('raw', 'string')])
const ROWS = 1200
/** So that there are many pieces, of spans of time as well as by hash. */
const LIMITS = { rows: 150, bytes: 64 * 1024 * 1024 }

/** What a query of people gives, of each table. */
const QUESTIONS = [
  'SELECT * FROM logs.many ORDER BY p_row_id LIMIT 5000',
  'SELECT * FROM matches.many ORDER BY p_row_id, p_alert_id',
  'SELECT p_row_id, p_event_time FROM logs.all ORDER BY ALL LIMIT 5000',
  'SELECT * FROM monitor.dead_letters ORDER BY p_row_id',
  'SELECT kind, value, sum(count), min(first), max(last), max(p_parse_time) FROM monitor.indicators GROUP BY ALL ORDER BY ALL',
  'SELECT * FROM monitor.lookup_rows FINAL ORDER BY ALL',
]

/** Where it is moved. */
interface Target {
  readonly lake: object
  /** Runs a statement on one server. */
  run(sql: string): Promise<string>
  kill(): Promise<void>
  start(): Promise<void>
  reset(): Promise<void>
  stop(): Promise<void>
}

/** A cluster, one shard of which is killed. */
async function startCluster(): Promise<Target> {
  const cluster = await ClickhouseCluster.start()
  const [entry, other] = cluster.servers
  return {
    lake: cluster.lake,
    run: (sql) => entry.run(sql),
    kill: () => other.kill(),
    start: () => other.start(),
    reset: () => cluster.reset(),
    stop: () => cluster.stop(),
  }
}

const targets = [
  { what: 'a server', part: '', begin: (): Promise<Target> => ClickhouseServer.start() },
  { what: 'a cluster', part: '_local', begin: startCluster },
]

describe.skipIf(whyNoServer).each(targets)(
  `a lake that is moved to $what${whyNoServer ? ` (${whyNoServer})` : ''}`,
  ({ part, begin }) => {
    const folder = mkdtempSync(join(tmpdir(), 'caracal-move-lake-'))
    let server: Target
    let from: ChdbLake
    let to: Lake
    let opened = 0

    beforeAll(async () => {
      server = await begin()
      from = await createChdbLake({ dataDir: join(folder, 'data'), fsync: false })
      await fill()
    }, 120_000)
    afterAll(async () => {
      await to?.close()
      await from?.close()
      await server?.stop()
      rmSync(folder, { recursive: true, force: true })
    })
    beforeEach(async () => {
      await to?.close()
      await server.reset()
      to = await openTestLake(server, join(folder, 'data'))
    })

    async function fill(): Promise<void> {
      for (const spec of [EVENTS, EMPTY, MATCHES, LETTERS]) await from.ensure(spec)
      const week = (i: number) => `2026-03-${['02', '09', '16'][i % 3]}T12:00:00.${String(i).padStart(9, '0')}Z`
      // A third of them at the same nanosecond, and one long ago.
      const time = (i: number) => (i === 0 ? '1971-01-01T00:00:00Z' : i % 3 === 0 ? '2026-03-02T11:00:00Z' : week(i))
      const event = (i: number) => [
        `row ${i}`,
        time(i),
        week(i),
        i % 7 === 0 ? null : 9_223_372_036_854_775_807n,
        i % 5 ? `é ${i} 'quoted' \\` : null,
        i % 2 ? [] : ['', `${i}`],
        i / 3,
        i % 4 === 0 ? null : i % 2 === 0,
      ]
      const rows = Array.from({ length: ROWS }, (_, i) => event(i))
      // Two inserts, so that parts are merged at some time.
      await insertInto(from, EVENTS, rows.slice(0, 700), 'a')
      await insertInto(from, EVENTS, rows.slice(700), 'b')
      const matches = rows
        .slice(0, 400)
        .flatMap((row, i) => [`alert ${i % 9}`, 'alert 9'].map((alert) => [...row.slice(0, 3), 'Rule', alert]))
      await insertInto(from, MATCHES, matches, 'a')
      await insertInto(
        from,
        LETTERS,
        [
          ['letter', week(1), week(1), '{"broken'],
          ['letter', week(1), week(1), '{"broken'],
        ],
        'a',
      )
      for (const n of [1, 2, 3])
        await insertInto(
          from,
          INDEX,
          Array.from({ length: 200 }, (_, i) => [
            'ip_addresses',
            `192.0.2.${i}`,
            'Test.T',
            'web',
            n,
            time(i),
            week(i),
            week(i + n),
          ]),
          `${n}`,
        )
      for (const [version, keys] of [
        ['one', ['a', 'b']],
        ['two', ['b', 'c']],
      ] as const) {
        const file = join(folder, `${version}.json`)
        writeFileSync(file, keys.map((key) => `${JSON.stringify([key, JSON.stringify({ key, version })])}\n`).join(''))
        await from.storeLookup({
          table: 'Hosts',
          version,
          sinceMs: Date.parse(version === 'one' ? '2026-01-01' : '2026-02-01'),
          file,
          about: '{}',
        })
      }
    }

    const move = (more: Partial<MoveOptions> = {}) =>
      moveLake(from, to, { folder: join(folder, `moving ${++opened}`), limits: LIMITS, ...more })

    async function expectSame(): Promise<void> {
      for (const sql of QUESTIONS) {
        const [here, there] = [await from.query(sql, { maxRows: 10_000 }), await to.query(sql, { maxRows: 10_000 })]
        expect(here.rows.length, sql).toBeGreaterThan(0)
        expect(there, sql).toMatchObject({ columns: here.columns, rows: here.rows })
      }
      expect((await server.run('SELECT count(), uniqExact(p_row_id) FROM logs.many')).trim()).toBe(`[${ROWS}, ${ROWS}]`)
    }

    test('has the same rows there, in every table, and accepts more', { timeout: 120_000 }, async () => {
      const progress: [number, number][] = []
      const moved = await move({ onRows: (_, done, of) => progress.push([done, of]) })
      expect(moved).toContainEqual({ table: 'logs.many', rowsBefore: ROWS, rowsAfter: ROWS })
      expect(moved).toContainEqual({ table: 'logs.none_yet', rowsBefore: 0, rowsAfter: 0 })
      expect(moved).toContainEqual({ table: 'matches.many', rowsBefore: 800, rowsAfter: 800 })
      expect(moved).toContainEqual({ table: 'monitor.dead_letters', rowsBefore: 2, rowsAfter: 2 })
      // Each address was received in three weeks.
      expect(moved).toContainEqual({ table: 'monitor.indicators', rowsBefore: 600, rowsAfter: 600 })
      for (const { table: name, rowsBefore, rowsAfter } of moved) expect(rowsAfter, name).toBe(rowsBefore)
      const all = moved.reduce((sum, { rowsBefore }) => sum + rowsBefore, 0)
      expect(progress.at(-1)).toEqual([all, all])
      expect(progress.length).toBeGreaterThan(12)
      // As the next start does.
      await to.close()
      to = await openTestLake(server, join(folder, 'data'))
      await expectSame()
      await to.ensure(EVENTS)
      await insertInto(to, EVENTS, [['new', '2026-03-02T12:00:00Z', '2026-03-02T12:00:00Z', 1n, 'x', [], 1, true]], 'new')
      expect((await to.query("SELECT n FROM logs.many WHERE p_row_id = 'new'")).rows).toEqual(['[1]'])
      expect(readdirSync(folder).filter((name) => name.startsWith('moving'))).toEqual([])
    })

    test('is moved once however often it is stopped, also by a server that is killed', { timeout: 240_000 }, async () => {
      let kills = 0
      for (let stops = 0; ; stops++) {
        const ending = new AbortController()
        let pieces = 0
        const stop = () => {
          if (++pieces < 5) return
          if (stops % 2 === 0) return ending.abort()
          kills++
          void server.kill()
        }
        try {
          await move({ signal: ending.signal, ...(stops < 4 && { onRows: stop }) })
          break
        } catch (error) {
          if (!ending.signal.aborted) {
            expect(error).toBeInstanceOf(RetryLater)
            await server.start()
          }
        }
      }
      expect(kills).toBeGreaterThan(0)
      await expectSame()
    })

    test('is made complete where rows are missing or too many', { timeout: 120_000 }, async () => {
      await move()
      await server.run(
        `ALTER TABLE logs${part}.many DELETE WHERE p_row_id IN ('row 5', 'row 300', 'row 600', 'row 900') SETTINGS mutations_sync = 2`,
      )
      await server.run(`INSERT INTO matches${part}.many SELECT * FROM matches.many LIMIT 1`)
      await server.run(`ALTER TABLE monitor${part}.dead_letters UPDATE raw = 'other' WHERE 1 SETTINGS mutations_sync = 2`)
      await move()
      await expectSame()
    })

    test('is not called moved if the server has a table with other rows', { timeout: 120_000 }, async () => {
      await to.ensure(EMPTY)
      await insertInto(to, EMPTY, [['foreign', '2026-03-02T12:00:00Z', '2026-03-02T12:00:00Z']], 'foreign')
      expect(await move()).toContainEqual({ table: 'logs.none_yet', rowsBefore: 0, rowsAfter: 1 })
    })

    test('says so if the server has a table with other columns', async () => {
      await to.ensure(table('logs', 'many', [column('n', 'string')]))
      await expect(move()).rejects.toThrow(/already has a table logs\.many with other columns \(is Nullable\(Bool\)/)
    })
  },
)
