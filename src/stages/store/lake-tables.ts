import type { TableSpec } from '../../model/column.ts'
import { type ImportAsk, type Imported, importFile } from './archive.ts'
import { define, type Place, placesOf } from './cluster.ts'
import { alterations, isKept, isNarrowing, targetColumns } from './columns.ts'
import {
  ALL,
  allColumns,
  checkSpec,
  createAll,
  createTable,
  type Keeping,
  quoteName,
  quoteText,
  type StoredColumn,
  tableName,
  UNITED,
} from './ddl.ts'
import { type Insert, rowsOf, type Session, type Settings, type Statements } from './engine.ts'
import { statementError } from './engine-error.ts'
import { INDEX_INSERT, isIndex } from './indicators.ts'
import { isLookupRows, LOOKUP_ROWS } from './lookup-names.ts'
import { NativeRows } from './native.ts'

type TableId = Pick<TableSpec, 'database' | 'table'>

interface Filled {
  readonly columns: readonly string[]
  readonly values: readonly string[]
  readonly settings?: Settings
}

/** The stored columns have other types, which the values are converted to. */
const LOOKUP_INSERT: Filled = {
  columns: LOOKUP_ROWS.columns.map(({ name }) => name),
  values: LOOKUP_ROWS.columns.map((_, i) => `c${i}`),
}

/** Creates, widens and retypes the stored tables over one connection. Calls must not overlap. */
export class LakeTables {
  readonly #session: Session
  readonly #keeping: Keeping
  readonly #columns = new Map<string, readonly StoredColumn[]>()

  constructor(session: Session, keeping: Keeping) {
    this.#session = session
    this.#keeping = keeping
  }

  /** Creates the table, or changes its columns to match the spec. `late`: see `alterations`. Throws `Refused` or `RetryLater`. */
  async ensure(spec: TableSpec, late = false): Promise<void> {
    checkSpec(spec)
    // Created when the lake is opened.
    if (isIndex(spec) || isLookupRows(spec)) return
    const places = placesOf(this.#session, spec)
    // Everything is read before anything is changed: nothing is half done because a server is away, or because the change is impossible.
    const todo: { readonly place: Place; readonly statements: readonly string[] }[] = []
    for (const place of places) todo.push({ place, statements: await this.#changes(spec, place, late) })
    if (todo.every(({ statements }) => statements.length === 0)) return
    try {
      for (const { place, statements } of todo) for (const statement of statements) await place.session.run(statement)
    } catch (error) {
      throw statementError(`lake table ${spec.database}.${spec.table} cannot be brought to its schema`, error)
    } finally {
      this.#columns.delete(tableName(spec))
    }
    if ((UNITED as readonly string[]).includes(spec.database)) await unite(this.#session, spec.database)
  }

  /** The statements that make the table at a place match the spec. */
  async #changes(spec: TableSpec, { session, table, follows, create }: Place, late: boolean): Promise<string[]> {
    const existing = await storedColumns(session, table)
    if (existing.length === 0) return [create(createTable(spec, this.#keeping))]
    if (follows) return []
    const hasNegative = (column: string) => this.#hasNegative(spec, column)
    return alterations(spec, existing, hasNegative, { late, into: tableName(table) })
  }

  /** Rows of a file, in the order of the spec's columns, as an insert. Throws `Refused` if the table has no column for them. */
  async insertFrom(spec: TableSpec, path: string, token: string): Promise<Insert> {
    const filled: Filled = isIndex(spec) ? INDEX_INSERT : isLookupRows(spec) ? LOOKUP_INSERT : await this.#filled(spec)
    const file = { path, format: 'Native', structure: NativeRows.structure(spec.columns) } as const
    return { spec, ...filled, file, token }
  }

  /** Looks at the stored columns of a table again: they may have been changed by others. */
  forget(table: TableId): void {
    this.#columns.delete(tableName(table))
  }

  /** Loads rows that were archived. Throws `Refused` if the table has no column for them. */
  async importFile(ask: ImportAsk): Promise<Imported> {
    return importFile(this.#session, ask, await this.#filled(ask.spec))
  }

  /** The stored columns for the spec's columns, and the expressions that fill them. */
  async #filled(spec: TableSpec): Promise<Filled> {
    const stored = this.#columns.get(tableName(spec)) ?? (await this.#load(spec))
    const columns = targetColumns(spec, stored)
    const values = spec.columns.map((column, i) => {
      const type = stored.find(({ name }) => name === columns[i])!.type
      // A column of numbers has become unsigned: a negative number would turn into another one.
      return isNarrowing(column, type) ? `accurateCast(c${i}, ${quoteText(type)})` : `c${i}`
    })
    return { columns, values }
  }

  async #load(table: TableId): Promise<readonly StoredColumn[]> {
    const columns = await storedColumns(this.#session, table)
    this.#columns.set(tableName(table), columns)
    return columns
  }

  async #hasNegative(table: TableId, column: string): Promise<boolean> {
    const text = await this.#session.run(`SELECT 1 FROM ${tableName(table)} WHERE ${quoteName(column)} < 0 LIMIT 1`)
    return text.trim() !== ''
  }
}

async function storedColumns(session: Statements, { database, table }: TableId): Promise<StoredColumn[]> {
  const where = `database = ${quoteText(database)} AND table = ${quoteText(table)}`
  const text = await session.run(
    `SELECT name, type, is_in_partition_key OR is_in_sorting_key FROM system.columns WHERE ${where} ORDER BY position`,
  )
  return rowsOf<[string, string, number]>(text).map(([name, type, isKey]) => ({ name, type, isKey: isKey === 1 }))
}

/** Makes `<database>.all` show the `p_` columns that all its tables have with the same type. */
export async function unite(session: Session, database: string): Promise<void> {
  const tables = `database = ${quoteText(database)} AND table != ${quoteText(ALL)}`
  const text =
    await session.run(`SELECT name, type FROM system.columns WHERE ${tables} AND startsWith(name, 'p_') GROUP BY name, type
      HAVING count() = (SELECT uniqExact(table) FROM system.columns WHERE ${tables}) ORDER BY min(position), name`)
  const common = allColumns(
    rowsOf<[string, string]>(text)
      .map(([name, type]) => ({ name, type }))
      .filter(({ name }) => !isKept(name)),
  )
  const before = await storedColumns(session, { database, table: ALL })
  const key = (columns: readonly StoredColumn[]) => JSON.stringify(columns.map(({ name, type }) => [name, type]).sort())
  if (key(before) !== key(common)) await define(session, createAll(database, common))
}
