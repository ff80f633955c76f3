import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ClickhouseCluster } from '../../../../test/support/clickhouse-cluster.ts'
import { PASSWORD, whyNoServer } from '../../../../test/support/clickhouse-server.ts'
import { openTestLake } from '../../../../test/support/server-lake.ts'
import { until } from '../../../../test/support/until.ts'
import type { Column, TableSpec } from '../../../model/column.ts'
import type { SystemProblem } from '../../../model/system-problem.ts'
import { RetryLater } from '../../../util/errors.ts'
import { partOf, shardOf } from '../cluster.ts'
import { insertInto } from '../insert.fixture.ts'
import type { Lake, LakeDeps } from '../lake.ts'
import { ServerAdministration } from './administration.ts'
import { clickhouse } from './clickhouse.ts'

const specOf = (...more: readonly Column[]): TableSpec => ({
  database: 'logs',
  table: 't',
  timeColumn: 'p_event_time',
  columns: [
    { name: 'p_row_id', kind: 'string', required: true },
    { name: 'p_event_time', kind: 'timestamp', required: true },
    { name: 'p_parse_time', kind: 'timestamp', required: true },
    ...more,
  ],
})
const TABLE = specOf()
const PART = partOf(TABLE)
const row = (id: string, ...more: unknown[]) => [id, '2026-03-02T10:00:00Z', '2026-03-02T10:00:00Z', ...more]

/** A token whose insert of one row goes to a shard. */
function tokenFor(shard: number, name: string): string {
  for (let i = 0; ; i++) if (shardOf({ shards: 2 }, TABLE, `${name} ${i}#0-1`) === shard) return `${name} ${i}`
}

let cluster: ClickhouseCluster
const folders: string[] = []
const opened: Lake[] = []
function folder(): string {
  folders.push(mkdtempSync(join(tmpdir(), 'caracal-cluster-lake-')))
  return folders.at(-1)!
}
async function open(dataDir = folder(), more: Partial<LakeDeps> = {}): Promise<Lake> {
  const lake = await openTestLake(cluster, dataDir, more)
  opened.push(lake)
  return lake
}
const ids = async (lake: Lake) =>
  (await lake.query('SELECT p_row_id FROM logs.t ORDER BY 1')).rows.flatMap((one) => JSON.parse(one))
const everywhere = async (sql: string) => (await cluster.run(sql)).map((answer) => answer.trim())

async function examine() {
  const { type, ...block } = cluster.lake
  const deps = { secret: () => PASSWORD, trusted: {}, maxQueryMs: 30_000 }
  const administration = new ServerAdministration(clickhouse.config.parse(block), deps)
  try {
    return await administration.examine()
  } finally {
    await administration.close()
  }
}

describe.skipIf(whyNoServer)(`a lake on a cluster${whyNoServer ? ` (${whyNoServer})` : ''}`, { timeout: 60_000 }, () => {
  beforeAll(async () => {
    cluster = await ClickhouseCluster.start()
  }, 60_000)
  afterAll(async () => {
    await cluster?.stop()
    for (const one of folders) rmSync(one, { recursive: true, force: true })
  })
  beforeEach(async () => {
    for (const lake of opened.splice(0)) await lake.close()
    await cluster.reset()
  }, 60_000)

  test('stores each insert as one block on one shard, and answers with the rows of all', async () => {
    const lake = await open()
    await lake.ensure(TABLE)
    const rows = Array.from({ length: 50 }, (_, i) => row(`${i}`))
    for (let insert = 0; insert < 8; insert++) await insertInto(lake, TABLE, rows, `insert ${insert}`)
    const counts = (await everywhere(`SELECT count() FROM ${PART.database}.t`)).map((text) => JSON.parse(text)[0])
    expect(counts[0] + counts[1]).toBe(400)
    expect(counts.every((count) => count > 0 && count % 50 === 0)).toBe(true)
    expect((await lake.query('SELECT count() FROM logs.t')).rows).toEqual(['[400]'])
    expect((await lake.query('SELECT count() FROM logs.all')).rows).toEqual(['[400]'])
  })

  test('takes rows for the shards that are there; those of the other wait and are stored once it is back', async () => {
    const problems: (readonly SystemProblem[])[] = []
    const lake = await open(folder(), { onProblems: (all) => problems.push(all) })
    await lake.ensure(TABLE)
    const [away] = [cluster.servers[1]]
    await away.kill()
    await insertInto(lake, TABLE, [row('here')], tokenFor(1, 'a'))
    const waiting = tokenFor(2, 'b')
    await expect(insertInto(lake, TABLE, [row('there')], waiting)).rejects.toBeInstanceOf(RetryLater)
    // Never an answer without the rows of a shard.
    const query = lake.query('SELECT count() FROM logs.t')
    await expect(query).rejects.toBeInstanceOf(RetryLater)
    await expect(query).rejects.toThrow(/a shard of the cluster does not answer/)
    // A change of tables reaches all servers or none.
    const wider = specOf({ name: 'n', kind: 'int' })
    await expect(lake.ensure(wider)).rejects.toBeInstanceOf(RetryLater)
    const columns = "SELECT count() FROM system.columns WHERE table = 't' AND name = 'n'"
    expect(await cluster.servers[0].run(columns)).toBe('[0]\n')
    const down = problems.at(-1)!.find(({ what }) => what === 'LakeDown')
    expect(down?.message).toContain(`the ClickHouse server at ${away.url} does not answer`)
    await away.start()
    await insertInto(lake, TABLE, [row('there')], waiting)
    await insertInto(lake, TABLE, [row('here')], tokenFor(1, 'a'))
    await lake.ensure(wider)
    expect(await everywhere(columns)).toEqual(['[2]', '[2]'])
    expect(await ids(lake)).toEqual(['here', 'there'])
    expect(problems.at(-1)).toEqual([])
  })

  test('finishes a change that stopped on the way, on the servers that lack it', async () => {
    const lake = await open()
    const [text, whole] = [specOf({ name: 'b', kind: 'string' }), specOf({ name: 'b', kind: 'int' })]
    await lake.ensure(text)
    for (const shard of [1, 2]) await insertInto(lake, text, [row(`old ${shard}`, `${shard}`)], tokenFor(shard, 'old'))
    // What a kill between the statements leaves: one part renamed, the other as it was.
    await cluster.servers[0].run(`ALTER TABLE ${PART.database}.t RENAME COLUMN b TO p_was_1_string_b`)
    await lake.close()
    const problems: (readonly SystemProblem[])[] = []
    const again = await open(folders.at(-1), { onProblems: (all) => problems.push(all) })
    expect(problems.at(-1)).toMatchObject([{ what: 'LakeUneven', message: expect.stringMatching(/logs_local\.t .* b is /) }])
    expect((await examine()).differences).toEqual([expect.stringContaining(`The server at ${cluster.servers[0].url} `)])
    await again.ensure(whole)
    for (const shard of [1, 2]) await insertInto(again, whole, [row(`new ${shard}`, shard)], tokenFor(shard, 'new'))
    const { rows } = await again.query('SELECT p_row_id, b FROM logs.t ORDER BY 1')
    expect(rows).toEqual(['["new 1", 1]', '["new 2", 2]', '["old 1", 1]', '["old 2", 2]'])
    expect((await examine()).differences).toEqual([])
  })

  test('creates what a server lacks, as after it was set up again', async () => {
    const lake = await open()
    await lake.ensure(TABLE)
    await insertInto(lake, TABLE, [row('kept')], tokenFor(1, 'a'))
    await lake.close()
    await cluster.servers[1].reset()
    expect((await examine()).differences).not.toEqual([])
    const again = await open(folders.at(-1))
    expect((await examine()).differences).toEqual([])
    expect(await ids(again)).toEqual(['kept'])
    await insertInto(again, TABLE, [row('new')], tokenFor(2, 'b'))
    expect(await ids(again)).toEqual(['kept', 'new'])
  })

  test('is not opened without a shard that it has had', async () => {
    const lake = await open()
    expect((await lake.query('SELECT shards FROM monitor.lake_shards')).rows).toEqual(['[2]'])
    await lake.close()
    await cluster.servers[0].run('INSERT INTO monitor_local.lake_shards VALUES (3)')
    await expect(open(folders.at(-1))).rejects.toThrow(/the cluster 'caracal' has 2 shards, and the lake has rows on 3/)
  })

  test('joins any two tables, and does not show the parts', async () => {
    const lake = await open()
    await lake.ensure(TABLE)
    for (const shard of [1, 2]) await insertInto(lake, TABLE, [row(`${shard}`)], tokenFor(shard, 'a'))
    const ask = async (sql: string) => (await lake.query(sql)).rows
    for (const from of [
      'logs.t AS a JOIN logs.t AS b ON a.p_row_id = b.p_row_id',
      'logs.t WHERE p_row_id IN (SELECT p_row_id FROM logs.t)',
    ])
      expect(await ask(`SELECT count() FROM ${from}`), from).toEqual(['[2]'])
    expect(await ask('SELECT count() FROM logs.all AS a JOIN logs.t AS b ON a.p_row_id = b.p_row_id')).toEqual(['[2]'])
    for (const sql of ['SELECT * FROM logs_local.t', 'SELECT * FROM `logs_local`.`t`', 'SELECT * FROM "LOGS_LOCAL".t'])
      await expect(lake.query(sql), sql).rejects.toThrow(/it may read logs, matches/)
    for (const [table, column] of [
      ['tables', 'table_schema'],
      ['columns', 'table_schema'],
      ['TABLES', 'TABLE_SCHEMA'],
      ['schemata', 'schema_name'],
    ]) {
      const names = (await ask(`SELECT DISTINCT ${column} FROM information_schema.${table} AS c`)).join()
      expect(names, table).toContain('logs')
      expect(names, table).not.toContain('_local')
    }
  })

  test('lists the partitions of all shards as one, and deletes from all of them', async () => {
    const lake = await open()
    await lake.ensure(TABLE)
    const week = (id: string, day: string) => [id, `2026-03-${day}T10:00:00Z`, `2026-03-${day}T10:00:00Z`]
    for (const shard of [1, 2])
      for (const day of ['02', '09', '10']) await insertInto(lake, TABLE, [week(`${shard} ${day}`, day)], tokenFor(shard, day))
    const list = async () =>
      (await lake.partitions()).filter(({ database }) => database === 'logs').map(({ table, id, rows }) => [table, id, rows])
    expect(await list()).toEqual([
      ['t', '20260302', 2],
      ['t', '20260309', 4],
    ])
    const place = { database: 'logs', table: 't', held: [] }
    expect(await lake.retire({ ...place, id: '20260302', expected: 1 })).toEqual({ rows: 0, kept: 2, isChanged: true })
    expect(await lake.retire({ ...place, id: '20260302' })).toEqual({ rows: 2, kept: 0, isChanged: false })
    const beforeMs = Date.parse('2026-03-10T00:00:00Z')
    expect(await lake.retire({ ...place, id: '20260309', beforeMs })).toEqual({ rows: 2, kept: 2, isChanged: false })
    expect(await ids(lake)).toEqual(['1 10', '2 10'])
    expect(await everywhere(`SELECT count() FROM ${PART.database}.t`)).toEqual(['[1]', '[1]'])
    expect(await list()).toEqual([['t', '20260309', 2]])
  })

  // Again: see the suite of lakes (test/suites/lakes.test.ts).
  test('ends a query on all servers when it is cancelled', { retry: 2 }, async () => {
    const lake = await open()
    await lake.ensure(TABLE)
    const rows = Array.from({ length: 1000 }, (_, i) => row(`${i}`))
    for (const shard of [1, 2]) await insertInto(lake, TABLE, rows, `${shard}`)
    const caller = new AbortController()
    const slow =
      'SELECT count() FROM logs.t AS a, logs.t AS b, logs.t AS c, logs.t AS d WHERE cityHash64(a.p_row_id, b.p_row_id, c.p_row_id, d.p_row_id) = 1'
    const running = async () =>
      (
        await everywhere(
          "SELECT count() FROM system.processes WHERE query ILIKE '%cityHash64%' AND query NOT ILIKE '%processes%'",
        )
      ).some((count) => count !== '[0]')
    const ended = lake.query(slow, { signal: caller.signal }).catch((error: unknown) => error)
    await until(async () => (await running()) || undefined)
    caller.abort()
    expect(String(await ended)).toContain('the query was cancelled')
    await until(async () => !(await running()) || undefined)
  })

  test('is not opened on servers of another kind, or that the configuration does not name completely', async () => {
    const { lake: block, servers } = cluster
    const opening = (more: object) => openTestLake({ lake: { ...block, ...more } }, folder())
    const named = (more: object) => opening({ cluster: { ...block.cluster, ...more } })
    await expect(named({ name: 'other' })).rejects.toThrow(/has no cluster 'other' \(remote_servers\); it has caracal/)
    await expect(named({ nodes: [servers[0].url] })).rejects.toThrow(/no server that is replica 1 of shard 2/)
    await expect(named({ replicated: true })).rejects.toThrow(/shard 1 of the cluster 'caracal' lacks <internal_replication>/)
    await (await open()).close()
    await expect(opening({ cluster: undefined })).rejects.toThrow(/is spread over a cluster: its table monitor\./)
    await cluster.reset()
    await servers[0].run('CREATE DATABASE logs')
    await servers[0].run('CREATE TABLE logs.t (a Int8) ENGINE = MergeTree ORDER BY a')
    await expect(opening({})).rejects.toThrow(/is not that of the cluster 'caracal': its table logs\.t is MergeTree/)
  })
})
