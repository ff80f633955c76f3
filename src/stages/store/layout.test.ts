import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import type { Column, TableSpec } from '../../model/column.ts'
import { INDICATOR_FIELDS } from '../../model/event.ts'
import { type Indicated, indicatorRows } from '../../pipeline/indicator-rows.ts'
import { steadyClock } from '../../util/clock.ts'
import { packageRoot } from '../../util/entry.ts'
import { RetryLater } from '../../util/errors.ts'
import { ChdbLake, createChdbLake } from './chdb.ts'
import { INDEX } from './indicators.ts'
import { insertInto } from './insert.fixture.ts'
import { applyKeeping } from './keeping.ts'
import { bringToLayout, LAYOUT } from './layout.ts'

const top = mkdtempSync(join(tmpdir(), 'lake-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

const text = (name: string): Column => ({ name, kind: 'string', required: true })
const time = (name: string): Column => ({ name, kind: 'timestamp', required: true })
const events = (table: string): TableSpec => ({
  database: 'logs',
  table,
  timeColumn: 'p_event_time',
  columns: [
    ...['p_log_type', 'p_row_id', 'p_source_id'].map(text),
    ...['p_event_time', 'p_parse_time'].map(time),
    ...INDICATOR_FIELDS.map((name): Column => ({ name, kind: 'strings', required: true })),
  ],
})

interface Seen {
  readonly ips?: readonly string[]
  readonly names?: readonly string[]
  readonly source?: string
  readonly at?: string
  readonly parsed?: string
}
let lastId = 0
const row = ({ ips = [], names = [], source = 's', at = '2024-04-19T10:00:00Z', parsed = at }: Seen) =>
  ['Test.Log', `${lastId++}`, source, at, parsed, ips, names, ...INDICATOR_FIELDS.slice(2).map(() => [])] as const
type Row = ReturnType<typeof row>
const bytes = (...rows: readonly Row[]) => rows
const COUNTED =
  'SELECT kind, value, p_log_type, day, sum(count), min(first), max(last) FROM monitor.indicators GROUP BY ALL ORDER BY kind, value, day'

/** Stores events and their index rows as a flush does: each under a separate token. */
async function insertSeen(lake: ChdbLake, table: TableSpec, rows: readonly Row[], token: string) {
  const named = rows.map(
    (cells) => Object.fromEntries(table.columns.map(({ name }, i) => [name, cells[i]])) as unknown as Indicated,
  )
  const rejected = await insertInto(lake, table, rows, token)
  await insertInto(lake, INDEX, indicatorRows(named), `${token}/index`)
  return rejected
}

describe('the index of indicators', () => {
  test('counts each event once by value, log type and day, whatever is repeated', async () => {
    const lake = await createChdbLake({ dataDir: mkdtempSync(join(top, 'data-')), fsync: false })
    const table = events('seen')
    await lake.ensure(table)
    const first = bytes(
      row({ ips: ['192.0.2.1', '192.0.2.2'], names: ['a.example'] }),
      row({ ips: ['192.0.2.1'], at: '2024-04-19T23:59:59.5Z' }),
      row({}),
    )
    for (let again = 0; again < 3; again++) expect(await insertSeen(lake, table, first, 'first')).toEqual([])
    await insertSeen(lake, table, bytes(row({ ips: ['192.0.2.1'], at: '2024-04-20T00:00:00Z' })), 'second')
    expect((await lake.query(COUNTED)).rows).toEqual([
      '["domain_names", "a.example", "Test.Log", "2024-04-19", 1, "2024-04-19T10:00:00Z", "2024-04-19T10:00:00Z"]',
      '["ip_addresses", "192.0.2.1", "Test.Log", "2024-04-19", 2, "2024-04-19T10:00:00Z", "2024-04-19T23:59:59.5Z"]',
      '["ip_addresses", "192.0.2.1", "Test.Log", "2024-04-20", 1, "2024-04-20T00:00:00Z", "2024-04-20T00:00:00Z"]',
      '["ip_addresses", "192.0.2.2", "Test.Log", "2024-04-19", 1, "2024-04-19T10:00:00Z", "2024-04-19T10:00:00Z"]',
    ])
    await lake.close()
  })

  test('deletes a removed source’s rows, and no others', async () => {
    const lake = await createChdbLake({ dataDir: mkdtempSync(join(top, 'data-')), fsync: false })
    const table = events('seen')
    await lake.ensure(table)
    const rows = bytes(row({ ips: ['192.0.2.1'], source: 'demo' }), row({ ips: ['192.0.2.1'], source: 'mine' }))
    await insertSeen(lake, table, rows, 't')
    await lake.removeSource('demo')
    expect((await lake.query('SELECT p_source_id, sum(count) FROM monitor.indicators GROUP BY 1')).rows).toEqual(['["mine", 1]'])
    await lake.close()
  })

  test('agrees with the table even if the lake’s process is killed at any moment of an insert', async () => {
    const dataDir = mkdtempSync(join(top, 'data-'))
    const lake = await createChdbLake({ dataDir })
    const table = events('seen')
    await lake.ensure(table)
    let retries = 0
    for (let insert = 0; insert < 12; insert++) {
      const rows = bytes(...Array.from({ length: 500 }, (_, n) => row({ ips: [`192.0.2.${n % 250}`, `198.51.100.${insert}`] })))
      const done = insertAlways(lake, table, rows, `flush ${insert}`, () => retries++)
      if (insert % 3 > 0) {
        await setTimeout(insert)
        killLake(lake)
      }
      await done
    }
    expect(retries).toBeGreaterThan(2)
    const counted = await lake.query('SELECT value, sum(count) FROM monitor.indicators GROUP BY 1 ORDER BY 1')
    const stored = await lake.query('SELECT arrayJoin(p_any_ip_addresses) AS value, count() FROM logs.seen GROUP BY 1 ORDER BY 1')
    expect(counted.rows).toEqual(stored.rows)
    expect((await lake.query('SELECT count(), uniqExact(p_row_id) FROM logs.seen')).rows).toEqual(['[6000, 6000]'])
    await lake.close()
  })
})

/** Kills the lake's process, unless the previous kill has not been noticed yet. */
function killLake({ pid }: ChdbLake): void {
  try {
    process.kill(pid!, 'SIGKILL')
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' })
  }
}

async function insertAlways(lake: ChdbLake, table: TableSpec, rows: readonly Row[], token: string, onRetry: () => void) {
  for (;;) {
    try {
      return await insertSeen(lake, table, rows, token)
    } catch (error) {
      expect(error).toBeInstanceOf(RetryLater)
      onRetry()
    }
  }
}

/** A lake of layout 1, as written by the first version. */
function firstLayout(): string {
  const folder = mkdtempSync(join(top, 'first-'))
  const archive = join(packageRoot(), 'test/fixtures/data-folders/0.1.0-layout-1/folder.tgz')
  execFileSync('tar', ['-C', folder, '-xzf', archive, './data/lake'])
  return join(folder, 'data')
}

const TABLES: readonly (readonly [table: string, rows: number])[] = [
  ['logs.custom_login', 11],
  ['logs.custom_thing', 500],
  ['logs.zeek_conn', 60],
  ['matches.custom_login', 16],
  ['matches.zeek_conn', 6],
  ['monitor.dead_letters', 1],
  ['monitor.rule_errors', 1],
  ['monitor.table_versions', 2],
  ['signals.correlation_signals', 22],
]

describe('a lake of layout 1', () => {
  async function expectBrought(lake: ChdbLake): Promise<void> {
    const { rows } = await lake.query(
      'SELECT "table", rows_before, rows_after FROM monitor.lake_layout WHERE layout = 2 ORDER BY 1',
    )
    expect(rows).toEqual(['["", 0, 0]', ...TABLES.map(([table, n]) => `["${table}", ${n}, ${n}]`)])
    for (const [table, n] of TABLES) expect((await lake.query(`SELECT count() FROM ${table}`)).rows).toEqual([`[${n}]`])
    const added = 'p_source_file, p_generation, p_header'
    expect((await lake.query(`SELECT DISTINCT ${added} FROM logs.all`)).rows).toEqual(['[null, null, null]'])
    expect((await lake.query(`SELECT DISTINCT ${added}, p_raw FROM matches.all`)).rows).toEqual(['[null, null, null, null]'])
    const counted = await lake.query("SELECT sum(count) FROM monitor.indicators WHERE kind = 'ip_addresses'")
    expect(counted.rows).toEqual(['[120]'])
  }

  test('is migrated to layout 2 at its first start only, with all rows', async () => {
    const dataDir = firstLayout()
    const first = await createChdbLake({ dataDir })
    expect((await first.ready()).map(({ table, rowsBefore, rowsAfter }) => [table, rowsBefore, rowsAfter])).toEqual(
      TABLES.map(([table, n]) => [table, n, n]),
    )
    await expectBrought(first)
    await first.close()
    const second = await createChdbLake({ dataDir })
    expect(await second.ready()).toEqual([])
    await expectBrought(second)
    await second.close()
  })

  test('is migrated even if its first starts are killed at any moment', { timeout: 300_000 }, async () => {
    const dataDir = firstLayout()
    const options = {
      path: join(dataDir, 'lake'),
      readers: 1,
      maxQueryBytes: 2 ** 28,
      maxMemoryBytes: 2 ** 30,
      maxQueryMs: 10_000,
      maxResultBytes: 2 ** 24,
      fsync: true,
    }
    for (let afterMs = 50; afterMs < 4000; afterMs *= 2) {
      const killed = new ChdbLake(options, 100, { clock: steadyClock, onProblems: () => {} })
      await setTimeout(afterMs)
      process.kill(killed.pid!, 'SIGKILL')
      await killed.close()
    }
    const lake = await createChdbLake({ dataDir })
    await expectBrought(lake)
    await lake.close()
  })
})

describe('the settings of tables', () => {
  const files = (dataDir: string) =>
    readdirSync(join(dataDir, 'lake/store'), { recursive: true, encoding: 'utf8' }).map((name) =>
      join(dataDir, 'lake/store', name),
    )

  test('an insert of 20 MB creates only a few files, however many columns it has', async () => {
    const dataDir = mkdtempSync(join(top, 'data-'))
    const lake = await createChdbLake({ dataDir, fsync: false })
    const table = events('wide')
    await lake.ensure(table)
    const before = new Set(files(dataDir))
    const rows = Array.from({ length: 10_000 }, () => row({ source: 'x'.repeat(2000) }))
    await insertInto(lake, table, rows, 'all')
    expect(files(dataDir).filter((file) => !before.has(file)).length).toBeLessThan(20)
    await lake.close()
  })

  test('of new tables are applied to tables of an earlier version', async () => {
    const dataDir = firstLayout()
    const lake = await createChdbLake({ dataDir })
    await lake.ready()
    await lake.close()
    const definitions = files(dataDir)
      .filter((file) => file.endsWith('.sql'))
      .map((file) => readFileSync(file, 'utf8'))
      .filter((definition) => definition.includes('p_parse_time') && definition.includes('MergeTree'))
    expect(definitions.length).toBeGreaterThan(5)
    for (const definition of definitions) expect(definition).toContain('min_bytes_for_wide_part')
  })
})

describe('rows that are deleted', () => {
  const old = '2024-01-01T00:00:00Z'
  const week = (database: string, table: string) => ({ database, table, id: '20240101' })
  const matches = (table: string): TableSpec => ({
    ...events(table),
    database: 'matches',
    columns: [...events(table).columns, text('p_alert_id')],
  })
  const rows = async (lake: ChdbLake, sql: string) => (await lake.query(sql)).rows

  test('are those of a partition, of some log types, or received before a time', async () => {
    const lake = await createChdbLake({ dataDir: mkdtempSync(join(top, 'data-')), fsync: false })
    const table = events('kept')
    const now = '2026-03-04T00:00:00Z'
    await lake.ensure(table)
    await insertSeen(lake, table, bytes(row({ ips: ['192.0.2.1'], at: now, parsed: old })), 'old')
    await insertSeen(lake, table, bytes(row({ ips: ['192.0.2.2'], at: old, parsed: now })), 'new')
    expect(
      (await lake.partitions()).filter((one) => one.hasParseTime).map((one) => [one.table, one.id, one.rows, one.logType]),
    ).toEqual([
      ['kept', '20240101', 1, 'Test.Log'],
      ['kept', '20260302', 1, 'Test.Log'],
      ['indicators', '20240101', 1, undefined],
      ['indicators', '20260302', 1, undefined],
    ])
    expect(await lake.logTypesIn(week('monitor', 'indicators'))).toEqual(['Test.Log'])
    const kept = { rows: 0, kept: 1, isChanged: false }
    expect(await lake.retire({ ...week('monitor', 'indicators'), logTypes: ['Other.Log'], held: [] })).toEqual(kept)
    expect(await lake.retire({ ...week('logs', 'kept'), beforeMs: Date.parse(old), held: [] })).toEqual(kept)
    expect(await lake.retire({ ...week('logs', 'kept'), expected: 2, held: [] })).toEqual({ ...kept, isChanged: true })
    const gone = { rows: 1, kept: 0, isChanged: false }
    expect(await lake.retire({ ...week('logs', 'kept'), expected: 1, beforeMs: Date.parse(now), held: [] })).toEqual(gone)
    expect(await lake.retire({ ...week('monitor', 'indicators'), logTypes: ['Test.Log'], held: [] })).toEqual(gone)
    expect(await lake.retire({ ...week('logs', 'kept'), held: [] })).toEqual({ ...gone, rows: 0 })
    expect(await rows(lake, 'SELECT p_any_ip_addresses FROM logs.kept')).toEqual(['[["192.0.2.2"]]'])
    expect(await rows(lake, 'SELECT value, sum(count) FROM monitor.indicators GROUP BY 1')).toEqual(['["192.0.2.2", 1]'])
    await lake.close()
  })

  test('are never those of an alert on hold, whoever deletes', async () => {
    const dataDir = mkdtempSync(join(top, 'data-'))
    const lake = await createChdbLake({ dataDir, fsync: false })
    const [logs, matched] = [events('held'), matches('held')]
    for (const table of [logs, matched]) await lake.ensure(table)
    const three = bytes(...['a', 'b', 'c'].map((name) => row({ names: [name], parsed: old })))
    await insertInto(lake, logs, three, 'logs')
    await insertInto(
      lake,
      matched,
      [
        [...three[0]!, 'held1'],
        [...three[1]!, 'other'],
      ] as never,
      'matches',
    )
    const names = 'SELECT p_any_domain_names[1] FROM'
    const held = ['held1', 'held2']
    expect(await lake.retire({ ...week('logs', 'held'), held })).toEqual({ rows: 2, kept: 1, isChanged: false })
    expect(await lake.retire({ ...week('logs', 'held'), held })).toEqual({ rows: 0, kept: 1, isChanged: false })
    expect(await lake.retire({ ...week('matches', 'held'), held })).toEqual({ rows: 1, kept: 1, isChanged: false })
    await lake.removeSource('s', held)
    for (const database of ['logs', 'matches']) expect(await rows(lake, `${names} ${database}.held`)).toEqual(['["a"]'])
    await lake.close()
    // What the engine has written down about the deletions is accepted at the next start.
    const again = await createChdbLake({ dataDir, fsync: false })
    await again.removeSource('s')
    for (const database of ['logs', 'matches']) expect(await rows(again, `${names} ${database}.held`)).toEqual([])
    await again.close()
  })

  test('are no longer chosen by the engine itself, as an earlier version had it', async () => {
    const removed: string[] = []
    const run = async (sql: string) => {
      if (sql.startsWith('SELECT database, name, engine_full'))
        return '["logs", "a", "MergeTree ORDER BY x TTL toDateTime(p_parse_time) + toIntervalDay(7) SETTINGS index_granularity = 256"]'
      removed.push(sql)
      return ''
    }
    await applyKeeping({ run }, { fsync: false })
    expect(removed.filter((sql) => sql.includes(' TTL'))).toEqual(['ALTER TABLE `logs`.`a` REMOVE TTL'])
  })
})

test('a lake that a newer version has migrated is refused before anything is changed', async () => {
  const later = LAYOUT + 1
  const changed: string[] = []
  const run = async (sql: string) => {
    if (sql.startsWith('SELECT max(layout)')) return `[${later}]`
    if (sql.startsWith('SELECT')) return '["monitor", "lake_layout"]\n["logs", "zeek_conn"]'
    changed.push(sql)
    return ''
  }
  await expect(bringToLayout({ run }, { fsync: false })).rejects.toThrow(
    `the lake was used by a newer version of Caracal: it has layout ${later}, and this version, 0.1.0, knows layouts up to ${LAYOUT}.`,
  )
  expect(changed).toEqual([])
})
