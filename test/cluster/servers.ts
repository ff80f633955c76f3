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
  #database = ''
  #topics = 0

  private constructor(broker: Broker, postgres: PostgresServer, clickhouse: ClickhouseCluster) {
    this.broker = broker
    this.postgres = postgres
    this.clickhouse = clickhouse
  }

  static async start(): Promise<Servers> {
    const running: { stop(): Promise<unknown> }[] = []
    const started = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>) => {
      running.push(await starting)
      return starting
    }
    try {
      const postgres = await started(PostgresServer.start())
      const clickhouse = await started(ClickhouseCluster.start())
      for (const server of clickhouse.servers) server.keep()
      const servers = new Servers(await started(Broker.start()), postgres, clickhouse)
      await servers.empty()
      return servers
    } catch (error) {
      for (const server of running) await server.stop()
      throw error
    }
  }

  /** From now on `config` names a state, a lake and topics in which there is nothing. */
  async empty(): Promise<void> {
    this.#database = (await this.postgres.database()).database
    this.#topics++
    await this.clickhouse.reset()
  }

  /** The blocks of the configuration. */
  get config() {
    return {
      state: { type: 'postgres', url: `postgres://caracal@127.0.0.1:${this.postgres.port}/${this.#database}` },
      lake: this.clickhouse.lake,
      spool: { type: 'kafka', brokers: [`127.0.0.1:${this.broker.ports.plain}`], topic_prefix: `run${this.#topics}` },
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
