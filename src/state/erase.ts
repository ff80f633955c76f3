import { setImmediate } from 'node:timers/promises'
import { inflateRawSync } from 'node:zlib'
import { type Kysely, sql } from 'kysely'
import { type WordPattern, wordPattern } from '../util/word-pattern.ts'
import { heldAlertIds } from './holds.ts'
import { ownAdapter } from './own-adapter.ts'
import type { StateTables } from './tables.ts'

/** What stands in place of a value that was deleted. Where JSON has it as a number, it becomes 0. */
export const ERASED = '[deleted]'
const NUMBER = /^-?\d+(?:\.\d+)?$/
/** Maximum number of rows changed per transaction, because batches wait for it. */
const ROWS_PER_STEP = 100

interface Place {
  readonly table: keyof StateTables
  readonly columns: readonly string[]
  /** `delete`: rows with the value go. `redact`: the value is replaced in them. */
  readonly how: 'delete' | 'redact'
  /** Its rows belong to alerts: those of alerts on hold stay as they are. */
  readonly ofAlerts?: true
  /** The column with the number of a row; default `rowid`. */
  readonly place?: 'id' | 'rowid'
}

/**
 * Where state can have a value that a record brought. Alerts, deliveries and mutes are kept without it, because what was detected and done
 * must stay known; what only serves to judge further events is deleted. Content and its history, cursors and the names of tokens are not
 * records: a deletion reports them, and leaves them.
 */
const PLACES: readonly Place[] = [
  { table: 'alerts', columns: ['body', 'reason', 'owner', 'context_tags'], how: 'redact', ofAlerts: true },
  { table: 'alert_timeline', columns: ['detail', 'key'], how: 'redact', ofAlerts: true, place: 'id' },
  { table: 'deliveries', columns: ['body', 'error', 'reference'], how: 'redact', ofAlerts: true },
  { table: 'mutes', columns: ['criteria', 'owner', 'reason'], how: 'redact' },
  { table: 'answered_calls', columns: ['answer'], how: 'redact' },
  { table: 'table_status', columns: ['value'], how: 'redact' },
  { table: 'unknown_fields', columns: ['field'], how: 'delete' },
  { table: 'correlation', columns: ['id', 'value'], how: 'delete' },
  { table: 'risk', columns: ['value', 'shares'], how: 'delete' },
  { table: 'rule_cache', columns: ['entry'], how: 'delete' },
  { table: 'written_rows', columns: ['entry'], how: 'delete' },
]

export interface ErasedState {
  /** Table → rows that were changed or deleted, or would be. */
  readonly rows: Readonly<Record<string, number>>
  /** Alerts on hold that contain the value, and keep it. */
  readonly held: readonly string[]
}

/** What to do: remove a value, count where it is, or remove from disk what is left of deleted rows. */
export type StateErasure = { readonly do: 'erase' | 'count'; readonly value: string } | { readonly do: 'scrub' }

export async function eraseState(db: Kysely<StateTables>, ask: StateErasure): Promise<ErasedState> {
  if (ask.do !== 'scrub') return eraseFromState(db, wordPattern(ask.value), ask.do === 'count')
  await scrubState(db)
  return { rows: {}, held: [] }
}

/** Removes a value from state; `isDry`: only counts. Afterwards its bytes are still in the file, until `scrubState`. */
export async function eraseFromState(db: Kysely<StateTables>, pattern: WordPattern, isDry: boolean): Promise<ErasedState> {
  const held = new Set(await heldAlertIds(db))
  const rows: Record<string, number> = {}
  const found = new Set<string>()
  for (const place of PLACES) {
    const n = await erasePlace(db, place, { pattern, isDry, held, found })
    if (n > 0) rows[place.table] = n
  }
  const evidence = await eraseEvidence(db, { pattern, isDry, held, found })
  if (evidence > 0) rows['alert_evidence'] = evidence
  return { rows, held: [...found].sort() }
}

interface Task {
  readonly pattern: WordPattern
  readonly isDry: boolean
  readonly held: ReadonlySet<string>
  /** Receives alerts on hold that contain the value. */
  readonly found: Set<string>
}

type Row = Readonly<Record<string, unknown>> & { readonly place: number }

async function erasePlace(
  db: Kysely<StateTables>,
  { table, columns, how, ofAlerts, place = 'rowid' }: Place,
  task: Task,
): Promise<number> {
  const { pattern, isDry, held, found } = task
  const parts = [...new Set(pattern.spellings.map(asciiPart))]
  const mentions = columns.flatMap((column) => parts.map((part) => mentioned(column, part)))
  const chosen = [...columns, ...(ofAlerts ? ['alert_id'] : [])].map((column) => sql.ref(column))
  const row = sql.ref(place)
  let after = 0
  let n = 0
  for (;;) {
    const { rows } = await sql<Row>`SELECT ${row} AS place, ${sql.join(chosen)} FROM ${sql.table(table)}
      WHERE ${row} > ${after} AND (${sql.join(mentions, sql` OR `)}) ORDER BY ${row} LIMIT ${ROWS_PER_STEP}`.execute(db)
    if (rows.length === 0) return n
    after = rows.at(-1)!.place
    const own = rows.filter((row) => columns.some((column) => pattern.test(String(row[column] ?? ''))))
    const free = own.filter((row) => {
      const alert = String(row['alert_id'] ?? '')
      if (held.has(alert)) found.add(alert)
      return !held.has(alert)
    })
    n += free.length
    if (!isDry && free.length > 0)
      await db.transaction().execute(async (tx) => {
        for (const one of free) {
          if (how === 'delete') await sql`DELETE FROM ${sql.table(table)} WHERE ${row} = ${one.place}`.execute(tx)
          else {
            const values = columns
              .filter((column) => typeof one[column] === 'string')
              .map((column) => sql`${sql.ref(column)} = ${redacted(table, column, one[column] as string, pattern)}`)
            await sql`UPDATE ${sql.table(table)} SET ${sql.join(values)} WHERE ${row} = ${one.place}`.execute(tx)
          }
        }
      })
    await setImmediate()
  }
}

function mentioned(column: string, part: string) {
  const pattern = `%${part.replace(/[\\%_]/g, '\\$&')}%`
  return sql`lower(${sql.ref(column)}) LIKE ${pattern} ESCAPE '\\'`
}

/** The longest part whose case the database can disregard; it only knows that of ASCII. If it is empty, every text has it, and each is compared. */
function asciiPart(text: string): string {
  const parts = text.split(/[^ -~]+/)
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest)).toLowerCase()
}

/** The event and the context of an alert go as a whole if they have the value: the rest of them is about the same person. */
function redacted(table: string, column: string, text: string, pattern: WordPattern): string {
  const by = NUMBER.test(pattern.spellings[0]!) ? '0' : ERASED
  if (table !== 'alerts' || column !== 'body') return pattern.replace(text, by)
  const body = JSON.parse(text) as Record<string, unknown>
  for (const key of ['sampleEvent', 'context']) if (pattern.test(JSON.stringify(body[key] ?? null))) body[key] = null
  return pattern.replace(JSON.stringify(body), by)
}

async function eraseEvidence(db: Kysely<StateTables>, { pattern, isDry, held, found }: Task): Promise<number> {
  let after = 0
  let n = 0
  for (;;) {
    const rows = await db
      .selectFrom('alert_evidence')
      .select(['id', 'alert_id', 'detail'])
      .where('id', '>', after)
      .orderBy('id')
      .limit(ROWS_PER_STEP)
      .execute()
    if (rows.length === 0) return n
    after = rows.at(-1)!.id
    const own = rows.filter(({ detail }) => pattern.test(inflateRawSync(detail).toString()))
    for (const { alert_id } of own) if (held.has(alert_id)) found.add(alert_id)
    const gone = own.filter(({ alert_id }) => !held.has(alert_id)).map(({ id }) => id)
    n += gone.length
    if (!isDry && gone.length > 0) await db.deleteFrom('alert_evidence').where('id', 'in', gone).execute()
    await setImmediate()
  }
}

/**
 * Rewrites the state's files, so that nothing of what was deleted is left in them. Batches wait for it, about a second per GB.
 *
 * @throws {RetryLater} if somebody reads the state for too long.
 */
export async function scrubState(db: Kysely<StateTables>): Promise<void> {
  const tables = [...PLACES.map(({ table }) => table), 'alert_evidence', 'stored_chunks']
  await ownAdapter(db).scrub(db as Kysely<never>, tables)
}
