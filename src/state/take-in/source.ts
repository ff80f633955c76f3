import { openSqlite, type SqliteFile } from '../sqlite.ts'

/** A table of a state in SQLite. */
export interface SourceTable {
  readonly name: string
  readonly columns: readonly SourceColumn[]
  /** The column that counts by itself, which is the row's number; otherwise the number is `rowid`. */
  readonly counter: string | undefined
  /** The greatest number that a row has, or has had. */
  readonly last: string
  readonly rows: number
}

export interface SourceColumn {
  readonly name: string
  /** As the migrations declare it: text, integer, bigint, real, blob. */
  readonly type: string
}

/** A row: its number, then the values of the columns. */
export type SourceRow = readonly (string | number | Uint8Array | null)[]

/** How much is read at a time: rows with bytes can be large. */
const PAGE = 500
const PAGE_OF_BYTES = 50

/** Reads a state in SQLite that nobody writes. */
export class StateSource {
  readonly #file: SqliteFile

  constructor(path: string) {
    this.#file = openSqlite(path)
  }

  /** Its tables, in an order in which each comes after those that it refers to. */
  tables(): SourceTable[] {
    const names = this.#all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      .map(({ name }) => name)
      .filter((name) => !/^(?:sqlite|kysely)_/.test(name))
    const parents = new Map(
      names.map((name) => [
        name,
        this.#all<{ table: string }>(`PRAGMA foreign_key_list(${quoted(name)})`).map(({ table }) => table),
      ]),
    )
    const sorted: string[] = []
    while (sorted.length < names.length) {
      const next = names.find((name) => !sorted.includes(name) && parents.get(name)!.every((one) => sorted.includes(one)))
      if (next === undefined) throw new TypeError('tables of the state refer to each other in a circle')
      sorted.push(next)
    }
    return sorted.map((name) => this.#table(name))
  }

  /** All rows of a table in the order of insertion, page by page. */
  *pages({ name, columns }: SourceTable): Generator<SourceRow[]> {
    const limit = columns.some(({ type }) => type === 'blob') ? PAGE_OF_BYTES : PAGE
    const values = columns.map((column, i) => `${expressionOf(column)} AS c${i}`)
    const page = `SELECT rowid AS number, ${values.join(', ')} FROM ${quoted(name)} WHERE rowid > ? ORDER BY rowid LIMIT ${limit}`
    const statement = this.#file.prepare(page)
    for (let after = 0; ; ) {
      const rows = statement.all([after]) as Record<string, unknown>[]
      if (rows.length === 0) return
      yield rows.map((row) => [Number(row['number']), ...columns.map((_, i) => storable(row[`c${i}`]))])
      after = Number(rows.at(-1)!['number'])
    }
  }

  close(): void {
    this.#file.close()
  }

  #table(name: string): SourceTable {
    const listed = this.#all<{ name: string; type: string; pk: number }>(`PRAGMA table_info(${quoted(name)})`)
    const columns = listed.map((column) => ({ name: column.name, type: column.type.toLowerCase() }))
    const hasSequences = this.#all("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").length > 0
    const sequences = hasSequences
      ? this.#all<{ seq: string }>('SELECT CAST(seq AS TEXT) AS seq FROM sqlite_sequence WHERE name = ?', name)
      : []
    // SQLite's own name for a column that is the row's number.
    const counter = listed.find(({ pk, type }) => pk > 0 && type.toLowerCase() === 'integer')?.name
    const [counted] = this.#all<{ rows: number; last: string }>(
      `SELECT count(*) AS "rows", CAST(coalesce(max(rowid), 0) AS TEXT) AS last FROM ${quoted(name)}`,
    )
    const { rows, last } = counted!
    const used = sequences[0]?.seq ?? '0'
    return { name, columns, counter, rows, last: BigInt(used) > BigInt(last) ? used : last }
  }

  #all<Row>(sql: string, ...values: string[]): Row[] {
    return this.#file.prepare(sql).all(values) as Row[]
  }
}

/** Whole numbers as text, so that no digit is lost. Earlier versions have stored fractions of milliseconds, which mean nothing. */
function expressionOf({ name, type }: SourceColumn): string {
  const column = quoted(name)
  if (type !== 'integer' && type !== 'bigint') return column
  return `CASE typeof(${column}) WHEN 'real' THEN CAST(CAST(${column} AS INTEGER) AS TEXT) ELSE CAST(${column} AS TEXT) END`
}

function storable(value: unknown): SourceRow[number] {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  return new Uint8Array(value as ArrayBuffer)
}

/** A name as SQL, for SQLite as well as for PostgreSQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
