import type { Kysely, Transaction } from 'kysely'
import type { AlertTable } from '../model/alert.ts'
import type { StateTables } from './tables.ts'

/** Maximum number of rows per statement, far below SQLite's limit on bound values. */
const ROWS_PER_STATEMENT = 200

/** Records the table versions that alerts name; those known already stay. */
export async function saveAlertTables(tx: Transaction<StateTables>, named: readonly AlertTable[]): Promise<void> {
  const rows = named.map(({ alertId, table, version }) => ({ alert_id: alertId, table_name: table, version }))
  for (let i = 0; i < rows.length; i += ROWS_PER_STATEMENT)
    await tx
      .insertInto('alert_tables')
      .values(rows.slice(i, i + ROWS_PER_STATEMENT))
      .onConflict((oc) => oc.doNothing())
      .execute()
}

/** The versions of a table that some alert names. */
export async function namedVersions(db: Kysely<StateTables>, table: string): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('alert_tables')
    .select('version')
    .distinct()
    .where('table_name', '=', table.toWellFormed())
    .execute()
  return new Set(rows.map(({ version }) => version))
}
