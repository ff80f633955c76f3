import { expect, test } from 'vitest'
import { StorageError } from '../../../util/errors.ts'
import type { Cluster } from '../cluster.ts'
import { ServerError } from './client.ts'
import { adviceOn, checkReplicas, isKeeperAway } from './replicas.ts'

/** A shard with two replicas and one with a single replica, which say these paths and numbers of replicas, and note what they run. */
function clusterOf(shares: readonly (readonly [path: string, replicas: number])[], ran: string[] = []): Cluster {
  const nodes = shares.map((share, at) => ({
    url: `http://${at}`,
    shard: at < 2 ? 1 : 2,
    follows: at === 1,
    run: async (sql: string) => {
      ran.push(sql)
      return sql.startsWith('SELECT') ? JSON.stringify(share) : ''
    },
  }))
  return { name: 'caracal', shards: 2, nodes, replication: { path: '/{shard}/{database}/{table}', replica: '{replica}' } }
}

const check = (cluster: Cluster) => checkReplicas({ run: cluster.nodes[0]!.run, cluster }, cluster)

test('replicas that share a table by shard are as they should be', async () => {
  const ran: string[] = []
  await check(
    clusterOf(
      [
        ['/1', 2],
        ['/1', 2],
        ['/2', 1],
      ],
      ran,
    ),
  )
  expect(ran.at(-1)).toContain('DROP TABLE')
})

test.each<[string, [string, number][], RegExp]>([
  [
    'two shards share a table',
    [
      ['/a', 3],
      ['/a', 3],
      ['/a', 3],
    ],
    /^the servers at http:\/\/0 and http:\/\/2 are of two shards.*path in Keeper, \/a: /,
  ],
  [
    'replicas do not',
    [
      ['/1', 1],
      ['/2', 1],
      ['/3', 1],
    ],
    /^the servers at http:\/\/0 and http:\/\/1 are replicas of shard 1.* \/1 and \/2: /,
  ],
  [
    'they do in two Keepers',
    [
      ['/1', 1],
      ['/1', 1],
      ['/2', 1],
    ],
    /^the server at http:\/\/0 finds 1 of the 2 replicas of shard 1 in Keeper/,
  ],
])('a cluster is refused if %s, and nothing stays behind', async (_, shares, message) => {
  const ran: string[] = []
  const refused = check(clusterOf(shares, ran))
  await expect(refused).rejects.toBeInstanceOf(StorageError)
  await expect(refused).rejects.toThrow(message)
  expect(ran.at(-1)).toContain('DROP TABLE')
})

test.each([
  { error: 'Code: 242. DB::Exception: Table is in readonly mode: replica_path=/a', isAway: true, advice: 'read-only until' },
  { error: 'Code: 999. Coordination::Exception: Session expired', isAway: true, advice: 'does not reach ClickHouse Keeper' },
  { error: "Code: 139. DB::Exception: No macro 'shard' in config", isAway: false, advice: '<macros>' },
  { error: 'Code: 253. DB::Exception: Replica /a/replicas/r1 already exists.', isAway: false, advice: 'SYSTEM DROP REPLICA' },
  { error: 'Code: 497. DB::Exception: Not enough privileges', isAway: false, advice: undefined },
])('an error of a server says whether Keeper is waited for, and what to do: $error', ({ error, isAway, advice }) => {
  const failure = new ServerError(error)
  expect(isKeeperAway(failure)).toBe(isAway)
  if (advice === undefined) expect(adviceOn(failure)).toBe(undefined)
  else expect(adviceOn(failure)).toContain(advice)
})
