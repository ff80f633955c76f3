import { alterRows, catalogue } from './cluster.ts'
import { ALL, DATABASES, quoteName, quoteText, tableName } from './ddl.ts'
import { rowsOf, type Statements } from './engine.ts'

/** A partition of a stored table: usually the rows received in one week. */
export interface Partition {
  readonly database: string
  readonly table: string
  /** The engine's id: the week's Monday, as in 20260302; of older tables the month of the events, as in 202603; or `all`. */
  readonly id: string
  readonly rows: number
  /** On disk. */
  readonly bytes: number
  /** The log type of all of its rows; `undefined` if they have several, or none. */
  readonly logType: string | undefined
  /** Whether its rows have a log type, and when they were received. Others never expire. */
  readonly hasLogTypes: boolean
  readonly hasParseTime: boolean
}

export type PartitionId = Pick<Partition, 'database' | 'table' | 'id'>

/** Which rows of a partition to delete. What is absent does not limit them. */
export interface RetireAsk extends PartitionId {
  /** Those received before this time, epoch ms. */
  readonly beforeMs?: number | undefined
  /** Those of these log types. */
  readonly logTypes?: readonly string[] | undefined
  /** Alerts on hold: their matches, and the events of these, are kept. */
  readonly held: readonly string[]
  /** Delete nothing unless exactly this many rows would go: what was counted before is what was archived. */
  readonly expected?: number | undefined
}

export interface Retired {
  /** Number of rows that were deleted, and of those that are left. */
  readonly rows: number
  readonly kept: number
  /** Rows that would go differ in number from `expected`; nothing was deleted. */
  readonly isChanged: boolean
}

const databases = () => DATABASES.map(quoteText).join(', ')

/** All partitions of all tables. */
export async function listPartitions(session: Statements): Promise<Partition[]> {
  const columns = await session.run(
    `SELECT database, table, countIf(name = 'p_log_type'), countIf(name = 'p_parse_time') FROM system.columns
     WHERE database IN (${databases()}) AND table != ${quoteText(ALL)} GROUP BY database, table`,
  )
  const known = new Map(
    rowsOf<[string, string, number, number]>(columns).map(([database, table, type, time]) => [
      tableName({ database, table }),
      { hasLogTypes: Number(type) > 0, hasParseTime: Number(time) > 0 },
    ]),
  )
  const parts = await session.run(
    `SELECT database, table, partition_id, sum(rows), sum(bytes_on_disk) FROM ${catalogue(session, 'parts')}
     WHERE active AND database IN (${databases()}) GROUP BY database, table, partition_id ORDER BY database, table, partition_id`,
  )
  const found: Partition[] = []
  const types = new Map<string, string | undefined>()
  for (const [database, table, id, rows, bytes] of rowsOf<[string, string, string, number, number]>(parts)) {
    const name = tableName({ database, table })
    const has = known.get(name)
    if (!has) continue
    const isSingle = has.hasLogTypes && (database === 'logs' || database === 'matches')
    if (isSingle && !types.has(name)) types.set(name, await logTypeOf(session, name))
    found.push({ database, table, id, rows: Number(rows), bytes: Number(bytes), logType: types.get(name), ...has })
  }
  return found
}

async function logTypeOf(session: Statements, name: string): Promise<string | undefined> {
  return rowsOf<[string]>(await session.run(`SELECT p_log_type FROM ${name} LIMIT 1`))[0]?.[0]
}

/** The log types of a partition's rows. */
export async function logTypesIn(session: Statements, { database, table, id }: PartitionId): Promise<string[]> {
  const text = await session.run(
    `SELECT DISTINCT p_log_type FROM ${tableName({ database, table })} WHERE _partition_id = ${quoteText(id)} AND p_log_type IS NOT NULL ORDER BY 1`,
  )
  return rowsOf<[string]>(text).map(([logType]) => logType)
}

/**
 * Deletes rows of a partition: all of it at once if nothing in it is to be kept. The engine finishes a deletion that a crash interrupts; the
 * same call may be repeated. Nothing may be inserted meanwhile.
 */
export async function retire(session: Statements, ask: RetireAsk): Promise<Retired> {
  const name = tableName(ask)
  const partition = `_partition_id = ${quoteText(ask.id)}`
  const condition = await goingRows(session, ask)
  const text = await session.run(`SELECT count(), countIf(${condition}) FROM ${name} WHERE ${partition}`)
  const [all, rows] = rowsOf<[number, number]>(text)[0]!.map(Number) as [number, number]
  if (ask.expected !== undefined && rows !== ask.expected) return { rows: 0, kept: all, isChanged: true }
  if (rows === all) await alterRows(session, ask, `DROP PARTITION ID ${quoteText(ask.id)}`)
  else if (rows > 0)
    await alterRows(session, ask, `DELETE IN PARTITION ID ${quoteText(ask.id)} WHERE ${condition} SETTINGS mutations_sync = 2`)
  return { rows, kept: all - rows, isChanged: false }
}

/** The condition for the rows that go. */
export async function goingRows(session: Statements, ask: RetireAsk): Promise<string> {
  const { beforeMs, logTypes, held } = ask
  const kept = await heldRows(session, ask, held)
  const conditions = [
    beforeMs === undefined ? undefined : `toUnixTimestamp64Second(p_parse_time) < ${Math.trunc(beforeMs / 1000)}`,
    logTypes === undefined ? undefined : `ifNull(p_log_type IN (${logTypes.map(quoteText).join(', ')}), 0)`,
    kept === undefined ? undefined : `NOT ifNull(${kept}, 0)`,
  ].filter((one) => one !== undefined)
  return conditions.length === 0 ? '1' : conditions.join(' AND ')
}

/** The condition for rows that belong to alerts on hold; `undefined` if the table has none. */
export async function heldRows(
  session: Statements,
  { database, table }: Pick<PartitionId, 'database' | 'table'>,
  held: readonly string[],
): Promise<string | undefined> {
  if (held.length === 0) return undefined
  const alerts = `p_alert_id IN (${held.map(quoteText).join(', ')})`
  const isEvents = database === 'logs'
  const matches = { database: isEvents ? 'matches' : database, table }
  if (!(await hasColumn(session, matches, 'p_alert_id'))) return undefined
  if (!isEvents) return alerts
  return `p_row_id IN (SELECT p_row_id FROM ${tableName(matches)} WHERE ${alerts})`
}

async function hasColumn(session: Statements, { database, table }: { database: string; table: string }, column: string) {
  const text = await session.run(
    `SELECT 1 FROM system.columns WHERE database = ${quoteText(database)} AND table = ${quoteText(table)} AND name = ${quoteText(column)}`,
  )
  return text.trim() !== ''
}

/** The tables with rows of a source, and the column that contains the source's id. */
export async function sourceTables(session: Statements): Promise<{ database: string; table: string; column: string }[]> {
  const text = await session.run(`SELECT database, table, name FROM system.columns WHERE table != ${quoteText(ALL)} AND
    (database IN ('logs', 'matches') AND name = 'p_source_id' OR database = 'monitor' AND (table, name) IN (('dead_letters', 'source'), ('replayed_dead_letters', 'source'), ('indicators', 'p_source_id')))`)
  return rowsOf<[string, string, string]>(text).map(([database, table, column]) => ({ database, table, column }))
}

/** Deletes a source's rows, but for those of alerts on hold: their events and matches stay, and count in the index of indicators no more. */
export async function removeSourceRows(session: Statements, sourceId: string, held: readonly string[]): Promise<void> {
  // Events before matches: held events are found by their matches.
  const tables = (await sourceTables(session)).sort((a, b) => (a.database < b.database ? -1 : 1))
  for (const { database, table, column } of tables) {
    const kept = await heldRows(session, { database, table }, held)
    const rows = `${quoteName(column)} = ${quoteText(sourceId)}${kept === undefined ? '' : ` AND NOT ifNull(${kept}, 0)`}`
    await alterRows(session, { database, table }, `DELETE WHERE ${rows} SETTINGS mutations_sync = 2`)
  }
}
