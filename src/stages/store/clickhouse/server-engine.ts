import { randomBytes } from 'node:crypto'
import type { Clock } from '../../../util/clock.ts'
import { type Cluster, createPartDatabases, define, ON_CLUSTER, ON_CLUSTER_WRITER, PART_DATABASES } from '../cluster.ts'
import { type Engine, type QueryLimits, readSurface } from '../engine.ts'
import { checkKind, checkReader, checkShards, checkTokens, checkVersion } from './checks.ts'
import type { Credentials, ServerClient } from './client.ts'
import { differences, fillIn } from './compare.ts'
import { ServerInserts } from './inserts.ts'
import { claim } from './owner.ts'
import { checkReplicas } from './replicas.ts'
import { scrubServer, withHidden } from './scrub.ts'
import { ReaderSession, WriterSession } from './session.ts'

interface ServerUsers {
  readonly writer: Credentials
  readonly reader: Credentials
}

interface ServerEngineDeps {
  readonly dataDir: string
  readonly limits: QueryLimits
  readonly clock: Clock
  /** The servers over which the lake is spread; `undefined`: it is on this one. */
  readonly cluster: Cluster | undefined
  /** Called with what differs between them, once they have been compared. */
  readonly onDifferences: (differences: readonly string[]) => void
}

/** The engine on a server. Throws the server's error, `RetryLater`, or `NotSupported` for a server that is too old. */
export async function openServer(client: ServerClient, users: ServerUsers, deps: ServerEngineDeps): Promise<Engine> {
  const { cluster } = deps
  const open = () => new WriterSession(client, users.writer, { cluster, ...(cluster && { more: ON_CLUSTER_WRITER }) })
  const [writer, control] = [open(), open()]
  for (const node of cluster?.nodes ?? []) await checkVersion(node, node.url)
  if (!cluster) await checkVersion(control, client.url)
  const inserts = new ServerInserts(writer, deps.clock)
  return {
    writer,
    control,
    open,
    openReader: async (database) => new ReaderSession(client, users.reader, database),
    surface: { ...(await readSurface(control, PART_DATABASES)), ...(cluster && { hidden: PART_DATABASES }) },
    name: `caracal ${randomBytes(6).toString('hex')} `,
    async repair() {
      await checkKind(writer, client.url)
      await define(writer, 'CREATE DATABASE IF NOT EXISTS `monitor`')
      if (cluster) for (const statement of createPartDatabases()) await define(writer, statement)
      if (cluster?.replication) await checkReplicas(writer, cluster)
      await claim(writer, deps.dataDir, client.url)
      const reader = new ReaderSession(client, users.reader, 'default')
      await checkReader(reader, users.reader.user, deps.limits, cluster ? ON_CLUSTER : {})
      await checkTokens(writer, (shard) => inserts.hasDropped(shard), reader)
      if (!cluster) return
      await fillIn(cluster)
      await checkShards(writer, cluster)
      deps.onDifferences(await differences(cluster))
    },
    insert: (insert) => inserts.store(insert),
    withSought: (ask, work) => withHidden(control, ask, work),
    scrub: () => scrubServer(writer),
  }
}
