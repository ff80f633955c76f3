import { alterRows, catalogue } from './cluster.ts'
import { ALL, DATABASES, quoteName, quoteText, tableName } from './ddl.ts'
import { rowsOf, type Session } from './engine.ts'
import { heldRows } from './partitions.ts'

/** A value to look for, or to delete. */
export interface EraseAsk {
  /** As a pattern of RE2, and as it is. */
  readonly re2: string
  readonly value: string
  /** Alerts on hold: their rows are kept. */
  readonly held: readonly string[]
}

/** Rows with the value in one table. */
export interface FoundRows {
  readonly database: string
  readonly table: string
  /** Rows that go, or have gone, and rows of alerts on hold. */
  readonly rows: number
  readonly held: number
}

/** The pattern and the value as SQL. */
export interface Sought {
  readonly re2: string
  readonly value: string
}

/** As literals. */
export function literal({ re2, value }: EraseAsk): Sought {
  return { re2: quoteText(re2), value: quoteText(value) }
}

interface Stored {
  readonly database: string
  readonly table: string
  /** The condition for rows with the value. */
  readonly condition: string
}

/** Every row of every table that has the value in a column of text. */
export async function findRows(session: Session, ask: EraseAsk): Promise<FoundRows[]> {
  const found: FoundRows[] = []
  for (const { database, table, condition } of await tablesOf(session, literal(ask))) {
    const held = (await heldRows(session, { database, table }, ask.held)) ?? '0'
    const text = await session.run(
      `SELECT countIf(NOT ifNull(${held}, 0)), countIf(ifNull(${held}, 0)) FROM ${tableName({ database, table })} WHERE ${condition}`,
    )
    const [rows, kept] = rowsOf<[number, number]>(text)[0]!.map(Number) as [number, number]
    if (rows + kept > 0) found.push({ database, table, rows, held: kept })
  }
  return found
}

/** Deletes the rows with the value, but for those of alerts on hold. Their bytes stay on disk until `Lake.scrub`. `sought`: the value in the deletions. */
export async function eraseRows(session: Session, ask: EraseAsk, sought: Sought): Promise<FoundRows[]> {
  const found = await findRows(session, ask)
  for (const { database, table, condition } of await tablesOf(session, sought)) {
    if (!found.some((one) => one.database === database && one.table === table && one.rows > 0)) continue
    const name = tableName({ database, table })
    const held = await heldRows(session, { database, table }, ask.held)
    const rows = held === undefined ? condition : `(${condition}) AND NOT ifNull(${held}, 0)`
    const partitions = await session.run(`SELECT DISTINCT _partition_id FROM ${name} WHERE ${rows}`)
    for (const [id] of rowsOf<[string]>(partitions))
      await alterRows(
        session,
        { database, table },
        `DELETE IN PARTITION ID ${quoteText(id)} WHERE ${rows} SETTINGS mutations_sync = 2`,
      )
  }
  return found
}

/** The tables with columns of text. */
async function tablesOf(session: Session, { re2, value }: Sought): Promise<Stored[]> {
  const text = await session.run(
    `SELECT c.database, c.table, c.name, c.type FROM system.columns AS c WHERE c.database IN (${DATABASES.map(quoteText).join(', ')})
     AND c.table != ${quoteText(ALL)} AND position(c.type, 'String') > 0 AND (c.database, c.table) IN
       (SELECT database, name FROM ${catalogue(session, 'tables')} WHERE endsWith(engine, 'MergeTree')) ORDER BY c.database, c.table, c.position`,
  )
  const tables = new Map<string, Stored & { readonly parts: string[] }>()
  for (const [database, table, column, type] of rowsOf<[string, string, string, string]>(text)) {
    const key = tableName({ database, table })
    const known = tables.get(key) ?? { database, table, condition: '', parts: [] }
    const has = (expression: string) =>
      `match(${expression}, ${re2}) OR (NOT isValidUTF8(${expression}) AND positionCaseInsensitive(${expression}, ${value}) > 0)`
    const name = quoteName(column)
    const isList = type.startsWith('Array')
    known.parts.push(isList ? `arrayExists(x -> ${has('x')}, ${name})` : `(${has(`ifNull(toString(${name}), '')`)})`)
    tables.set(key, known)
  }
  // Events before matches: events on hold are found by their matches.
  return [...tables.values()].map(({ database, table, parts }) => ({ database, table, condition: parts.join(' OR ') }))
}
