import { CompiledQuery, sql } from 'kysely'
import { messageOf, Refused, StorageError } from '../../util/errors.ts'
import type { StateDb } from '../db.ts'
import { quoted, type SourceRow, type SourceTable, StateSource } from './source.ts'

/** A table that was taken over. */
export interface TakenTable {
  readonly table: string
  readonly rowsBefore: number
  readonly rowsAfter: number
}

export interface TakeInOptions {
  /** Written in the same transaction, under this key of `meta`. */
  readonly mark: { readonly key: string; readonly value: string }
  /** Called just before the commit: from here on it may have happened. */
  readonly onCommit: () => void
  readonly onRows?: (table: string, done: number, of: number) => void
  readonly signal?: AbortSignal
}

/** What one statement may carry. PostgreSQL takes 65,535 values. */
const MAX_VALUES = 30_000
const MAX_BYTES = 8 * 1024 * 1024

/** The row of `sequences` that the database has before anything is taken over: how often it was opened. */
const OWNER = 'owner'

/**
 * Copies all rows of a state in SQLite that nobody writes into an empty database that has the same tables, in one transaction and in the
 * order of insertion.
 *
 * @throws {Refused} if the database is not empty.
 * @throws {StorageError} if the numbers of rows differ, or something cannot be read or written. Nothing has changed then.
 */
export async function takeIn(path: string, db: StateDb, options: TakeInOptions): Promise<TakenTable[]> {
  const source = new StateSource(path)
  try {
    const tables = source.tables()
    const all = tables.reduce((sum, { rows }) => sum + rows, 0)
    const taken: TakenTable[] = []
    await db.transaction().execute(async (trx) => {
      const owner = await trx.deleteFrom('sequences').where('name', '=', OWNER).returningAll().execute()
      for (const table of tables) await refuseUnfit(trx, table)
      let done = 0
      for (const table of tables) {
        for (const page of source.pages(table)) {
          options.signal?.throwIfAborted()
          for (const rows of portionsOf(page)) await insert(trx, table, rows)
          done += page.length
          options.onRows?.(table.name, done, all)
        }
        if (table.last !== '0') await countOn(trx, table)
        taken.push({ table: table.name, rowsBefore: table.rows, rowsAfter: await count(trx, table.name) })
      }
      const wrong = taken.filter(({ rowsBefore, rowsAfter }) => rowsBefore !== rowsAfter)
      if (wrong.length > 0)
        throw new StorageError(
          `rows of the state were lost on the way, so nothing was stored: ${wrong.map(({ table, rowsBefore, rowsAfter }) => `${table} had ${rowsBefore} and got ${rowsAfter}`).join(', ')}. Please report this.`,
        )
      const { key, value } = options.mark
      await trx.insertInto('meta').values({ key, value }).execute()
      // Not before: it takes the number of a row that is still free.
      if (owner.length > 0)
        await trx
          .insertInto('sequences')
          .values(owner.map(({ name, value: n }) => ({ name, value: n })))
          .execute()
      options.signal?.throwIfAborted()
      options.onCommit()
    })
    return taken
  } finally {
    source.close()
  }
}

/** Throws if the database's table has rows, or other columns. */
async function refuseUnfit(trx: StateDb, { name, columns }: SourceTable): Promise<void> {
  const rows = await count(trx, name)
  if (rows > 0)
    throw new Refused(
      `the database that state.url names is not empty (its table ${name} has ${rows} rows): a state is only moved into an empty one. Name another database.`,
    )
  const { rows: found } = await sql<{ name: string }>`SELECT column_name AS name FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = ${name} AND column_name <> 'rowid'`.execute(trx)
  const wanted = columns.map((column) => column.name).sort()
  const present = found.map((column) => column.name).sort()
  if (wanted.join() !== present.join())
    throw new StorageError(
      `the table ${name} has the columns ${wanted.join(', ')} in state.db and ${present.join(', ')} in the database. Move the state into a new database; if it happens there too, please report this.`,
    )
}

async function count(trx: StateDb, table: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM ${sql.table(table)}`.execute(trx)
  return rows[0]!.n
}

/** A page cut so that each piece fits into one statement. */
function* portionsOf(page: readonly SourceRow[]): Generator<SourceRow[]> {
  let portion: SourceRow[] = []
  let bytes = 0
  for (const row of page) {
    if (portion.length > 0 && ((portion.length + 1) * row.length > MAX_VALUES || bytes > MAX_BYTES)) {
      yield portion
      portion = []
      bytes = 0
    }
    portion.push(row)
    bytes += row.reduce<number>(
      (sum, value) => sum + (typeof value === 'object' ? (value?.length ?? 0) : String(value).length),
      0,
    )
  }
  if (portion.length > 0) yield portion
}

async function insert(trx: StateDb, { name, columns, counter }: SourceTable, rows: readonly SourceRow[]): Promise<void> {
  const names = columns.map((column) => column.name)
  // Where a column counts by itself, it is the row's number.
  const all = counter === undefined ? ['rowid', ...names] : names
  const given = counter === undefined ? rows : rows.map((row) => row.slice(1))
  const places = given.map((_, i) => `(${all.map((_, j) => `$${i * all.length + j + 1}`).join(', ')})`)
  const statement = `INSERT INTO ${quoted(name)} (${all.map(quoted).join(', ')}) VALUES ${places.join(', ')}`
  try {
    await trx.executeQuery(CompiledQuery.raw(statement, given.flat()))
  } catch (error) {
    if (error instanceof StorageError) throw error
    throw new StorageError(
      `rows of the state's table ${name} (numbers ${rows[0]![0]} to ${rows.at(-1)![0]}) cannot be stored in the database, so nothing was: ${messageOf(error)}. Please report this.`,
      { cause: error },
    )
  }
}

/** The next row gets a number that none has had. */
async function countOn(trx: StateDb, { name, counter = 'rowid', last }: SourceTable): Promise<void> {
  await sql`SELECT setval(pg_get_serial_sequence(${quoted(name)}, ${counter}), ${last}::bigint)`.execute(trx)
}
