import type { Cluster, ClusterNode } from '../cluster.ts'
import { PART_DATABASES } from '../cluster.ts'
import { DATABASES, quoteName, quoteText } from '../ddl.ts'
import { rowsOf } from '../engine.ts'

/** How many differences are worth naming. */
const MOST = 20

/** A table of a server. */
interface NodeTable {
  readonly engine: string
  readonly create: string
  /** Name → type and default. */
  readonly columns: Map<string, string>
}

type NodeTables = ReadonlyMap<string, NodeTable>

/** What the lake has on one server. Views are created again at each start, and tables in memory are not its own. */
async function tablesOf(node: ClusterNode): Promise<NodeTables> {
  const where = `database IN (${[...PART_DATABASES, ...DATABASES].map(quoteText).join(', ')})`
  const tables = new Map<string, NodeTable>()
  const text = await node.run(
    `SELECT database, name, engine, create_table_query FROM system.tables WHERE ${where} AND name != 'lake_probe'
     AND (endsWith(engine, 'MergeTree') OR engine IN ('Distributed', 'Merge')) ORDER BY endsWith(engine, 'MergeTree') DESC, engine, database, name`,
  )
  for (const [database, name, engine, create] of rowsOf<[string, string, string, string]>(text))
    tables.set(`${database}.${name}`, { engine, create, columns: new Map() })
  const columns = await node.run(
    `SELECT database, table, name, concat(type, if(default_kind = '', '', concat(' ', default_kind, ' ', default_expression))) FROM system.columns WHERE ${where}`,
  )
  for (const [database, table, name, type] of rowsOf<[string, string, string, string]>(columns))
    tables.get(`${database}.${table}`)?.columns.set(name, type)
  return tables
}

/**
 * Creates the databases and tables that a server lacks and another one has: those of a server that is new, or was set up again. Throws the server's error;
 * may be repeated.
 */
export async function fillIn({ nodes }: Cluster): Promise<void> {
  for (const node of nodes)
    for (const name of [...PART_DATABASES, ...DATABASES]) await node.run(`CREATE DATABASE IF NOT EXISTS ${quoteName(name)}`)
  const all = await Promise.all(nodes.map(async (node) => ({ node, tables: await tablesOf(node) })))
  const known = new Map<string, NodeTable>()
  for (const { tables } of all) for (const [name, table] of tables) if (!known.has(name)) known.set(name, table)
  // Parts come before the tables over them.
  const order = [...known].sort(([, a], [, b]) => rank(a) - rank(b))
  for (const { node, tables } of all)
    for (const [name, { create }] of order)
      if (!tables.has(name)) await node.run(create.replace(/^CREATE TABLE /, 'CREATE TABLE IF NOT EXISTS '))
}

function rank({ engine }: NodeTable): number {
  return engine.endsWith('MergeTree') ? 0 : engine === 'Distributed' ? 1 : 2
}

/** What differs between the servers of a cluster, as sentences that name them. Throws `RetryLater` if one is away. */
export async function differences({ nodes }: Cluster): Promise<string[]> {
  const all = await Promise.all(nodes.map(async (node) => ({ node, tables: await tablesOf(node) })))
  const found: string[] = []
  const names = new Set(all.flatMap(({ tables }) => [...tables.keys()]))
  for (const name of [...names].sort()) {
    const model = all.find(({ tables }) => tables.has(name))!
    for (const { node, tables } of all) {
      const has = tables.get(name)
      if (!has) found.push(`The server at ${node.url} has no table ${name}, which ${model.node.url} has.`)
      else found.push(...columnsApart(name, { node, has }, { node: model.node, has: model.tables.get(name)! }))
    }
  }
  if (found.length <= MOST) return found
  return [...found.slice(0, MOST), `There are ${found.length - MOST} more differences.`]
}

interface Held {
  readonly node: ClusterNode
  readonly has: NodeTable
}

function columnsApart(table: string, one: Held, model: Held): string[] {
  const names = new Set([...one.has.columns.keys(), ...model.has.columns.keys()])
  const differing = [...names].filter((name) => one.has.columns.get(name) !== model.has.columns.get(name)).sort()
  if (differing.length === 0) return []
  const shown = differing
    .slice(0, 3)
    .map((name) => `${name} is ${one.has.columns.get(name) ?? 'missing'} and not ${model.has.columns.get(name) ?? 'missing'}`)
  return [
    `The server at ${one.node.url} has other columns in ${table} than ${model.node.url}: ${shown.join(', ')}${differing.length > 3 ? ', …' : ''}.`,
  ]
}
