import type { TableSpec } from '../../../model/column.ts'
import { Refused } from '../../../util/errors.ts'
import { ON_CLUSTER, ON_CLUSTER_WRITER, placesOf } from '../cluster.ts'
import { createTable, DATABASES, quoteText } from '../ddl.ts'
import type { QueryLimits } from '../engine.ts'
import { rowsOf, type Statements } from '../engine.ts'
import type { LakeDeps } from '../lake.ts'
import { queryLimits } from '../limits.ts'
import { accessSteps, giveAccess, type Step } from './access.ts'
import { checkReader, checkVersion } from './checks.ts'
import { type ClickhouseConfig, keepingOf } from './clickhouse.ts'
import { type Credentials, type ServerClient, ServerError } from './client.ts'
import { differences } from './compare.ts'
import { release } from './owner.ts'
import { openCluster, Servers } from './servers.ts'
import { ReaderSession, WriterSession } from './session.ts'

type Deps = Pick<LakeDeps, 'secret' | 'trusted' | 'maxQueryMs'>

/** Not allowed to make users, or no place on the server to keep them. */
const WITHOUT_ACCESS = /^Code: (?:497|514)\./

/** What was found on the servers of a lake. */
export interface Examined {
  readonly version: string
  readonly tables: number
  /** Number of servers. */
  readonly servers: number
  /** What differs between them, as sentences. */
  readonly differences: readonly string[]
}

/** What can be done to the server of a lake while no Caracal needs to run. */
export class ServerAdministration {
  readonly #settings: ClickhouseConfig
  readonly #servers: Servers
  readonly #writer: Credentials
  readonly #reader: Credentials
  readonly #limits: QueryLimits

  constructor(settings: ClickhouseConfig, { secret, trusted, maxQueryMs }: Deps) {
    this.#settings = settings
    this.#servers = new Servers(settings, trusted)
    this.#writer = { user: settings.user, password: secret(settings.password) }
    this.#reader = { user: settings.reader.user, password: secret(settings.reader.password) }
    this.#limits = queryLimits(settings, maxQueryMs)
  }

  /** What `init` does on each server. */
  steps(): Step[] {
    return accessSteps(this.#reader, this.#limits, this.#settings.cluster !== undefined)
  }

  /** The statements with which Caracal creates a table on each server of a cluster, for a log type as an example; empty without a cluster. */
  exampleTables(): string[] {
    const { cluster } = this.#settings
    if (!cluster) return []
    const node = { url: this.#settings.url, shard: 1, follows: false, run: () => Promise.reject(new Error('not a server')) }
    const replication = cluster.replicated ? { path: cluster.replica_path, replica: cluster.replica_name } : undefined
    const session = { run: node.run, cluster: { name: cluster.name, shards: 1, nodes: [node], replication } }
    const create = createTable(EXAMPLE, keepingOf(this.#settings))
    return placesOf(session, EXAMPLE).map((place) => place.create(create))
  }

  /**
   * Makes databases and reader, on each server; may be repeated. `onDone` is called after each step, with the server's URL. Throws `Refused` if
   * the user may not, `RetryLater` if a server does not answer.
   */
  async init(onDone: (step: Step, url: string) => void): Promise<void> {
    for (const client of this.#servers.all) await checkVersion(this.#on(client), client.url)
    for (const client of this.#servers.all) await this.#initOn(client, onDone)
  }

  async #initOn(client: ServerClient, onDone: (step: Step, url: string) => void): Promise<void> {
    try {
      await giveAccess(this.#on(client), this.steps(), (step) => onDone(step, client.url))
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      const text = error.message.slice(0, 300)
      if (!WITHOUT_ACCESS.test(error.message)) throw new Refused(`the server ${client.url} refuses: ${text}`, { cause: error })
      throw new Refused(
        `the user '${this.#writer.user}' cannot make users on the server ${client.url} (${text}). Have an administrator run what \`caracal lake init --print\` prints${this.#settings.cluster ? ', on every server of the cluster' : ''}`,
        { cause: error },
      )
    }
  }

  /** Lets the next data folder that opens the lake have it. */
  async release(): Promise<void> {
    await release(await this.#session())
  }

  /** Looks at servers on which a lake can be opened. Throws what opening the lake would. */
  async examine(): Promise<Examined> {
    const session = await this.#session()
    let version = ''
    for (const client of this.#servers.all) version = await checkVersion(this.#on(client), client.url)
    const { cluster } = session
    const settings = cluster ? ON_CLUSTER : {}
    for (const client of this.#servers.all)
      await checkReader(new ReaderSession(client, this.#reader, 'default'), this.#reader.user, this.#limits, settings)
    const text = await session.run(
      `SELECT count() FROM system.tables WHERE (endsWith(engine, 'MergeTree') OR engine = 'Distributed') AND database IN (${DATABASES.map(quoteText).join(', ')})`,
    )
    const tables = Number(rowsOf<[number]>(text)[0]![0])
    return { version, tables, servers: this.#servers.all.length, differences: cluster ? await differences(cluster) : [] }
  }

  close(): Promise<void> {
    return this.#servers.close()
  }

  async #session(): Promise<Statements> {
    const { cluster: config } = this.#settings
    if (!config) return this.#on(this.#servers.entry)
    const cluster = await openCluster(this.#servers, config, this.#writer)
    return new WriterSession(this.#servers.entry, this.#writer, { cluster, more: ON_CLUSTER_WRITER })
  }

  #on(client: ServerClient): Statements {
    return new WriterSession(client, this.#writer)
  }
}

/** A table like those of log types. */
const EXAMPLE: TableSpec = {
  database: 'logs',
  table: 'example',
  timeColumn: 'p_event_time',
  columns: [
    { name: 'p_event_time', kind: 'timestamp', required: true },
    { name: 'p_parse_time', kind: 'timestamp', required: true },
    { name: 'p_row_id', kind: 'string', required: true },
  ],
}
