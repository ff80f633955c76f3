import { expect, test } from 'vitest'
import type { TableSpec } from '../../model/column.ts'
import { catalogue, createEverywhere, placed, placesOf, type Replication, shardOf } from './cluster.ts'
import { createTable, type Keeping } from './ddl.ts'
import type { Statements } from './engine.ts'
import { createIndicators, INDEX } from './indicators.ts'
import { LOOKUP_ROWS } from './lookup-names.ts'
import { CREATE_LOOKUP_ROWS } from './lookups.ts'

const TABLE: TableSpec = {
  database: 'logs',
  table: 'nginx_access',
  timeColumn: 'p_event_time',
  columns: [
    { name: ') ENGINE = MergeTree ORDER BY x', kind: 'string' },
    { name: 'p_event_time', kind: 'timestamp', required: true },
    { name: 'p_parse_time', kind: 'timestamp', required: true },
  ],
}
const REPLICATION: Replication = { path: '/clickhouse/tables/{shard}/{database}/{table}', replica: '{replica}' }

/** A cluster of two shards with two replicas each, which notes what it is to run. */
function clusterOf(replication: Replication | undefined, ran: string[] = []): Statements {
  const nodes = [1, 2, 1, 2].map((shard, at) => ({
    url: `http://${at}`,
    shard,
    follows: at > 1,
    run: async (sql: string) => {
      ran.push(`${at}: ${sql}`)
      return ''
    },
  }))
  return { run: nodes[0]!.run, cluster: { name: 'caracal', shards: 2, nodes, replication } }
}

async function created(table: TableSpec, statement: string, replication?: Replication): Promise<string[]> {
  const ran: string[] = []
  await createEverywhere(clusterOf(replication, ran), table, statement)
  return ran
}

const ONE: Keeping = { fsync: false }

test('a table is created as its part on every server, then as the table over all parts', async () => {
  const ran = await created(TABLE, createTable(TABLE, ONE))
  expect(ran.map((one) => one.slice(0, 60).replace(/ \(.*/s, ''))).toEqual([
    ...[0, 1, 2, 3].map((at) => `${at}: CREATE TABLE IF NOT EXISTS \`logs_local\`.\`nginx_access\``),
    ...[0, 1, 2, 3].map((at) => `${at}: CREATE TABLE IF NOT EXISTS \`logs\`.\`nginx_access\``),
  ])
  const columns =
    "(`) ENGINE = MergeTree ORDER BY x` Nullable(String), `p_event_time` DateTime64(9, 'UTC'), `p_parse_time` DateTime64(9, 'UTC'))"
  expect(ran[0]).toBe(`0: ${createTable(TABLE, ONE).replace('`logs`.', '`logs_local`.')}`)
  expect(ran[4]).toBe(
    `4: CREATE TABLE IF NOT EXISTS \`logs\`.\`nginx_access\` ${columns} ENGINE = Distributed('caracal', 'logs_local', 'nginx_access')`.replace(
      '4: ',
      '0: ',
    ),
  )
})

test('parts of replicated tables have a path of their own in Keeper, and remember tokens in common', async () => {
  const [events] = await created(TABLE, createTable(TABLE, { fsync: true, isReplicated: true }), REPLICATION)
  expect(events).toContain(
    ") ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/logs_local/nginx_access', '{replica}')\nPARTITION BY toYYYYMMDD(toMonday(`p_parse_time`)) ORDER BY `p_event_time`\n",
  )
  expect(events).toContain('SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800,')
  expect(events).not.toContain('non_replicated')
  const [index] = await created(INDEX, createIndicators({ fsync: true, isReplicated: true }), REPLICATION)
  expect(index).toContain(
    ") ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/monitor_local/indicators', '{replica}')\n",
  )
  const [lookups] = await created(LOOKUP_ROWS, CREATE_LOOKUP_ROWS, REPLICATION)
  expect(lookups).toContain(
    ") ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/monitor_local/lookup_rows', '{replica}', p_is_over) ORDER",
  )
})

test('replicas that follow another one of their shard are not changed themselves', () => {
  const changed = placesOf(clusterOf(REPLICATION), TABLE).filter(({ follows }) => !follows)
  expect(changed.map(({ table }) => table.database)).toEqual(['logs_local', 'logs_local', 'logs', 'logs', 'logs', 'logs'])
})

test('a token always means one shard, tokens are spread over all, and rows that belong together stay so', () => {
  const tokens = Array.from({ length: 3000 }, (_, i) => `flush ${i}`)
  const cluster = { shards: 3 }
  const counts = [1, 2, 3].map((shard) => tokens.filter((token) => shardOf(cluster, TABLE, token) === shard).length)
  for (const count of counts) expect(count).toBeGreaterThan(850)
  expect(new Set(tokens.map((token) => shardOf(cluster, LOOKUP_ROWS, token)))).toEqual(new Set([1]))
  expect(placed(clusterOf(undefined), LOOKUP_ROWS, 'x')).toEqual({ insert_shard_id: 1 })
})

test('without a cluster, everything is as it was', async () => {
  const ran: string[] = []
  const alone: Statements = { run: async (sql: string) => String(ran.push(sql)) }
  const statement = createTable(TABLE, ONE)
  await createEverywhere(alone, TABLE, statement)
  expect(ran).toEqual([statement])
  expect([placed(alone, TABLE, 'x'), catalogue(alone, 'parts')]).toEqual([{}, 'system.parts'])
})
