import type { TableSpec } from '../../model/column.ts'
import { ONE_BLOCK, rowsOf, type Session } from './chdb-engine.ts'
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
import { statementError } from './engine-error.ts'
import { INDEX_INSERT, isIndex } from './indicators.ts'
import { isLookupRows, LOOKUP_ROWS } from './lookup-names.ts'
import { NativeRows } from './native.ts'

type TableId = Pick<TableSpec, 'database' | 'table'>

interface Filled {
  readonly columns: readonly string[]
  readonly values: readonly string[]
  readonly settings?: string
}

/** The stored columns have other types, which the values are converted to. */
const LOOKUP_INSERT: Filled = {
  columns: LOOKUP_ROWS.columns.map(({ name }) => name),
  values: LOOKUP_ROWS.columns.map((_, i) => `c${i}`),
}

/** Creates, widens and retypes the stored tables over one connection. Calls must not overlap. */
export class ChdbTables {
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
    const existing = await this.#load(spec)
    const statements =
      existing.length > 0
        ? await alterations(spec, existing, (column) => this.#hasNegative(spec, column), late)
        : [createTable(spec, this.#keeping)]
    if (statements.length === 0) return
    try {
      for (const statement of statements) await this.#session.run(statement)
    } catch (error) {
      throw statementError(`lake table ${spec.database}.${spec.table} cannot be brought to its schema`, error)
    } finally {
      this.#columns.delete(tableName(spec))
    }
    if ((UNITED as readonly string[]).includes(spec.database)) await unite(this.#session, spec.database)
  }

  /** The statement that stores a file's rows, in the order of the spec's columns. Throws `Refused` if the table has no column for them. */
  async insertFrom(spec: TableSpec, file: string, token: string): Promise<string> {
    const { columns, values, settings }: Filled = isIndex(spec)
      ? INDEX_INSERT
      : isLookupRows(spec)
        ? LOOKUP_INSERT
        : await this.#filled(spec)
    return `INSERT INTO ${tableName(spec)} (${columns.map(quoteName).join(', ')}) SELECT ${values.join(', ')}
FROM file(${quoteText(file)}, 'Native', ${quoteText(NativeRows.structure(spec.columns))})
SETTINGS ${[`insert_deduplication_token = ${quoteText(token)}`, ONE_BLOCK, settings].filter(Boolean).join(', ')}`
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

async function storedColumns(session: Session, { database, table }: TableId): Promise<StoredColumn[]> {
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
  if (key(before) !== key(common)) await session.run(createAll(database, common))
}
