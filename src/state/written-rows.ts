import type { Kysely, Transaction } from 'kysely'
import type { RowChange, TableWrite, WrittenRow, WrittenTableId } from '../model/table-write.ts'
import type { Timeouts } from '../stages/enrich/written/event-source.ts'
import { sha256 } from '../util/hash.ts'
import type { StateTables } from './tables.ts'

/** Far below SQLite's limit on bound values. */
const ROWS_PER_STATEMENT = 100
/** The sequence with the number of the last write. */
const SEQUENCE = 'table_write'

/** Saves what a batch's events changed in tables, as part of its transaction. */
export async function saveTableWrite(tx: Transaction<StateTables>, write: TableWrite | undefined): Promise<void> {
  if (!write) return
  const { number, changes } = write
  await tx
    .insertInto('sequences')
    .values({ name: SEQUENCE, value: number })
    .onConflict((oc) => oc.column('name').doUpdateSet({ value: number }))
    .execute()
  for (const { table, key, after } of changes) {
    if (after) continue
    await tx
      .deleteFrom('written_rows')
      .where('table_name', '=', table.name)
      .where('shape', '=', table.shape)
      .where('key_hash', '=', hashOf(key))
      .execute()
  }
  const rows = changes.flatMap(stored)
  for (let i = 0; i < rows.length; i += ROWS_PER_STATEMENT)
    await tx
      .insertInto('written_rows')
      .values(rows.slice(i, i + ROWS_PER_STATEMENT))
      .onConflict((oc) =>
        oc.columns(['table_name', 'shape', 'key_hash']).doUpdateSet(({ ref }) => ({
          entry: ref('excluded.entry'),
          version: ref('excluded.version'),
          since_ms: ref('excluded.since_ms'),
          created_ms: ref('excluded.created_ms'),
          written_ms: ref('excluded.written_ms'),
          read_ms: ref('excluded.read_ms'),
          position: ref('excluded.position'),
        })),
      )
      .execute()
}

function stored({ table, key, after }: RowChange): StateTables['written_rows'][] {
  if (!after) return []
  const { spelling, text, version, sinceMs, createdMs, writtenMs, readMs, order } = after
  const times = { since_ms: sinceMs, created_ms: createdMs, written_ms: writtenMs, read_ms: readMs }
  const entry = JSON.stringify([key, spelling, text])
  return [{ table_name: table.name, shape: table.shape, key_hash: hashOf(key), entry, version, ...times, position: order }]
}

/** The rows of the tables with these names, in the order in which they were written, and the number of the last write. */
export async function loadWrittenRows(
  db: Kysely<StateTables>,
  names: readonly string[],
): Promise<{ number: number; tables: { id: WrittenTableId; rows: WrittenRow[] }[] }> {
  const last = await db.selectFrom('sequences').select('value').where('name', '=', SEQUENCE).executeTakeFirst()
  const tables = new Map<string, { id: WrittenTableId; rows: WrittenRow[] }>()
  for (const name of names) {
    const rows = await db.selectFrom('written_rows').selectAll().where('table_name', '=', name).orderBy('position').execute()
    for (const row of rows) {
      const id = { name, shape: row.shape }
      const table = tables.get(JSON.stringify(id)) ?? { id, rows: [] }
      tables.set(JSON.stringify(id), table)
      table.rows.push(rowOf(row))
    }
  }
  return { number: last?.value ?? 0, tables: [...tables.values()] }
}

/** The row of a table for a key, in the form that all its spellings share. */
export async function writtenRow(
  db: Kysely<StateTables>,
  { name, shape }: WrittenTableId,
  key: string,
): Promise<WrittenRow | undefined> {
  const row = await db
    .selectFrom('written_rows')
    .selectAll()
    .where('table_name', '=', name)
    .where('shape', '=', shape)
    .where('key_hash', '=', hashOf(key))
    .executeTakeFirst()
  return row && rowOf(row)
}

/** How many rows a table has, and when events last wrote one, epoch milliseconds. */
export interface WrittenTableSize {
  readonly rows: number
  readonly lastMs: number | undefined
  /** The newest `p_version`. */
  readonly version: number | undefined
}

/** The size of a table, without rows that have expired. */
export async function writtenTableSize(
  db: Kysely<StateTables>,
  { name, shape }: WrittenTableId,
  { createMs, writeMs, readMs }: Timeouts,
  nowMs: number,
): Promise<WrittenTableSize> {
  const after = (timeout: number | undefined) => (timeout === undefined ? -1 : nowMs - timeout)
  const row = await db
    .selectFrom('written_rows')
    .select(({ fn }) => [fn.countAll<number>().as('rows'), fn.max('written_ms').as('last'), fn.max('version').as('version')])
    .where('table_name', '=', name)
    .where('shape', '=', shape)
    .where('created_ms', '>', after(createMs))
    .where('written_ms', '>', after(writeMs))
    .where((eb) => eb.or([eb('read_ms', '>', after(readMs)), eb('written_ms', '>', after(readMs))]))
    .executeTakeFirst()
  return { rows: Number(row?.rows ?? 0), lastMs: row?.last ?? undefined, version: row?.version ?? undefined }
}

function rowOf(row: StateTables['written_rows']): WrittenRow {
  const [key, spelling, text] = JSON.parse(row.entry) as [string, string, string]
  const { version, since_ms: sinceMs, created_ms: createdMs, written_ms: writtenMs, read_ms: readMs, position: order } = row
  return { key, spelling, text, version, sinceMs, createdMs, writtenMs, readMs, order }
}

/** Keys are untrusted text. */
function hashOf(key: string): string {
  return sha256(Buffer.from(JSON.stringify(key)))
}
