import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Column, TableSpec } from '../../src/model/column.ts'
import type { SystemProblem } from '../../src/model/system-problem.ts'
import { ServerAdministration } from '../../src/stages/store/clickhouse/administration.ts'
import { clickhouse } from '../../src/stages/store/clickhouse/clickhouse.ts'
import { shardOf } from '../../src/stages/store/cluster.ts'
import { insertInto } from '../../src/stages/store/insert.fixture.ts'
import type { Lake, LakeDeps } from '../../src/stages/store/lake.ts'
import { RetryLater } from '../../src/util/errors.ts'
import { freePort } from '../support/caracal.ts'
import { ClickhouseServer, LIMITS, PASSWORD } from '../support/clickhouse-server.ts'
import { openTestLake } from '../support/server-lake.ts'
import { until } from '../support/until.ts'
import { ReplicatedCluster, SEATS, whyNoReplicas } from './support/replicas.ts'

/** `REPLICA_KILLS=30` for more of the test that kills. */
const KILLS = Number(process.env['REPLICA_KILLS'] ?? 2)

const specOf = (table: string, ...more: readonly Column[]): TableSpec => ({
  database: 'logs',
  table,
  timeColumn: 'p_event_time',
  columns: [
    { name: 'p_row_id', kind: 'string', required: true },
    { name: 'p_event_time', kind: 'timestamp', required: true },
    { name: 'p_parse_time', kind: 'timestamp', required: true },
    ...more,
  ],
})
const row = (id: string, ...more: unknown[]) => [id, '2026-03-02T10:00:00Z', '2026-03-02T10:00:00Z', ...more]

/** A token whose insert of one row goes to a shard. */
function tokenFor(shard: number, name: string): string {
  for (let i = 0; ; i++) if (shardOf({ shards: 2 }, specOf('t'), `${name} ${i}#0-1`) === shard) return `${name} ${i}`
}

let cluster: ReplicatedCluster
let dataDir: string
const opened: Lake[] = []
const opening = (more: object = {}, settings: object = {}, deps: Partial<LakeDeps> = {}) =>
  openTestLake({ lake: { ...cluster.lake, ...more, cluster: { ...cluster.lake.cluster, ...settings } } }, dataDir, deps)
async function open(more: object = {}, deps: Partial<LakeDeps> = {}): Promise<Lake> {
  const lake = await opening(more, {}, deps)
  opened.push(lake)
  return lake
}

/** Waits until a shard's second replica has what the first one has. */
const synced = (table: string) => cluster.servers[1].run(`SYSTEM SYNC REPLICA logs_local.${table}`)
/** The rows of each server, without those of others. */
const parts = async (table: string, columns = 'p_row_id') =>
  (await cluster.run(`SELECT ${columns} FROM logs_local.${table} ORDER BY ALL`)).map((text) =>
    text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).join()])),
  )
const ids = async (lake: Lake, table: string) =>
  (await lake.query(`SELECT p_row_id FROM logs.${table} ORDER BY 1`)).rows.flatMap((one) => JSON.parse(one))
/** As the flusher does. */
const insertAlways = (lake: Lake, table: TableSpec, id: string, token: string) =>
  until(() =>
    insertInto(lake, table, [row(id)], token).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof RetryLater)) throw error
      },
    ),
  )

async function differences(): Promise<readonly string[]> {
  const { type, ...block } = cluster.lake
  const deps = { secret: () => PASSWORD, trusted: {}, maxQueryMs: 30_000 }
  const administration = new ServerAdministration(clickhouse.config.parse(block), deps)
  try {
    return (await administration.examine()).differences
  } finally {
    await administration.close()
  }
}

/** How often the replicated tables of each server were changed, and their definitions. */
const changes = async () => [
  ...(await cluster.run('SELECT zookeeper_path, log_max_index FROM system.replicas ORDER BY 1')),
  ...(await cluster.run("SELECT create_table_query FROM system.tables WHERE database != 'system' ORDER BY database, name")),
]

describe.skipIf(whyNoReplicas)(`replicated tables with ZooKeeper${whyNoReplicas ? ` (${whyNoReplicas})` : ''}`, () => {
  beforeAll(async () => {
    cluster = await ReplicatedCluster.start()
    // One for all tests: the first data folder that opens a lake has it.
    dataDir = mkdtempSync(join(tmpdir(), 'caracal-peer-replicated-'))
  })
  afterEach(async () => {
    for (const lake of opened.splice(0)) await lake.close()
  })
  afterAll(async () => {
    await cluster?.stop()
    if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true })
  })

  test.each([
    [
      { replica_name: '{nobody}' },
      /No macro 'nobody' in config.*; define the macros of lake\.cluster\.replica_path and replica_name/,
    ],
    [{ replica_name: 'same' }, /Replica \S+ already exists.*; either two servers have the same macros/],
    [
      { replica_path: '/common/{database}/{table}', replica_name: '{shard}-{replica}' },
      /are of two shards, and have the same path in Keeper, \/common\/monitor_local\/lake_probe: the macros/,
    ],
    [
      { replica_path: '/apart/{shard}/{replica}/{database}/{table}' },
      /are replicas of shard 1, and have different paths in Keeper, \/apart\/1\/r\d\/.* and \/apart\/1\/r\d\/.*: the macros/,
    ],
  ])('a lake with %j is refused with what to correct, and nothing stays behind', async (settings, message) => {
    await expect(opening({}, settings)).rejects.toThrow(message)
    expect((await cluster.run('SELECT count() FROM system.replicas')).join('')).toBe('[0]\n[0]\n[0]\n')
  })

  test('a server without Keeper is refused with what it lacks', async () => {
    const tcpPort = await freePort()
    const shard = `<shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>${tcpPort}</port></replica></shard>`
    const xml = () =>
      `<remote_servers><caracal><secret>of tests</secret>${shard}</caracal></remote_servers><macros><shard>1</shard><replica>r1</replica></macros>`
    const server = await ClickhouseServer.start(LIMITS, { tcpPort, xml })
    try {
      const lake = { ...server.lake, cluster: { name: 'caracal', nodes: [server.url], replicated: true } }
      await expect(openTestLake({ lake }, dataDir)).rejects.toThrow(/; give the server ClickHouse Keeper \(<zookeeper>/)
    } finally {
      await server.stop()
    }
  })

  test('every part is a replica of its shard, under the configured path and name, and a second start changes nothing', async () => {
    const lake = await open()
    await lake.ensure(specOf('made'))
    await lake.ensure({ ...specOf('made'), database: 'matches' })
    const tables = ['indicators', 'lake_layout', 'lake_owner', 'lake_shards', 'lookup_rows'].map((name) => `monitor.${name}`)
    tables.push('logs.made', 'matches.made')
    for (const [at, server] of cluster.servers.entries()) {
      const { shard, replica } = SEATS[at]!
      const lines = async (sql: string) => (await server.run(sql)).trim().split('\n')
      const replicas = await lines(
        `SELECT concat(database, '.', table) AS name, zookeeper_path, replica_name, is_readonly, arraySort(mapKeys(replica_is_active)), arraySum(mapValues(replica_is_active)) FROM system.replicas ORDER BY 1`,
      )
      const all = shard === 1 ? ['r1', 'r2'] : ['r1']
      const wanted = tables.map((name) => {
        const [database, table] = name.split('.')
        return [
          `${database}_local.${table}`,
          `/clickhouse/tables/${shard}/${database}_local/${table}`,
          replica,
          0,
          all,
          all.length,
        ]
      })
      expect(replicas.map((line) => JSON.parse(line))).toEqual(wanted.toSorted())
      // Whatever has rows is replicated, and can be reached over a table of its name.
      expect(
        await lines("SELECT count() FROM system.tables WHERE endsWith(engine, 'MergeTree') AND engine NOT LIKE 'Replicated%'"),
      ).toEqual(['[0]'])
      const over = await lines("SELECT concat(database, '.', name) FROM system.tables WHERE engine = 'Distributed' ORDER BY 1")
      expect(over.map((line) => JSON.parse(line)[0])).toEqual(tables.toSorted())
      for (const name of [...tables, 'logs.all', 'matches.all']) await server.run(`SELECT * FROM ${name}`)
      const [create] = await lines("SELECT create_table_query FROM system.tables WHERE database = 'logs_local'")
      expect(create).toContain('replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800')
    }
    const before = [await changes(), await differences()]
    expect(before[1]).toEqual([])
    await lake.close()
    const again = await open()
    await again.ensure(specOf('made'))
    expect([await changes(), await differences()]).toEqual(before)
  })

  test('columns that are added or change their type do so on every server, and rows are deleted on every replica', async () => {
    const lake = await open()
    const [text, whole] = [
      specOf('grown', { name: 'b', kind: 'string' }),
      specOf('grown', { name: 'b', kind: 'int' }, { name: 'c', kind: 'string' }),
    ]
    await lake.ensure(specOf('grown'))
    await lake.ensure(text)
    for (const shard of [1, 2]) await insertInto(lake, text, [row(`old ${shard}`, `${shard}`)], tokenFor(shard, 'old'))
    await lake.ensure(whole)
    for (const shard of [1, 2]) await insertInto(lake, whole, [row(`new ${shard}`, shard, 'c')], tokenFor(shard, 'new'))
    await synced('grown')
    const first = ['new 1,1,c', 'old 1,1,']
    expect(await parts('grown', 'p_row_id, b, c')).toEqual([first, first, ['new 2,2,c', 'old 2,2,']])
    expect(await differences()).toEqual([])
    const place = { database: 'logs', table: 'grown', held: [] }
    const late = ['late', '2026-03-03T10:00:00Z', '2026-03-03T10:00:00Z', 3, 'c']
    await insertInto(lake, whole, [late], tokenFor(1, 'late'))
    const beforeMs = Date.parse('2026-03-03T00:00:00Z')
    expect(await lake.retire({ ...place, id: '20260302', beforeMs })).toEqual({ rows: 4, kept: 1, isChanged: false })
    expect(await parts('grown')).toEqual([['late'], ['late'], []])
    expect(await lake.retire({ ...place, id: '20260302' })).toEqual({ rows: 1, kept: 0, isChanged: false })
    await synced('grown')
    expect(await parts('grown')).toEqual([[], [], []])
  })

  test('an answer has what was stored before, however late another replica is', async () => {
    // This one has no replica of the first shard itself, and the second replica gets no rows.
    const lake = await open({ url: cluster.servers[2].url })
    const table = specOf('late')
    await lake.ensure(table)
    await cluster.servers[1].run('SYSTEM STOP FETCHES logs_local.late')
    const all: string[] = []
    for (let n = 0; n < 8; n++) {
      await insertInto(lake, table, [row(`${n}`)], tokenFor(1, `${n}`))
      all.push(`${n}`)
      expect(await ids(lake, 'late')).toEqual(all)
    }
    expect((await parts('late')).map(({ length }) => length)).toEqual([8, 0, 0])
  })

  test('an insert is stored once, whichever replica it reaches, and replicas that are killed catch up', async () => {
    const lake = await open({ url: cluster.servers[2].url })
    const table = specOf('killed')
    await lake.ensure(table)
    await insertInto(lake, table, [row('before')], tokenFor(1, 'before'))
    await synced('killed')
    await cluster.servers[0].kill()
    await insertAlways(lake, table, 'before', tokenFor(1, 'before'))
    await insertAlways(lake, table, 'while', tokenFor(1, 'while'))
    expect(await ids(lake, 'killed')).toEqual(['before', 'while'])
    await expect(lake.ensure(specOf('killed', { name: 'n', kind: 'int' }))).rejects.toBeInstanceOf(RetryLater)
    await cluster.servers[0].start()
    let isOver = false
    const all = ['before', 'while']
    const writing = (async () => {
      for (let n = 0; !isOver; n++) {
        await insertAlways(lake, table, `row ${n}`, tokenFor(1, `row ${n}`))
        all.push(`row ${n}`)
      }
    })()
    for (let kill = 0; kill < KILLS; kill++) {
      const server = cluster.servers[kill % 2]!
      await server.kill()
      await server.start()
    }
    isOver = true
    await writing
    await insertAlways(lake, table, 'while', tokenFor(1, 'while'))
    for (const server of cluster.servers.slice(0, 2)) await server.run('SYSTEM SYNC REPLICA logs_local.killed')
    all.sort()
    expect(await parts('killed')).toEqual([all, all, []])
    expect(await ids(lake, 'killed')).toEqual(all)
  })

  test('rows and changes wait while Keeper is away, queries do not, and a lake that is opened waits for it', async () => {
    const lake = await open()
    const table = specOf('waiting')
    await lake.ensure(table)
    await insertInto(lake, table, [row('before')], tokenFor(1, 'before'))
    await cluster.keeper.kill()
    const insert = insertInto(lake, table, [row('2')], tokenFor(2, 'while'))
    await expect(insert).rejects.toBeInstanceOf(RetryLater)
    await expect(insert).rejects.toThrow(/readonly mode|KEEPER_EXCEPTION/)
    await expect(lake.ensure(specOf('new'))).rejects.toBeInstanceOf(RetryLater)
    await expect(lake.ensure(specOf('waiting', { name: 'n', kind: 'int' }))).rejects.toBeInstanceOf(RetryLater)
    expect(await ids(lake, 'waiting')).toEqual(['before'])
    await lake.close()
    const problems: (readonly SystemProblem[])[] = []
    const again = open({}, { onProblems: (all) => problems.push(all) })
    again.catch(() => {})
    const [down] = await until(() => problems.at(-1))
    expect(down).toMatchObject({ what: 'LakeDown', message: expect.stringContaining('does not reach ClickHouse Keeper') })
    await cluster.keeper.start()
    await again
    expect(problems.at(-1)).toEqual([])
    for (const shard of [1, 2]) await insertAlways(await again, table, `${shard}`, tokenFor(shard, 'while'))
    await insertAlways(await again, table, 'before', tokenFor(1, 'before'))
    expect(await ids(await again, 'waiting')).toEqual(['1', '2', 'before'])
  })

  test('a replica that has lost its disk is set up again, once Keeper has forgotten it', async () => {
    const lake = await open()
    const table = specOf('wiped')
    await lake.ensure(table)
    await insertInto(lake, table, [row('kept')], tokenFor(1, 'kept'))
    await lake.close()
    const [whole, lost] = cluster.servers
    await lost.kill()
    rmSync(lost.data, { recursive: true })
    await lost.start()
    await expect(opening()).rejects.toThrow(/Replica \S+ already exists.*SYSTEM DROP REPLICA/)
    await until(() =>
      whole.run("SYSTEM DROP REPLICA 'r2'").then(
        () => true,
        () => undefined,
      ),
    )
    await open()
    await synced('wiped')
    expect(await parts('wiped')).toEqual([['kept'], ['kept'], []])
  })
})
