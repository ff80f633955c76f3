import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../support/caracal.ts'
import { ClickhouseServer, LIMITS, whyNoServer } from '../../support/clickhouse-server.ts'
import { ZooKeeper, zookeeperPeer } from './zookeeper.ts'

/** Why there can be no replicas on this machine. */
export const whyNoReplicas =
  whyNoServer ?? zookeeperPeer.why ?? (process.arch === 'x64' ? undefined : 'replicas of tests run on x86-64 only')

/** The replicas of each shard. */
export const SEATS = [
  { shard: 1, replica: 'r1' },
  { shard: 1, replica: 'r2' },
  { shard: 2, replica: 'r1' },
] as const

/** A real cluster with ZooKeeper: a shard with two replicas, and one with a single replica. */
export class ReplicatedCluster {
  readonly keeper: ZooKeeper
  /** Two of the first shard, one of the second. */
  readonly servers: readonly [ClickhouseServer, ClickhouseServer, ClickhouseServer]
  readonly #folder: string

  private constructor(keeper: ZooKeeper, servers: ReplicatedCluster['servers'], folder: string) {
    this.keeper = keeper
    this.servers = servers
    this.#folder = folder
  }

  static async start(): Promise<ReplicatedCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'caracal-peer-replicas-'))
    const preload = join(folder, 'replica.so')
    execFileSync('gcc', ['-O2', '-shared', '-fPIC', '-o', preload, join(import.meta.dirname, 'replica.c')])
    const keeper = await ZooKeeper.start()
    const ports: number[] = []
    for (const _ of SEATS) ports.push(await freePort())
    const shards = [1, 2].map((shard) => {
      const replicas = ports.filter((_, at) => SEATS[at]!.shard === shard)
      const inside = replicas.map((port) => `<replica><host>127.0.0.1</host><port>${port}</port></replica>`)
      return `<shard><internal_replication>true</internal_replication>${inside.join('')}</shard>`
    })
    const common = `<remote_servers><caracal><secret>of tests</secret>${shards.join('')}</caracal></remote_servers>`
    const xml = ({ shard, replica }: (typeof SEATS)[number]) =>
      // The second address is that for other replicas: see replica.c. Servers of one id, which these have, end each other's sessions.
      `<listen_host>127.0.0.2</listen_host>${common}<macros><shard>${shard}</shard><replica>${replica}</replica></macros>
<zookeeper><node><host>127.0.0.1</host><port>${keeper.port}</port></node>
<session_timeout_ms>2000</session_timeout_ms><sessions_path>/sessions/${shard}-${replica}</sessions_path></zookeeper>`
    const [a, b, c] = SEATS.map((seat, at) =>
      ClickhouseServer.start(LIMITS, { tcpPort: ports[at]!, xml: () => xml(seat), preload }),
    )
    return new ReplicatedCluster(keeper, [await a!, await b!, await c!], folder)
  }

  /** The lake block of the configuration. */
  get lake() {
    const [entry] = this.servers
    return { ...entry.lake, cluster: { name: 'caracal', nodes: this.servers.map(({ url }) => url), replicated: true } }
  }

  /** Runs a statement on every server; the answers one after another. */
  async run(sql: string): Promise<string[]> {
    return Promise.all(this.servers.map((server) => server.run(sql)))
  }

  /** Removes everything that lakes have. */
  async reset(): Promise<void> {
    for (const server of this.servers) await server.reset()
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await server.stop()
    await this.keeper.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
