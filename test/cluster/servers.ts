import { Broker, kafkaPeer } from '../peers/support/kafka.ts'
import { ClickhouseCluster } from '../support/clickhouse-cluster.ts'
import { whyNoServer } from '../support/clickhouse-server.ts'
import { hasPostgres, PostgresServer } from '../support/postgres.ts'
import type { Victim } from './victim.ts'

/** Why the test cannot run here. */
export const whyNoServers = kafkaPeer.why ?? whyNoServer ?? (hasPostgres ? undefined : 'PostgreSQL is not installed')

/** State, lake and spool: PostgreSQL, a ClickHouse cluster of two shards, and a Kafka broker. */
export class Servers {
  readonly broker: Broker
  readonly postgres: PostgresServer
  readonly clickhouse: ClickhouseCluster
  readonly #database: string

  private constructor(broker: Broker, postgres: PostgresServer, clickhouse: ClickhouseCluster, database: string) {
    this.broker = broker
    this.postgres = postgres
    this.clickhouse = clickhouse
    this.#database = database
  }

  static async start(): Promise<Servers> {
    const postgres = await PostgresServer.start()
    const clickhouse = await ClickhouseCluster.start()
    const broker = await Broker.start()
    return new Servers(broker, postgres, clickhouse, (await postgres.database()).database)
  }

  /** The blocks of the configuration. */
  get config() {
    return {
      state: { type: 'postgres', url: `postgres://caracal@127.0.0.1:${this.postgres.port}/${this.#database}` },
      lake: this.clickhouse.lake,
      spool: { type: 'kafka', brokers: [`127.0.0.1:${this.broker.ports.plain}`] },
    }
  }

  /** Asks the state. */
  ask(sql: string): Promise<Record<string, unknown>[]> {
    return this.postgres.ask(this.#database, sql)
  }

  get victims(): { readonly broker: Victim; readonly postgres: Victim; readonly shards: readonly Victim[] } {
    const { broker, postgres, clickhouse } = this
    return {
      broker: {
        name: 'the broker',
        kill: () => broker.kill(),
        again: () => broker.again(),
        signal: (signal) => broker.signal(signal),
      },
      postgres: {
        name: 'PostgreSQL',
        kill: () => postgres.kill(),
        again: async () => postgres.launch(),
        signal: (signal) => void postgres.signal(signal),
      },
      shards: clickhouse.servers.map((server, i) => ({
        name: `shard ${i + 1}`,
        kill: () => server.kill(),
        again: () => server.start(),
        signal: (signal) => server.signal(signal),
      })),
    }
  }

  async stop(): Promise<void> {
    await this.broker.stop()
    await this.clickhouse.stop()
    await this.postgres.stop()
  }
}
