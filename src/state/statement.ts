import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely'
import type { StateTables } from './tables.ts'

/** Stands for a value while a statement is built. */
class Place {
  readonly row: number
  readonly key: string

  constructor(row: number, key: string) {
    this.row = row
    this.key = key
  }
}

/** The values that a statement is given, row by row. */
export type Rows<R> = readonly [R, ...R[]]

/**
 * A statement that every batch makes. It is built once for each dialect and number of rows, and afterwards only gets its values: building
 * one costs more than running it. `build` may use the rows only as values, as it does not see what they are.
 */
export function statement<R extends object, O>(
  build: (db: Kysely<StateTables>, rows: Rows<R>) => Compilable<O>,
): (db: Kysely<StateTables>, rows: readonly R[]) => Promise<QueryResult<O>> {
  const known = new WeakMap<object, Map<string, CompiledQuery<O>>>()
  return (db, rows) => {
    const { adapter } = db.getExecutor()
    const ofDialect = known.get(adapter) ?? new Map<string, CompiledQuery<O>>()
    known.set(adapter, ofDialect)
    const keys = Object.keys(rows[0]!)
    const name = `${rows.length} ${keys.join(' ')}`
    let built = ofDialect.get(name)
    if (!built) {
      const places = rows.map((_, row) => Object.fromEntries(keys.map((key) => [key, new Place(row, key)])))
      built = build(db, places as unknown as Rows<R>).compile() as CompiledQuery<O>
      ofDialect.set(name, built)
    }
    const parameters = built.parameters.map((value) =>
      value instanceof Place ? (rows[value.row] as Record<string, unknown>)[value.key] : value,
    )
    return db.executeQuery({ ...built, parameters })
  }
}
