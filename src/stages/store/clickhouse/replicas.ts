import { StorageError } from '../../../util/errors.ts'
import { type Cluster, type ClusterNode, createEverywhere, dropEverywhere, partOf } from '../cluster.ts'
import { quoteText, tableName } from '../ddl.ts'
import { rowsOf, type Statements } from '../engine.ts'
import { codeOf } from '../engine-error.ts'
import { PROBE } from './checks.ts'
import { ServerError } from './client.ts'

/** Errors of a server that waits for Keeper: its tables are read-only, or the session has ended. */
const KEEPER_AWAY = new Set([242, 999])

/** Errors of a configuration that does not fit replicated tables, and what to do about them. */
const ADVICE = new Map([
  [
    139,
    'define the macros of lake.cluster.replica_path and replica_name in the configuration of every server (<macros>), or correct these keys',
  ],
  [225, 'give the server ClickHouse Keeper (<zookeeper> in its configuration), or set lake.cluster.replicated to false'],
  [
    253,
    'either two servers have the same macros for lake.cluster.replica_path and replica_name (<macros>), which have to differ, or this server has lost its disk: then remove what Keeper knows of it with SYSTEM DROP REPLICA, as docs/lake.md says',
  ],
  [242, 'tables are read-only until the server has reached ClickHouse Keeper (<zookeeper> in its configuration)'],
  [999, 'the server does not reach ClickHouse Keeper (<zookeeper> in its configuration)'],
])

/** True for an error that passes once Keeper answers. */
export function isKeeperAway(error: Error): boolean {
  return KEEPER_AWAY.has(codeOf(error))
}

/** What to do about an error of a server that concerns replicated tables; `undefined` for any other. */
export function adviceOn(error: Error): string | undefined {
  return ADVICE.get(codeOf(error))
}

/** What a server says of a replicated table. */
interface Share {
  readonly url: string
  readonly shard: number
  /** Of the table, in Keeper. */
  readonly path: string
  /** Number of replicas that Keeper knows there. */
  readonly replicas: number
}

/**
 * Creates a replicated table for a moment. Throws the server's error if that cannot be, and `StorageError` unless the replicas of each shard,
 * and no others, share it: rows would be missing on some, or be there twice.
 */
export async function checkReplicas(session: Statements, { nodes }: Cluster): Promise<void> {
  await dropEverywhere(session, PROBE)
  let isAway = false
  try {
    await createEverywhere(session, PROBE, `CREATE TABLE ${tableName(PROBE)} (n UInt64) ENGINE = MergeTree ORDER BY n`)
    const shares: Share[] = []
    for (const node of nodes) shares.push(await shareOf(node))
    for (const share of shares) checkShare(share, shares)
  } catch (error) {
    isAway = error instanceof ServerError && isKeeperAway(error)
    throw error
  } finally {
    // A server that drops a table waits for Keeper.
    if (!isAway) await dropEverywhere(session, PROBE)
  }
}

async function shareOf(node: ClusterNode): Promise<Share> {
  const { database, table } = partOf(PROBE)
  const where = `database = ${quoteText(database)} AND table = ${quoteText(table)}`
  const text = await node.run(`SELECT zookeeper_path, total_replicas FROM system.replicas WHERE ${where}`)
  const [path, replicas] = rowsOf<[string, number]>(text)[0]!
  return { url: node.url, shard: node.shard, path, replicas }
}

function checkShare({ url, shard, path, replicas }: Share, all: readonly Share[]): void {
  const stranger = all.find((other) => other.path === path && other.shard !== shard)
  if (stranger)
    throw new StorageError(
      `the servers at ${url} and ${stranger.url} are of two shards, and have the same path in Keeper, ${path}: the macros in lake.cluster.replica_path (<macros> of the servers) have to differ from shard to shard`,
    )
  const shared = all.filter((other) => other.shard === shard)
  const apart = shared.find((other) => other.path !== path)
  if (apart)
    throw new StorageError(
      `the servers at ${url} and ${apart.url} are replicas of shard ${shard}, and have different paths in Keeper, ${path} and ${apart.path}: the macros in lake.cluster.replica_path (<macros> of the servers) have to be the same on all replicas of a shard`,
    )
  if (replicas < shared.length)
    throw new StorageError(
      `the server at ${url} finds ${replicas} of the ${shared.length} replicas of shard ${shard} in Keeper: all servers have to use the same one (<zookeeper> in their configuration)`,
    )
}
