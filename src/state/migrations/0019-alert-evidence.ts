import type { Kysely } from 'kysely'

/** The first matches of each alert, so that its decision can be reproduced when the events are gone. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('alert_evidence')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('alert_id', 'text', (column) => column.notNull().references('alerts.alert_id').onDelete('cascade'))
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('source_id', 'text', (column) => column.notNull())
    .addColumn('bytes', 'integer', (column) => column.notNull())
    .addColumn('detail', 'blob', (column) => column.notNull())
    .addUniqueConstraint('alert_evidence_match', ['alert_id', 'number'])
    .execute()
  // Their sum is read from the index alone.
  await schema.createIndex('alert_evidence_bytes').on('alert_evidence').column('bytes').execute()
}
