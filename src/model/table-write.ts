/** A table that events write: rows belong to its name and to how its keys are compared. */
export interface WrittenTableId {
  readonly name: string
  /** Hash of the key's columns and how they are compared. */
  readonly shape: string
}

/** A row that a batch's events write. */
export interface FoundRow {
  /** The form that all spellings of the key share. */
  readonly key: string
  /** The key as the event spells it. */
  readonly spelling: string
  /** Its columns: the text of a JSON object. */
  readonly text: string
}

/** What the events of a batch say about one table, in their order. */
export interface FoundRows {
  readonly table: WrittenTableId
  readonly rows: readonly FoundRow[]
  /** Keys that its events are joined on, each once. Only of a table whose rows expire if they are not read. */
  readonly reads: readonly string[]
  /** Rows that are too long to be written. */
  readonly tooLong: number
}

/** A row as it is from a write on. Times in epoch milliseconds: of receipt of the batches. */
export interface WrittenRow extends FoundRow {
  /** The number of the write that gave it these columns: its `p_version`. */
  readonly version: number
  /** When that was. */
  readonly sinceMs: number
  readonly createdMs: number
  readonly writtenMs: number
  readonly readMs: number
  /** Greater than that of every row that was written earlier. */
  readonly order: number
}

/** How a write changed one row. */
export interface RowChange {
  readonly table: WrittenTableId
  readonly key: string
  readonly before: WrittenRow | undefined
  /** `undefined`: the row is gone. */
  readonly after: WrittenRow | undefined
  /** When `before` ceased to be in force, or `after` began to be. */
  readonly atMs: number
}

/** Everything that one batch changed in tables. */
export interface TableWrite {
  /** Increases from write to write, also across restarts. */
  readonly number: number
  readonly changes: readonly RowChange[]
}
