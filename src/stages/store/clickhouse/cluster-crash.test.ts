import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { globSync } from 'tinyglobby'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ClickhouseCluster } from '../../../../test/support/clickhouse-cluster.ts'
import { type ClickhouseServer, whyNoServer } from '../../../../test/support/clickhouse-server.ts'
import { openTestLake } from '../../../../test/support/server-lake.ts'
import type { Column, TableSpec } from '../../../model/column.ts'
import { RetryLater } from '../../../util/errors.ts'
import { shardOf } from '../cluster.ts'
import { insertInto } from '../insert.fixture.ts'
import type { Lake } from '../lake.ts'

const text = (name: string): Column => ({ name, kind: 'string', required: true })
const time = (name: string): Column => ({ name, kind: 'timestamp', required: true })
const EVENTS: TableSpec = {
  database: 'logs',
  table: 't',
  timeColumn: 'p_event_time',
  columns: [text('p_row_id'), time('p_event_time'), time('p_parse_time')],
}
const NOON = '2026-03-02T12:00:00.5Z'

/** In three weeks, so in three partitions. */
const rowsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => [`row ${first + i}`, NOON, `2026-03-${['02', '09', '16'][i % 3]}T12:00:00.25Z`])

let cluster: ClickhouseCluster
let dataDir: string
let lake: Lake

/** The shard to which the rows of one insert go. */
const shardOfInsert = (token: string, rows: number) => shardOf({ shards: 2 }, EVENTS, `${token}#0-${rows}`)

/** The size of a server's token logs, in bytes. */
function tokenBytes(server: ClickhouseServer): number {
  const logs = globSync('store/*/*/deduplication_logs/*.txt', { cwd: server.data, absolute: true })
  return logs.reduce((sum, log) => sum + statSync(log).size, 0)
}

/** Kills a server as soon as its token logs have grown `times` times, unless `isOver`. */
async function killAsTokensGrow(server: ClickhouseServer, times: number, isOver: () => boolean): Promise<boolean> {
  let before = tokenBytes(server)
  for (let grown = 0; grown < times && !isOver(); ) {
    const now = tokenBytes(server)
    if (now > before) {
      grown++
      before = now
    } else await setImmediate()
  }
  if (isOver()) return false
  await server.kill()
  await server.start()
  return true
}

/** As the flusher does. */
async function insertAlways(rows: readonly unknown[][], token: string): Promise<void> {
  for (;;) {
    try {
      expect(await insertInto(lake, EVENTS, rows, token)).toEqual([])
      return
    } catch (error) {
      expect(error).toBeInstanceOf(RetryLater)
    }
  }
}

describe.skipIf(whyNoServer)(`a cluster of which a shard is killed${whyNoServer ? ` (${whyNoServer})` : ''}`, () => {
  beforeAll(async () => {
    cluster = await ClickhouseCluster.start()
  }, 60_000)
  afterAll(() => cluster?.stop())
  beforeEach(async () => {
    await cluster.reset()
    dataDir = mkdtempSync(join(tmpdir(), 'caracal-cluster-crash-'))
    lake = await openTestLake(cluster, dataDir)
  }, 60_000)
  afterEach(async () => {
    await lake.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const shards = [
    { what: 'the shard that queries go to', index: 0 },
    { what: 'another shard', index: 1 },
  ] as const
  test.each(shards)('$what, while it logs tokens, has every row once', { timeout: 300_000 }, async ({ index }) => {
    const server = cluster.servers[index]
    await lake.ensure(EVENTS)
    let [kills, insert] = [0, 0]
    for (; kills < 10; insert++) {
      let isOver = false
      const kill = killAsTokensGrow(server, (insert % 3) + 1, () => isOver)
      await insertAlways(rowsFrom(insert * 300, 300), `flush ${insert}`)
      isOver = true
      if (await kill) kills++
    }
    const counted = await lake.query(
      'SELECT count(), uniqExact(p_row_id), uniqExact(_shard_num), uniqExact(_partition_id) FROM logs.t',
    )
    expect(counted.rows).toEqual([`[${insert * 300}, ${insert * 300}, 2, 3]`])
  })

  test('between logging a token and storing its rows stores them when they are repeated', async () => {
    await lake.ensure(EVENTS)
    const tokens = Array.from({ length: 20 }, (_, i) => `token ${i}`)
    const [earlier, lost] = tokens.filter((token) => shardOfInsert(token, 1) === 2)
    const server = cluster.servers[1]
    await insertAlways([['a', NOON, NOON]], earlier!)
    await insertAlways([['b', NOON, NOON]], lost!)
    await server.kill()
    // What such a kill leaves: the token is in the log, but the part is not in place.
    const parts = globSync('store/*/*/20260302_2_2_0', { cwd: server.data, onlyDirectories: true, absolute: true })
    expect(parts).toHaveLength(1)
    rmSync(parts[0]!, { recursive: true })
    await server.start()
    const count = async () => (await lake.query('SELECT count() FROM logs.t')).rows
    expect(await count()).toEqual(['[1]'])
    for (let again = 0; again < 3; again++) await insertAlways([['b', NOON, NOON]], lost!)
    await insertAlways([['a', NOON, NOON]], earlier!)
    expect(await count()).toEqual(['[2]'])
  })
})
