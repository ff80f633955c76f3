import { StorageError } from '../../../util/errors.ts'
import type { Cluster, ClusterNode } from '../cluster.ts'
import { ON_CLUSTER_WRITER } from '../cluster.ts'
import { quoteText } from '../ddl.ts'
import { rowsOf } from '../engine.ts'
import { type Credentials, ServerClient, ServerError } from './client.ts'
import { bare, type ClusterConfig } from './cluster-config.ts'
import { WriterSession } from './session.ts'

interface Addresses {
  readonly url: string
  readonly cluster?: ClusterConfig | undefined
}

/** Called at the end of each request to a server: see `OnAnswer`. */
type OnAnswer = (url: string, why: string | undefined) => void

/** The connections to the servers of a lake. */
export class Servers {
  /** The server that answers queries. */
  readonly entry: ServerClient
  readonly all: readonly ServerClient[]

  constructor({ url, cluster }: Addresses, trusted: { readonly ca?: string[] }, onAnswer: OnAnswer = () => {}) {
    const urls = cluster ? cluster.nodes.map(bare) : [bare(url)]
    this.all = urls.map((one) => new ServerClient({ url: one, trusted }, (why) => onAnswer(one, why)))
    this.entry = this.all[urls.indexOf(bare(url))]!
  }

  /** Asks each whether it is there; who sends requests reports the outcome. */
  async ping(as: Credentials): Promise<void> {
    await Promise.allSettled(this.all.map((client) => client.text(as, { sql: 'SELECT 1' })))
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((client) => client.close()))
  }
}

/** A server of a cluster, whose errors say that they are its. */
class NodeSession implements ClusterNode {
  readonly url: string
  readonly shard: number
  readonly follows: boolean
  readonly #session: WriterSession

  constructor(client: ServerClient, as: Credentials, { shard, follows }: { readonly shard: number; readonly follows: boolean }) {
    this.url = client.url
    this.shard = shard
    this.follows = follows
    this.#session = new WriterSession(client, as, { more: ON_CLUSTER_WRITER })
  }

  async run(sql: string, format?: string): Promise<string> {
    try {
      return await this.#session.run(sql, format)
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      throw new ServerError(`${error.message.slice(0, 2000)} (on ${this.url})`, { cause: error })
    }
  }
}

/** Where a server is in its cluster. */
interface Seat {
  readonly shard: number
  readonly replica: number
}

type ClusterRow = [shard: number, replica: number, isLocal: number, internal: number]

/**
 * The cluster as its servers know it. Throws `StorageError` if the configuration does not name all of its servers, or the servers do not agree,
 * and `RetryLater` if one of them is away.
 */
export async function openCluster(servers: Servers, config: ClusterConfig, as: Credentials): Promise<Cluster> {
  const seats: { readonly client: ServerClient; readonly seat: Seat; readonly rows: readonly ClusterRow[] }[] = []
  for (const client of servers.all) {
    const rows = await rowsAbout(client, config.name, as)
    const own = rows.filter(([, , isLocal]) => isLocal === 1)
    if (own.length !== 1)
      throw new StorageError(
        `the server at ${client.url} finds itself ${own.length} times in the cluster '${config.name}', and not once: name its servers there (remote_servers) by the addresses and ports that they have themselves`,
      )
    const [shard, replica] = own[0]!
    seats.push({ client, seat: { shard, replica }, rows })
  }
  checkSeats(seats, config)
  const sorted = seats.toSorted((a, b) => a.seat.shard - b.seat.shard || a.seat.replica - b.seat.replica)
  // The one that answers queries comes last: what it shows is everywhere.
  const ordered = [
    ...sorted.filter(({ client }) => client !== servers.entry),
    ...sorted.filter(({ client }) => client === servers.entry),
  ]
  const nodes = ordered.map(({ client, seat: { shard } }, at) => {
    const follows = ordered.findIndex(({ seat }) => seat.shard === shard) < at
    return new NodeSession(client, as, { shard, follows })
  })
  const replication = config.replicated ? { path: config.replica_path, replica: config.replica_name } : undefined
  return { name: config.name, shards: Math.max(...seats.map(({ seat }) => seat.shard)), nodes, replication }
}

async function rowsAbout(client: ServerClient, name: string, as: Credentials): Promise<ClusterRow[]> {
  const session = new WriterSession(client, as)
  const rows = rowsOf<ClusterRow>(
    await session.run(
      `SELECT shard_num, replica_num, is_local, internal_replication FROM system.clusters WHERE cluster = ${quoteText(name)} ORDER BY 1, 2`,
    ),
  )
  if (rows.length > 0) return rows
  const others = rowsOf<[string]>(await session.run('SELECT DISTINCT cluster FROM system.clusters ORDER BY 1 LIMIT 20'))
  throw new StorageError(
    `the server at ${client.url} has no cluster '${name}' (remote_servers); it has ${others.flat().join(', ') || 'none'}: correct lake.cluster.name in caracal.yml or the configuration of the server`,
  )
}

function checkSeats(
  seats: readonly { readonly client: ServerClient; readonly seat: Seat; readonly rows: readonly ClusterRow[] }[],
  { name, replicated }: ClusterConfig,
): void {
  const shape = (rows: readonly ClusterRow[]) => JSON.stringify(rows.map(([shard, replica]) => [shard, replica]))
  const [first, ...others] = seats
  const other = others.find(({ rows }) => shape(rows) !== shape(first!.rows))
  if (other)
    throw new StorageError(
      `the servers at ${first!.client.url} and ${other.client.url} have different shards and replicas in the cluster '${name}': its configuration (remote_servers) has to be the same on all`,
    )
  for (const [shard, replica, , internal] of first!.rows) {
    const here = seats.filter(({ seat }) => seat.shard === shard && seat.replica === replica)
    const what = `replica ${replica} of shard ${shard} of the cluster '${name}'`
    if (here.length === 0)
      throw new StorageError(`lake.cluster.nodes has no server that is ${what}: list the URL of every server of the cluster`)
    if (here.length > 1)
      throw new StorageError(`the servers at ${here.map(({ client }) => client.url).join(' and ')} are both ${what}`)
    if (!replicated && replica > 1)
      throw new StorageError(
        `there is a ${what}, but lake.cluster.replicated is false: tables that are not replicated would have each row twice. Set it to true, or make it a shard`,
      )
    if (replicated && internal !== 1)
      throw new StorageError(
        `shard ${shard} of the cluster '${name}' lacks <internal_replication>true</internal_replication>, without which rows of replicated tables are written to every replica`,
      )
  }
}
