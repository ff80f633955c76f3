import { define, placed } from './cluster.ts'
import { quoteName, quoteText, tableName } from './ddl.ts'
import { rowsOf, type Session, type Settings, settingsText, UNDIVIDED } from './engine.ts'
import { statementError } from './engine-error.ts'
import { LOOKUP_ROWS, LOOKUPS } from './lookup-names.ts'

const ROWS = tableName(LOOKUP_ROWS)

/**
 * The rows of all lookup tables, those in force and earlier ones. A row that ends is inserted again with its end, and takes the place of
 * the one without (`FINAL`). The row without an id says which version is stored.
 */
export const CREATE_LOOKUP_ROWS = `CREATE TABLE IF NOT EXISTS ${ROWS} (
  p_table LowCardinality(String), p_row_id String, p_valid_from DateTime64(3, 'UTC'), p_valid_to Nullable(DateTime64(3, 'UTC')),
  p_is_over Bool, p_key String, p_row String, p_version LowCardinality(String)
) ENGINE = ReplacingMergeTree(p_is_over) ORDER BY (p_table, p_row_id, p_valid_from)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`

/** The last stored version of each table. */
export const STORED_LOOKUPS = `SELECT p_table, argMax(p_version, p_valid_from) AS p_version,
  toUnixTimestamp64Milli(max(p_valid_from)) AS since, argMax(p_row, p_valid_from) AS about
FROM ${ROWS} WHERE p_row_id = '' GROUP BY p_table`

/** How the values of a row's column are shown. `text`: strings as they are, everything else as JSON. */
export type LookupColumnKind = 'text' | 'integer' | 'number' | 'boolean' | 'texts'

export interface LookupColumn {
  readonly name: string
  readonly kind: LookupColumnKind
}

/** A version of a lookup table that is in force from a time on. */
export interface LookupVersion {
  readonly table: string
  readonly version: string
  /** Later than that of the version stored before. */
  readonly sinceMs: number
  /** A file with a JSON array of key and row (JSON text) on each line. `undefined`: no row is in force. */
  readonly file: string | undefined
  /** What the caller wants to know of it later, as text. */
  readonly about: string
}

/** A view of a lookup table. */
export interface LookupView {
  readonly name: string
  readonly table: string
  readonly isHistory: boolean
  readonly columns: readonly LookupColumn[]
  /** Why it has no rows: what a query is refused with. */
  readonly reason?: string | undefined
}

/** Stores lookup tables for SQL over one connection. Calls must not overlap. */
export class LakeLookups {
  readonly #session: Session
  /** View → the statement that created it. */
  readonly #made = new Map<string, string>()

  constructor(session: Session) {
    this.#session = session
  }

  /**
   * One insert, so it is stored as a whole or not at all: rows in force that this version lacks end, those that it adds begin. If it is
   * repeated, there is nothing to end or to begin.
   */
  async store(version: LookupVersion): Promise<void> {
    try {
      const { file: path } = version
      const insert = async (rows?: string) => {
        await this.#session.run(insertOf(version, placed(this.#session, LOOKUP_ROWS, version.table), rows))
      }
      if (path === undefined) await insert()
      else await this.#session.withFile({ path, format: 'JSONCompactEachRow', structure: 'key String, row String' }, insert)
    } catch (error) {
      throw statementError(`version ${version.version} of table ${version.table} cannot be stored in the lake`, error)
    }
  }

  /** Makes these the views of the database. */
  async show(views: readonly LookupView[]): Promise<void> {
    const wanted = new Set(views.map(({ name }) => name))
    const stored = await this.#session.run(`SELECT name FROM system.tables WHERE database = ${quoteText(LOOKUPS)}`)
    for (const [name] of rowsOf<[string]>(stored)) {
      if (wanted.has(name)) continue
      await define(this.#session, `DROP VIEW IF EXISTS ${tableName({ database: LOOKUPS, table: name })}`)
      this.#made.delete(name)
    }
    for (const view of views) {
      const statement = viewOf(view)
      if (this.#made.get(view.name) === statement) continue
      await define(this.#session, statement)
      this.#made.set(view.name, statement)
    }
  }
}

/** `rows`: the table with the version's content. */
function insertOf({ table, version, sinceMs, about }: LookupVersion, place: Settings, rows?: string): string {
  const name = quoteText(table)
  const since = `fromUnixTimestamp64Milli(${Math.trunc(sinceMs)}, 'UTC')`
  const content = rows ?? "values('key String, row String', ('', ''))"
  const given = `(SELECT hex(sipHash128(key, row)) AS id, key, row FROM ${content}${rows === undefined ? ' WHERE false' : ''})`
  const inForce = `SELECT p_row_id FROM ${ROWS} FINAL WHERE p_table = ${name} AND p_row_id != '' AND NOT p_is_over`
  return `INSERT INTO ${ROWS} (p_table, p_row_id, p_valid_from, p_valid_to, p_is_over, p_key, p_row, p_version) SELECT * FROM (
SELECT p_table, p_row_id, p_valid_from, toNullable(${since}), true, p_key, p_row, p_version FROM ${ROWS} FINAL
WHERE p_table = ${name} AND p_row_id != '' AND NOT p_is_over AND p_row_id NOT IN (SELECT id FROM ${given})
UNION ALL SELECT ${name}, id, ${since}, NULL, false, key, row, ${quoteText(version)} FROM ${given} WHERE id NOT IN (${inForce})
UNION ALL SELECT ${name}, '', ${since}, NULL, false, '', ${quoteText(about)}, ${quoteText(version)})
SETTINGS ${settingsText({ insert_deduplicate: 0, ...UNDIVIDED, ...place })}`
}

const EXPRESSIONS: Readonly<Record<LookupColumnKind, (name: string) => string>> = {
  text: (name) =>
    `multiIf(JSONType(p_row, ${name}) = 'String', toNullable(JSONExtractString(p_row, ${name})), JSONType(p_row, ${name}) = 'Null', NULL, JSONExtractRaw(p_row, ${name}))`,
  integer: (name) => `JSONExtract(p_row, ${name}, 'Nullable(Int64)')`,
  number: (name) => `JSONExtract(p_row, ${name}, 'Nullable(Float64)')`,
  boolean: (name) => `JSONExtract(p_row, ${name}, 'Nullable(Bool)')`,
  texts: (name) => `JSONExtract(p_row, ${name}, 'Array(String)')`,
}

const EMPTY: Readonly<Record<LookupColumnKind, string>> = {
  text: 'Nullable(String)',
  integer: 'Nullable(Int64)',
  number: 'Nullable(Float64)',
  boolean: 'Nullable(Bool)',
  texts: 'Array(String)',
}

function viewOf(view: LookupView): string {
  return `CREATE OR REPLACE VIEW ${tableName({ database: LOOKUPS, table: view.name })} AS ${view.reason === undefined ? rowsView(view) : reasonView(view)}`
}

function rowsView({ table, isHistory, columns }: LookupView): string {
  const own = isHistory
    ? ['p_valid_from', 'p_valid_to', 'p_valid_from AS p_event_time']
    : ['p_valid_from', "now64(3, 'UTC') AS p_event_time"]
  const shown = columns.map(({ name, kind }) => `${EXPRESSIONS[kind](quoteText(name))} AS ${quoteName(name)}`)
  return `SELECT ${[...shown, 'p_key', 'p_version', ...own, 'p_row'].join(', ')} FROM ${ROWS} FINAL
WHERE p_table = ${quoteText(table)} AND p_row_id != ''${isHistory ? '' : ' AND NOT p_is_over'}`
}

/** With the same columns, so that a query fails because of the reason and not because of a column's name. */
function reasonView({ isHistory, columns, reason }: LookupView): string {
  const shown = columns.map(
    ({ name, kind }) =>
      `${kind === 'texts' ? 'CAST([] AS Array(String))' : `CAST(NULL AS ${EMPTY[kind]})`} AS ${quoteName(name)}`,
  )
  const texts = ['p_key', 'p_version', 'p_row'].map((name) => `'' AS ${name}`)
  const times = ['p_valid_from', ...(isHistory ? ['p_valid_to'] : []), 'p_event_time'].map((name) => `now64(3, 'UTC') AS ${name}`)
  return `SELECT ${[...shown, ...texts, ...times].join(', ')} FROM system.one WHERE throwIf(dummy = 0, ${quoteText(reason!)}) = 0`
}
