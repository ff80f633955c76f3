import type { Kysely } from 'kysely'

/** Versions of lookup tables that alerts name: their contents are kept as long as the alert exists. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('alert_tables')
    .addColumn('table_name', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('alert_id', 'text', (column) => column.notNull().references('alerts.alert_id').onDelete('cascade'))
    .addPrimaryKeyConstraint('alert_tables_key', ['table_name', 'version', 'alert_id'])
    .execute()
  await schema.createIndex('alert_tables_alert').on('alert_tables').column('alert_id').execute()
}
