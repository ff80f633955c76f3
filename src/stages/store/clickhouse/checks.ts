import { NotSupported, StorageError } from '../../../util/errors.ts'
import { type Cluster, createEverywhere, dropEverywhere, placed } from '../cluster.ts'
import { DATABASES, quoteText, tableName } from '../ddl.ts'
import {
  type QueryLimits,
  readerSettings,
  rowsOf,
  type Settings,
  type Statements,
  settingsText,
  withSettings,
} from '../engine.ts'

/** Releases of an earlier year lack settings that the lake uses. */
const OLDEST = 26

const SETTINGS = ['deduplicate_insert_select', 'use_strict_insert_block_limits']
const TABLE_SETTINGS = ['non_replicated_deduplication_window', 'compress_per_column_in_compact_parts']

/** The version of the server. Throws `NotSupported` if the server is too old. */
export async function checkVersion(session: Statements, url: string): Promise<string> {
  const version = rowsOf<[string]>(await session.run('SELECT version()'))[0]![0]
  const lacks = async (table: string, names: readonly string[]) => {
    const found = await session.run(`SELECT name FROM system.${table} WHERE name IN (${names.map(quoteText).join(', ')})`)
    const known = new Set(rowsOf<[string]>(found).map(([name]) => name))
    return names.filter((name) => !known.has(name))
  }
  const missing = [...(await lacks('settings', SETTINGS)), ...(await lacks('merge_tree_settings', TABLE_SETTINGS))]
  if (Number.parseInt(version, 10) < OLDEST || missing.length > 0) {
    const without = missing.length > 0 ? ` (it lacks ${missing.join(', ')})` : ''
    throw new NotSupported(
      `a lake on ClickHouse ${version} at ${url}${without}: use a server of the releases ${OLDEST}.x; 26.7 is the one that is tested`,
    )
  }
  return version
}

/**
 * The settings with which people's SQL runs have to be those of the configuration: they are part of the walls around it, and formats
 * of values depend on them. Throws `StorageError` with what differs.
 */
export async function checkReader(session: Statements, user: string, limits: QueryLimits, more: Settings = {}): Promise<void> {
  const wanted = Object.entries(readerSettings(limits, more)).map(([name, value]) => [name, String(value)] as const)
  const names = wanted.map(([name]) => quoteText(name)).join(', ')
  const text = await session.run(`SELECT name, value FROM system.settings WHERE name IN (${names})`)
  const has = new Map(rowsOf<[string, string]>(text))
  const other = wanted.filter(([name, value]) => has.get(name) !== value)
  if (other.length === 0) return
  const listed = other.map(([name, value]) => `${name} is ${has.get(name) ?? 'unknown'} and not ${value}`).join(', ')
  throw new StorageError(
    `the user '${user}', as which people's SQL runs, has other settings than the configuration wants: ${listed}. Run \`caracal lake init\`, also after the limits in the lake block or query_timeout_ms have changed`,
  )
}

/** A table that is there while the lake is opened. */
export const PROBE = { database: 'monitor', table: 'lake_probe' }

/**
 * Inserts the same token twice on each shard into a table of its own. Throws `NotSupported` unless the server stores it once and counts what
 * it has dropped (`hasDropped`), on which everything else relies, and `StorageError` if the reader cannot read the parts of a cluster.
 */
export async function checkTokens(
  session: Statements,
  hasDropped: (shard: number) => Promise<boolean>,
  reader: Statements,
): Promise<void> {
  const { cluster } = session
  const window = cluster?.replication ? 'replicated_deduplication_window' : 'non_replicated_deduplication_window'
  await dropEverywhere(session, PROBE)
  await createEverywhere(
    session,
    PROBE,
    `CREATE TABLE ${tableName(PROBE)} (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS ${window} = 10`,
  )
  for (let shard = 1; shard <= (cluster?.shards ?? 1); shard++) {
    const settings: Settings = {
      insert_deduplication_token: 'probe',
      deduplicate_insert_select: 'force_enable',
      ...(cluster && { insert_shard_id: shard }),
    }
    const insert = `INSERT INTO ${tableName(PROBE)} SELECT ${shard} FROM numbers(1) SETTINGS ${settingsText(settings)}`
    await session.run(insert)
    await hasDropped(shard)
    await session.run(insert)
    const isCounted = cluster?.replication !== undefined || (await hasDropped(shard))
    const rows = await countOf(session, `${tableName(PROBE)} WHERE n = ${shard}`)
    if (rows !== 1 || !isCounted)
      throw new NotSupported(
        `a lake on this server: it ${rows === 1 ? 'does not count (system.events, DuplicatedInsertedBlocks)' : 'stores'} inserts that are repeated under the same token. The lake needs tables of the engine MergeTree as ClickHouse itself provides them, on a single server or on a cluster that lake.cluster names`,
      )
  }
  if (cluster) await checkParts(reader, cluster)
  await dropEverywhere(session, PROBE)
}

const SHARDS = { database: 'monitor', table: 'lake_shards' }

/** Notes how many shards the lake has. Throws `StorageError` if it had more, whose rows nobody would miss. */
export async function checkShards(session: Statements, { name, shards }: Cluster): Promise<void> {
  await createEverywhere(
    session,
    SHARDS,
    `CREATE TABLE ${tableName(SHARDS)} (shards UInt32) ENGINE = ReplacingMergeTree ORDER BY shards`,
  )
  const had = Number(rowsOf<[number]>(await session.run(`SELECT max(shards) FROM ${tableName(SHARDS)}`))[0]![0])
  if (had > shards)
    throw new StorageError(
      `the cluster '${name}' has ${shards} shards, and the lake has rows on ${had}: add the others to remote_servers and lake.cluster.nodes again`,
    )
  if (had < shards)
    await session.run(`INSERT INTO ${tableName(SHARDS)} SELECT ${shards}${withSettings(placed(session, SHARDS, ''))}`)
}

/** The reader's queries are passed on to the other servers, which have to let it in. */
async function checkParts(reader: Statements, { name, shards }: Cluster): Promise<void> {
  const rows = await countOf(reader, tableName(PROBE)).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message.slice(0, 300) : String(cause)
    throw new StorageError(
      `the user as which people's SQL runs cannot read the parts of the cluster '${name}' (${why}): run \`caracal lake init\`, and give the cluster a <secret> in remote_servers (docs/lake.md)`,
      { cause },
    )
  })
  if (rows === shards) return
  throw new StorageError(
    `a query of the cluster '${name}' finds ${rows} of the ${shards} rows that are on its ${shards} shards: its servers do not reach each other as its configuration (remote_servers) says`,
  )
}

async function countOf(session: Statements, from: string): Promise<number> {
  return Number(rowsOf<[number]>(await session.run(`SELECT count() FROM ${from}`))[0]![0])
}

/** Throws `StorageError` if the lake's tables are of another kind: those of a single server on a cluster, or those of another cluster. */
export async function checkKind(session: Statements, url: string): Promise<void> {
  const wrong = session.cluster
    ? `endsWith(engine, 'MergeTree') OR (engine = 'Distributed' AND NOT startsWith(engine_full, ${quoteText(`Distributed(${quoteText(session.cluster.name)},`)}))`
    : "engine = 'Distributed'"
  const text = await session.run(
    `SELECT database, name, engine_full FROM system.tables WHERE database IN (${DATABASES.map(quoteText).join(', ')}) AND (${wrong}) ORDER BY 1, 2 LIMIT 1`,
  )
  const [found] = rowsOf<[string, string, string]>(text)
  if (!found) return
  const [database, table, engine] = found
  throw new StorageError(
    `the lake on ${url} is ${session.cluster ? `not that of the cluster '${session.cluster.name}'` : 'spread over a cluster'}: its table ${database}.${table} is ${engine.slice(0, 100)}. Correct lake.cluster in caracal.yml, or use another server; the rows of a single server are not moved to a cluster`,
  )
}
