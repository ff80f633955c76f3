import { createHash } from 'node:crypto'
import type { TableSpec } from '../../model/column.ts'
import { quoteName, quoteText, tableName } from './ddl.ts'
import type { Settings, Statements } from './engine.ts'
import { LOOKUP_ROWS } from './lookup-names.ts'

/**
 * On a cluster, each server has the part of a table that its shard stores, in a database of its own (`logs_local`), and a table of the engine
 * Distributed over all parts under the known name. People's SQL and all reading use the latter; definitions and deletions reach each server
 * through its own connection, so that the outcome on every one of them is known (docs/decisions/0081).
 */

type TableId = Pick<TableSpec, 'database' | 'table'>

/** One server of a cluster. */
export interface ClusterNode extends Statements {
  readonly url: string
  /** The number of its shard, from 1. */
  readonly shard: number
  /** Another replica of the shard comes before it: changes of its parts follow from that one. */
  readonly follows: boolean
}

/** Where replicated tables keep what their replicas have in common, in ClickHouse Keeper. */
export interface Replication {
  /** With the server's macros, `{database}` and `{table}`. */
  readonly path: string
  readonly replica: string
}

/** The servers over which the tables are spread. */
export interface Cluster {
  /** Its name in the configuration of the servers. */
  readonly name: string
  /** Number of shards. */
  readonly shards: number
  /** All servers; the one that answers queries is the last. */
  readonly nodes: readonly ClusterNode[]
  readonly replication: Replication | undefined
}

const PART = '_local'

/** Databases with tables of which a server has a part. */
export const PART_DATABASES = ['logs', 'matches', 'signals', 'monitor'].map((database) => `${database}${PART}`)

/** Tables whose rows have to be together, so all of them are on the first shard. */
const TOGETHER = new Set(['lake_layout', 'lake_owner', 'lake_shards', LOOKUP_ROWS.table])

/** The part of a table that is on one server. */
export function partOf({ database, table }: TableId): TableId {
  return { database: `${database}${PART}`, table }
}

/** Runs a statement about something that every server has as a whole: a database, a view, a table in memory. */
export async function define(session: Statements, sql: string): Promise<void> {
  for (const node of session.cluster?.nodes ?? [session]) await node.run(sql)
}

/** A definition of a table, on one server. */
export interface Place {
  readonly session: Statements
  readonly table: TableId
  /** It changes by itself after another one has been changed. */
  readonly follows: boolean
  /** The statement that creates it, made of the one that would create the table on a single server. */
  create(statement: string): string
}

/** Where a table is defined: once, or on a cluster first its parts and then the tables over them. */
export function placesOf(session: Statements, table: TableId): Place[] {
  const { cluster } = session
  if (!cluster) return [{ session, table, follows: false, create: (statement) => statement }]
  const part = partOf(table)
  return [
    ...cluster.nodes.map((node) => ({
      session: node,
      table: part,
      follows: node.follows,
      create: (statement: string) => createPart(statement, part, cluster.replication),
    })),
    ...cluster.nodes.map((node) => ({
      session: node,
      table,
      follows: false,
      create: (statement: string) => createOver(statement, table, cluster.name),
    })),
  ]
}

/** Runs the CREATE statement of a table wherever it is missing. */
export async function createEverywhere(session: Statements, table: TableId, statement: string): Promise<void> {
  for (const place of placesOf(session, table)) await place.session.run(place.create(statement))
}

/** Changes columns of a table; may be repeated if the commands may. */
export async function alterColumns(session: Statements, table: TableId, commands: string): Promise<void> {
  for (const place of placesOf(session, table))
    if (!place.follows) await place.session.run(`ALTER TABLE ${tableName(place.table)} ${commands}`)
}

/**
 * Changes the rows of a table. On a cluster each shard is asked at the same time. If one of them fails, the others finish, and the call may be
 * repeated.
 */
export async function alterRows(session: Statements, table: TableId, command: string): Promise<void> {
  const parts = placesOf(session, table).filter((place) => !session.cluster || (isPart(place) && !place.follows))
  const outcomes = await Promise.allSettled(
    parts.map((place) => place.session.run(`ALTER TABLE ${tableName(place.table)} ${command}`)),
  )
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failure) throw failure.reason
}

/** Removes a table. */
export async function dropEverywhere(session: Statements, table: TableId): Promise<void> {
  for (const place of placesOf(session, table).toReversed())
    await place.session.run(`DROP TABLE IF EXISTS ${tableName(place.table)} SYNC`)
}

function isPart({ table }: Place): boolean {
  return PART_DATABASES.includes(table.database)
}

/** What follows FROM to read the tables with rows, or their partitions on disk: on a cluster the parts, under the names of their tables. */
export function catalogue({ cluster }: Statements, of: 'tables' | 'parts'): string {
  if (!cluster) return `system.${of}`
  const from = of === 'parts' ? `cluster(${quoteText(cluster.name)}, system.parts)` : 'system.tables'
  const database = `left(database, length(database) - ${PART.length}) AS database`
  const columns = of === 'parts' ? database : `${database}, replaceOne(engine, 'Replicated', '') AS engine`
  // In one SELECT, the condition would be about the new names.
  const parts = `SELECT * FROM ${from} WHERE database IN (${PART_DATABASES.map(quoteText).join(', ')})`
  return `(SELECT * REPLACE (${columns}) FROM (${parts}))`
}

/**
 * The setting that sends an insert to its shard. A token always means the same shard, and a block goes there as a whole: it is stored or not,
 * and remembered by its token there.
 */
export function placed({ cluster }: Pick<Statements, 'cluster'>, table: TableId, token: string): Settings {
  return cluster ? { insert_shard_id: shardOf(cluster, table, token) } : {}
}

/** The shard to which an insert with this token goes. */
export function shardOf({ shards }: Pick<Cluster, 'shards'>, { table }: TableId, token: string): number {
  if (TOGETHER.has(table)) return 1
  return (createHash('sha256').update(token).digest().readUInt32BE() % shards) + 1
}

/** Columns, engine, its arguments, and what follows. Columns may be named like anything, so the last engine is the one. */
const CREATE = /^CREATE TABLE (?:IF NOT EXISTS )?\S+\s*(\([\s\S]*\))\s+ENGINE = (\w*MergeTree)(?:\(([^()]*)\))?(?=\s)([\s\S]*)$/

function parsed(statement: string) {
  const [, columns, engine, given, rest] = CREATE.exec(statement) ?? []
  if (columns === undefined || engine === undefined || rest === undefined)
    throw new Error(`not the definition of a table with rows: ${statement.slice(0, 200)}`)
  return { columns, engine, given, rest }
}

function createPart(statement: string, part: TableId, replication: Replication | undefined): string {
  const { columns, engine, given, rest } = parsed(statement)
  const common = replication && [pathOf(replication.path, part), replication.replica].map(quoteText)
  const all = [...(common ?? []), ...(given ? [given] : [])].join(', ')
  const name = `${replication ? 'Replicated' : ''}${engine}${all === '' ? '' : `(${all})`}`
  return `CREATE TABLE IF NOT EXISTS ${tableName(part)} ${columns} ENGINE = ${name}${rest}`
}

function pathOf(path: string, { database, table }: TableId): string {
  return path.replaceAll('{database}', database).replaceAll('{table}', table)
}

function createOver(statement: string, table: TableId, cluster: string): string {
  const { columns } = parsed(statement)
  const part = partOf(table)
  const args = [cluster, part.database, part.table].map(quoteText).join(', ')
  return `CREATE TABLE IF NOT EXISTS ${tableName(table)} ${columns} ENGINE = Distributed(${args})`
}

/**
 * Settings of Caracal's statements and of people's SQL on a cluster: an answer is never short of a shard, any two tables can be joined, and all
 * use the same replica of a shard while it answers, so that what was stored is in the next answer. Another replica may be late.
 */
export const ON_CLUSTER: Settings = {
  distributed_product_mode: 'global',
  skip_unavailable_shards: 0,
  load_balancing: 'in_order',
}

/** How often a server tries an insert again that Keeper does not answer. Its default keeps the insert, and all after it, for minutes. */
const KEEPER_TRIES = 5

/** Settings of Caracal's own statements besides: an insert is answered when its shard has it, and changes when all replicas have them. */
export const ON_CLUSTER_WRITER: Settings = {
  ...ON_CLUSTER,
  distributed_foreground_insert: 1,
  alter_sync: 2,
  allow_nondeterministic_mutations: 1,
  insert_keeper_max_retries: KEEPER_TRIES,
}

/** The databases of parts as SQL names. */
export function createPartDatabases(): string[] {
  return PART_DATABASES.map((database) => `CREATE DATABASE IF NOT EXISTS ${quoteName(database)}`)
}
