/** How a column's values are kept in the lake. Integers by size: 32, 16 and 64 bits, and 64 bits without a sign (`ubigint`). */
export type ColumnKind =
  | 'string'
  | 'int'
  | 'smallint'
  | 'bigint'
  | 'ubigint'
  | 'float'
  | 'boolean'
  | 'timestamp'
  | 'json'
  | 'strings'

/** One column of a lake table. */
export interface Column {
  readonly name: string
  readonly kind: ColumnKind
  /** The standard columns that every row has are not nullable. */
  readonly required?: boolean
}

/** A lake table, as the pipeline asks for it. Columns may be added later, never taken away or changed. */
export interface TableSpec {
  /** `logs`, `matches`, `signals` or `monitor`. */
  readonly database: string
  readonly table: string
  readonly columns: readonly Column[]
  /** The column that partitions (by month) and sorts. */
  readonly timeColumn: string
  /** The JSON column with the events' fields, when no schema file describes them: a name that no column has is one of them. */
  readonly fieldsIn?: string
  /** The log type whose table this would be, if a source named it. */
  readonly unread?: string
}
