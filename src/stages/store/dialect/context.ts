import type { ColumnKind } from '../../../model/column.ts'
import { NULL, type Shape, type Value } from './value.ts'

/** Looks up a table of the lake; undefined if it does not exist. */
export type Catalog = (database: string, table: string) => CatalogTable | undefined

/** The parts of a `TableSpec` that a translation needs. */
export interface CatalogTable {
  readonly columns: readonly CatalogColumn[]
  /** The JSON column with the fields that have no column, so any name may be a field. */
  readonly fieldsIn?: string
  /** No source specifies this log type, so the table does not exist. */
  readonly unread?: string
}

export interface CatalogColumn {
  readonly name: string
  readonly kind: ColumnKind
}

const SHAPES: Readonly<Record<ColumnKind, Shape>> = {
  string: 'text',
  int: 'number',
  smallint: 'number',
  bigint: 'number',
  ubigint: 'number',
  float: 'number',
  boolean: 'boolean',
  timestamp: 'time',
  json: 'json',
  strings: 'list of text',
}

/** How a column of the lake is read in a query. */
export function shapeOf(kind: ColumnKind): Shape {
  return SHAPES[kind]
}

/** A table or column that the query needs and the lake does not have. */
export interface Missing {
  readonly database: string
  readonly table: string
  /** Missing: the table itself. */
  readonly column?: string
  /** The log type of the table's events, if a source only has to name it for the table to exist. */
  readonly logType?: string
  /** The query reads into the column (`column:path`). */
  readonly nested?: boolean
}

/** The input and results of one translation. Collects all problems, not only the first. */
export class Context {
  readonly catalog: Catalog
  readonly problems = new Set<string>()
  readonly notes = new Set<string>()
  readonly tables = new Set<string>()
  readonly #missing = new Map<string, Missing>()
  #aliases = 0

  constructor(catalog: Catalog) {
    this.catalog = catalog
  }

  get missing(): Missing[] {
    return [...this.#missing.values()]
  }

  /** Records something that is not supported, and returns the value to use until the query is rejected. */
  unsupported(what: string): Value {
    this.problems.add(what)
    return NULL
  }

  miss(missing: Missing): void {
    const key = `${missing.database}.${missing.table}.${missing.column ?? ''}`.toLowerCase()
    const known = this.#missing.get(key)
    this.#missing.set(key, known?.nested ? known : missing)
  }

  note(text: string): void {
    this.notes.add(text)
  }

  /** A relation name that no query uses. */
  alias(kind: string): string {
    this.#aliases++
    return `${kind} ${this.#aliases}`
  }
}
