import type { Kysely } from 'kysely'
import type { FinishedRows } from '../model/batch.ts'
import { saveRows } from './batches.ts'
import type { StateTables } from './tables.ts'

/** A lookup table's stored refresh status: JSON text, or `undefined`. */
export async function loadTableState(db: Kysely<StateTables>, name: string): Promise<string | undefined> {
  const row = await db.selectFrom('table_status').select('value').where('name', '=', name).executeTakeFirst()
  return row?.value
}

/** Stores it, with rows for the outbox. */
export async function saveTableState(
  db: Kysely<StateTables>,
  name: string,
  value: string,
  rows: readonly FinishedRows[],
  nowMs: number,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('table_status')
      .values({ name, value })
      .onConflict((oc) => oc.column('name').doUpdateSet({ value }))
      .execute()
    await saveRows(tx, rows, nowMs)
  })
}

/** Adds a table's version to the outbox if it differs from the last one. Returns whether it did. */
export async function recordTableVersion(
  db: Kysely<StateTables>,
  name: string,
  version: string,
  row: FinishedRows,
  nowMs: number,
): Promise<boolean> {
  const key = `table_version:${name}`
  return db.transaction().execute(async (tx) => {
    const last = await tx.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst()
    if (last?.value === version) return false
    await tx
      .insertInto('meta')
      .values({ key, value: version })
      .onConflict((oc) => oc.column('key').doUpdateSet({ value: version }))
      .execute()
    await saveRows(tx, [row], nowMs)
    return true
  })
}
