import { catalogue } from '../cluster.ts'
import { quoteName, quoteText, tableName } from '../ddl.ts'
import { rowsOf, type Statements } from '../engine.ts'
import { conditionOf, type StoredTable } from './stored-tables.ts'

/** Rows of a table that are moved together, of one partition. */
export interface Piece {
  readonly partition: string
  /** Those of this span of the time key, in nanoseconds since 1970: `from` is in it, `to` is not. */
  readonly from?: string
  readonly to?: string
  /** Those of one of several parts, by a hash. */
  readonly part?: number
  readonly parts?: number
}

/** What a piece should not exceed, so that it fits into one block of an insert. */
export interface PieceLimits {
  readonly rows: number
  /** In memory. */
  readonly bytes: number
}

/**
 * Cuts a table into pieces. They follow from its rows alone, so that a move that was stopped finds the same ones again. Rows are sorted by
 * time, so a span of it is read without the rest; where many rows have the same time, and in tables without one, a hash divides them.
 */
export async function piecesOf(session: Statements, table: StoredTable, limits: PieceLimits): Promise<Piece[]> {
  const text = await session.run(
    `SELECT partition_id, sum(rows), sum(data_uncompressed_bytes) FROM ${catalogue(session, 'parts')}
     WHERE active AND database = ${quoteText(table.database)} AND table = ${quoteText(table.table)}
     GROUP BY partition_id ORDER BY partition_id`,
  )
  const pieces: Piece[] = []
  for (const [partition, rows, bytes] of rowsOf<[string, string | number, string | number]>(text)) {
    const each = Math.max(1, Number(bytes) / Math.max(1, Number(rows)))
    const most = Math.max(1, Math.min(limits.rows, Math.floor(limits.bytes / each)))
    if (table.timeKey === undefined || Number(rows) <= most) pieces.push(...hashed({ partition }, Number(rows), most))
    else pieces.push(...(await spans(session, table, table.timeKey, { partition, most })))
  }
  return pieces
}

/** The condition for the rows of a piece within its partition. */
export function pieceCondition(table: StoredTable, { from, to, part, parts }: Piece): string {
  const conditions = [conditionOf(table)]
  if (from !== undefined) conditions.push(`${quoteName(table.timeKey!)} >= ${instant(from)}`)
  if (to !== undefined) conditions.push(`${quoteName(table.timeKey!)} < ${instant(to)}`)
  if (parts !== undefined) conditions.push(`${hashIn(table)} % ${parts} = ${part}`)
  return conditions.join(' AND ')
}

function hashed(piece: Piece, rows: number, most: number): Piece[] {
  const parts = Math.ceil(rows / most)
  if (parts <= 1) return [piece]
  return Array.from({ length: parts }, (_, part) => ({ ...piece, part, parts }))
}

/** Halves spans of time until each has few enough rows. */
async function spans(
  session: Statements,
  table: StoredTable,
  timeKey: string,
  { partition, most }: { readonly partition: string; readonly most: number },
): Promise<Piece[]> {
  const key = quoteName(timeKey)
  const inPartition = `FROM ${tableName(table)} WHERE _partition_id = ${quoteText(partition)}`
  const nanos = (value: string) => `toString(toUnixTimestamp64Nano(${value}))`
  const ends = await session.run(`SELECT ${nanos(`min(${key})`)}, ${nanos(`max(${key})`)} ${inPartition}`)
  const [first, last] = rowsOf<[string, string]>(ends)[0]!
  const pieces: Piece[] = []
  const visit = async (from: bigint, to: bigint): Promise<void> => {
    const piece = { partition, from: String(from), to: String(to) }
    const text = await session.run(`SELECT count() ${inPartition} AND ${pieceCondition(table, piece)}`)
    const rows = Number(rowsOf<[number | string]>(text)[0]![0])
    if (rows === 0) return
    if (rows <= most || to - from <= 1n) return void pieces.push(...hashed(piece, rows, most))
    const middle = from + (to - from) / 2n
    await visit(from, middle)
    await visit(middle, to)
  }
  await visit(BigInt(first), BigInt(last) + 1n)
  return pieces
}

function instant(nanos: string): string {
  return `fromUnixTimestamp64Nano(toInt64(${nanos}), 'UTC')`
}

/** Rows of one key stay together, so that they are merged as before. */
function hashIn({ isMerged, sortingKey, columns }: StoredTable): string {
  if (isMerged) return `cityHash64(${sortingKey})`
  return `cityHash64(formatRowNoNewline('RowBinary', ${columns.map(({ name }) => quoteName(name)).join(', ')}))`
}
