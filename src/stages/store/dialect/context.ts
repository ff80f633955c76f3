import type { ColumnKind } from '../../../model/column.ts'
import { NULL, type Shape, type Value } from './value.ts'

/** What the lake has: a table, or undefined when there is no such table. */
export type Catalog = (database: string, table: string) => CatalogTable | undefined

/** The parts of a `TableSpec` that a translation looks at. */
export interface CatalogTable {
  readonly columns: readonly CatalogColumn[]
  /** The JSON column with the fields that have no column of their own: any name may be one. */
  readonly fieldsIn?: string
  /** No source names this log type, so the table is not there. */
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

/** How a column of the lake reads in a query. */
export function shapeOf(kind: ColumnKind): Shape {
  return SHAPES[kind]
}

/** What a table or a column lacks for the query to run. */
export interface Missing {
  readonly database: string
  readonly table: string
  /** Absent: the table itself. */
  readonly column?: string
  /** The log type whose events the table would hold, when it is one that only a source has to name. */
  readonly logType?: string
  /** The query reads into the column (`column:path`). */
  readonly nested?: boolean
}

/** What one translation knows and finds out. All problems are gathered, not only the first. */
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

  /** Notes something that is not understood; the value stands in its place until the query is given up. */
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

  /** A relation name that no query has. */
  alias(kind: string): string {
    this.#aliases++
    return `${kind} ${this.#aliases}`
  }
}
