import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { steadyClock } from '../../../util/clock.ts'
import { RetryLater, StorageError } from '../../../util/errors.ts'
import { secretReference } from '../../../util/secret.ts'
import type { Cluster } from '../cluster.ts'
import type { Keeping } from '../ddl.ts'
import { defineLake, type LakeDeps, type LateLake } from '../lake.ts'
import { LakeWork } from '../lake-work.ts'
import { LAKE_KEYS, queryLimits } from '../limits.ts'
import { ServerError, SignInRefused } from './client.ts'
import { clusterSchema, serverUrl } from './cluster-config.ts'
import { differences } from './compare.ts'
import { ServerHealth } from './health.ts'
import { OWNER_FILE } from './owner.ts'
import { adviceOn, isKeeperAway } from './replicas.ts'
import { openServer } from './server-engine.ts'
import { type OpenedLake, ServerLake } from './server-lake.ts'
import { openCluster, Servers } from './servers.ts'

/** A server that starts at the same time as Caracal is waited for. */
const OPEN_MS = 60_000
const OPEN_PAUSE_MS = 1000

const USER = /^[\w.@-]{1,100}$/

const diskName = z.string().regex(/^\w{1,100}$/, "letters, digits and '_'")

const config = z.object({
  url: serverUrl.describe('URL of the HTTP interface of one ClickHouse server, 26.x.'),
  allow_http: z
    .boolean()
    .default(false)
    .describe('Send passwords and rows over plain http:// to another machine. Only for networks in which nobody can listen.'),
  user: z
    .string()
    .regex(USER, 'the name of a user of ClickHouse')
    .describe('User that creates tables, inserts and deletes; the rights that it needs are in docs/lake.md.'),
  password: secretReference.describe('Its password.'),
  reader: z
    .strictObject({
      user: z
        .string()
        .regex(USER, 'the name of a user of ClickHouse')
        .default('caracal_reader')
        .describe("User as which people's SQL runs. `caracal lake init` makes it."),
      password: secretReference.describe('Its password.'),
    })
    .describe("The user as which people's SQL runs: it may read the lake, and nothing else."),
  cluster: clusterSchema
    .optional()
    .describe(
      'The cluster over which the lake is spread, as docs/lake.md says. Default: the lake is on the server at `url` alone.',
    ),
  storage_policy: diskName
    .optional()
    .describe(
      "Storage policy of the server for the lake's tables. Default: the policy that tables have, `default` for new ones.",
    ),
  cold: z
    .strictObject({
      volume: diskName.describe('Volume of the storage policy.'),
      after_days: z.int().min(1).max(36_500).describe('Days after which they move, counted from when they were received.'),
    })
    .optional()
    .describe(
      'Volume to which old events and matches move, such as one with larger or cheaper disks. Default: they stay where they are.',
    ),
  ...LAKE_KEYS,
})

/** How tables are stored, as the configuration says. */
export function keepingOf({ fsync, cluster, storage_policy: storagePolicy, cold }: ClickhouseConfig): Keeping {
  return {
    fsync,
    isReplicated: cluster?.replicated === true,
    storagePolicy,
    cold: cold && { volume: cold.volume, afterDays: cold.after_days },
  }
}

export type ClickhouseConfig = z.output<typeof config>

/** A ClickHouse server that somebody runs. */
export const clickhouse = defineLake({
  type: 'clickhouse',
  summary: 'Keeps events on a ClickHouse server.',
  config,
  example: {
    url: 'https://clickhouse.example.com:8443',
    user: 'caracal',
    password: { env: 'CLICKHOUSE_PASSWORD' },
    reader: { password: { env: 'CLICKHOUSE_READER_PASSWORD' } },
  },
  create: openClickhouse,
})

async function openClickhouse(settings: ClickhouseConfig, deps: LakeDeps): Promise<ServerLake> {
  const { clock = steadyClock, maxQueryMs, maxRows, dataDir, secret, trusted } = deps
  const limits = queryLimits(settings, maxQueryMs)
  const users = {
    writer: { user: settings.user, password: secret(settings.password) },
    reader: { user: settings.reader.user, password: secret(settings.reader.password) },
  }
  let cluster: Cluster | undefined
  const health = new ServerHealth({
    clock,
    onProblems: deps.onProblems,
    ask: () => servers.ping(users.writer),
    ...(settings.cluster && { differences: async () => (cluster ? differences(cluster) : []) }),
  })
  const servers = new Servers(settings, trusted, (url, why) => health.heard(url, why))
  const open = async () => {
    cluster = settings.cluster && (await openCluster(servers, settings.cluster, users.writer))
    const onDifferences = (found: readonly string[]) => health.differ(found)
    const engine = await openServer(servers.entry, users, { dataDir, limits, clock, cluster, onDifferences })
    const work = new LakeWork(engine, { ...limits, ...keepingOf(settings), readers: settings.readers })
    return { work, brought: await work.prepare() }
  }
  const attempt = async () => {
    try {
      const opened = await open()
      health.heard('Keeper', undefined)
      return opened
    } catch (error) {
      // The servers themselves answer.
      if (error instanceof ServerError && isKeeperAway(error)) health.heard('Keeper', refusal(error))
      throw error
    }
  }
  const lake = (opened?: OpenedLake) => new ServerLake({ servers, health, maxQueryMs, maxRows, clock }, opened)
  // At a first start, a wrong address should be an error.
  const late = existsSync(join(dataDir, OWNER_FILE)) ? deps.late : undefined
  try {
    const opened = await untilReachable(attempt, late ? 0 : OPEN_MS)
    health.watch()
    return lake(opened)
  } catch (error) {
    if (late && error instanceof Away) {
      const waiting = lake()
      void openLater(waiting, attempt, late).then(() => waiting.isClosed || health.watch())
      return waiting
    }
    health.stop()
    await servers.close()
    throw error
  }
}

/** No server has answered, or not its Keeper. */
class Away extends StorageError {}

/** Repeats while the server, or its Keeper, does not answer. Throws `Away` if it has not for a while, `StorageError` if it refuses. */
async function untilReachable<T>(attempt: () => Promise<T>, forMs: number): Promise<T> {
  const end = performance.now() + forMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const isServers = error instanceof ServerError
      if (!(isServers || error instanceof RetryLater)) throw error
      const message = isServers ? refusal(error) : error.message
      const isAway = isServers ? isKeeperAway(error) : !(error instanceof SignInRefused)
      if (!isAway) throw new StorageError(message, { cause: error })
      if (performance.now() >= end) throw new Away(message, { cause: error })
      await setTimeout(OPEN_PAUSE_MS)
    }
  }
}

function refusal(error: ServerError): string {
  const advice = adviceOn(error) ?? 'docs/lake.md has the rights that its users need'
  return `the lake on the ClickHouse server cannot be opened: ${error.message.slice(0, 500)}; ${advice}`
}

/** Opens the lake as soon as the server answers. Never rejects. */
async function openLater(lake: ServerLake, attempt: () => Promise<OpenedLake>, late: LateLake): Promise<void> {
  while (!lake.isClosed) {
    try {
      const opened = await untilReachable(attempt, 0)
      if (lake.open(opened)) late.onOpened(opened.brought)
      else await opened.work.close()
      return
    } catch (error) {
      if (!(error instanceof Away)) return late.onRefused(error as StorageError)
    }
    await setTimeout(OPEN_PAUSE_MS)
  }
}
