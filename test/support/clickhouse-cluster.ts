import { freePort } from '../../scripts/lib/free-port.mjs'
import { ClickhouseServer, LIMITS } from './clickhouse-server.ts'

/** A real cluster of two shards, without Keeper. */
export class ClickhouseCluster {
  readonly servers: readonly [ClickhouseServer, ClickhouseServer]

  private constructor(servers: readonly [ClickhouseServer, ClickhouseServer]) {
    this.servers = servers
  }

  static async start(limits = LIMITS): Promise<ClickhouseCluster> {
    const ports = [await freePort(), await freePort()]
    const shards = ports.map((port) => `<shard><replica><host>127.0.0.1</host><port>${port}</port></replica></shard>`)
    const xml = () => `<remote_servers><caracal><secret>of tests</secret>${shards.join('')}</caracal></remote_servers>`
    const [first, second] = ports.map((tcpPort) => ClickhouseServer.start(limits, { tcpPort, xml }))
    return new ClickhouseCluster([await first!, await second!])
  }

  /** The lake block of the configuration. */
  get lake() {
    const [entry] = this.servers
    return { ...entry.lake, cluster: { name: 'caracal', nodes: this.servers.map(({ url }) => url) } }
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
  }
}
