/** How a column's values are stored in the lake. Integers by size: 32, 16 and 64 bits, and unsigned 64 bits (`ubigint`). */
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
  /** Standard columns that every row has are not nullable. */
  readonly required?: boolean
}

/** A lake table as the pipeline requests it. Columns may be added later, but never removed or changed. */
export interface TableSpec {
  /** `logs`, `matches`, `signals` or `monitor`. */
  readonly database: string
  readonly table: string
  readonly columns: readonly Column[]
  /** The column that partitions (by month) and sorts. */
  readonly timeColumn: string
  /**
   * The JSON column with the events' fields, if no schema file describes them: any name that is not a column is a field in it.
   */
  readonly fieldsIn?: string
  /** The log type whose table this would be if a source named it. */
  readonly unread?: string
}
