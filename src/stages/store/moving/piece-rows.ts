import { StorageError } from '../../../util/errors.ts'
import type { RowSum } from '../archive.ts'
import { alterRows, createEverywhere, placed } from '../cluster.ts'
import { quoteName, quoteText, type StoredColumn, tableName } from '../ddl.ts'
import { ONE_BLOCK, rowsOf, type Session, type Statements, settingsText } from '../engine.ts'
import { statementError } from '../engine-error.ts'
import { isIndex, MAX_SPANS } from '../indicators.ts'
import { type Piece, pieceCondition } from './pieces.ts'
import { columnsOf, FINAL, rowsFrom, type StoredTable, structureOf } from './stored-tables.ts'

export interface SumAsk {
  readonly table: StoredTable
  readonly piece: Piece
}

export interface UnloadAsk extends SumAsk {
  /** The file to write, in the format Native. */
  readonly file: string
}

export interface LoadAsk extends UnloadAsk {
  /** The same token inserts only once. */
  readonly token: string
  /** Some of the rows are there already, and are removed before. */
  readonly isAgain: boolean
}

/** Creates a table as it is in another lake. Throws `StorageError` if there is one with other columns. */
export async function createStored(session: Statements, { database, table, columns, create }: StoredTable): Promise<void> {
  try {
    await createEverywhere(session, { database, table }, create.replace(/^CREATE TABLE /, 'CREATE TABLE IF NOT EXISTS '))
  } catch (error) {
    throw statementError(`lake table ${database}.${table} cannot be created`, error)
  }
  const text = (all: readonly StoredColumn[]) => all.map(({ name, type }) => `${name} ${type}`).sort()
  const present = text(await columnsOf(session, database, table))
  const differing = text(columns).filter((column) => !present.includes(column))
  if (differing.length === 0 && present.length === columns.length) return
  throw new StorageError(
    `the server already has a table ${database}.${table} with other columns (${differing.join(', ') || `${present.length} instead of ${columns.length}`}): drop it there, or use a server without it`,
  )
}

/** The number of rows of a piece, and a hash of all. */
export async function sumPiece(session: Statements, { table, piece }: SumAsk): Promise<RowSum> {
  const values = table.columns.map(({ name }) => hashedValue(table, name)).join(', ')
  const text = await session.run(
    `SELECT count(), toString(sum(sipHash64(formatRowNoNewline('RowBinary', ${values})))) FROM ${rowsFrom(table)} WHERE ${inPiece(table, piece)} SETTINGS ${settingsText({ ...FINAL, max_threads: 2 })}`,
  )
  const [rows, checksum] = rowsOf<[number | string, string]>(text)[0]!
  return { rows: Number(rows), checksum }
}

/** Writes the rows of a piece to a file. */
export async function unloadPiece(session: Session, { table, piece, file }: UnloadAsk, maxMemoryBytes: number): Promise<void> {
  const names = table.columns.map(({ name }) => quoteName(name)).join(', ')
  const select = `SELECT ${names} FROM ${rowsFrom(table)} WHERE ${inPiece(table, piece)}`
  try {
    await session.toFile('Native', select, { ...FINAL, max_threads: 1, max_memory_usage: maxMemoryBytes }, file)
  } catch (error) {
    throw statementError(`rows of ${table.database}.${table.table} cannot be written to ${file}`, error)
  }
}

/** Inserts the rows of such a file. */
export async function loadPiece(session: Session, { table, piece, file, token, isAgain }: LoadAsk): Promise<void> {
  const names = table.columns.map(({ name }) => quoteName(name)).join(', ')
  const into = tableName(table)
  try {
    if (isAgain)
      await alterRows(
        session,
        table,
        `DELETE IN PARTITION ID ${quoteText(piece.partition)} WHERE ${pieceCondition(table, piece)} SETTINGS mutations_sync = 2`,
      )
    const settings = settingsText({
      insert_deduplication_token: token,
      ...ONE_BLOCK,
      optimize_on_insert: 0,
      ...placed(session, table, token),
    })
    await session.withFile({ path: file, format: 'Native', structure: structureOf(table.columns) }, (rows) =>
      session.run(`INSERT INTO ${into} (${names}) SELECT ${names} FROM ${rows} SETTINGS ${settings}`),
    )
  } catch (error) {
    throw statementError(`rows cannot be loaded into ${table.database}.${table.table}`, error)
  }
}

function inPiece(table: StoredTable, piece: Piece): string {
  return `_partition_id = ${quoteText(piece.partition)} AND ${pieceCondition(table, piece)}`
}

/** The order of the index's spans, and which of too many it keeps, depend on how its rows were merged. */
function hashedValue(table: StoredTable, name: string): string {
  const column = quoteName(name)
  if (!isIndex(table) || name !== 'spans') return column
  return `arrayFilter(span -> length(${column}) < ${MAX_SPANS}, arraySort(${column}))`
}
