import type { Kysely } from 'kysely'

/** When sources were last active, and how much they sent by minute and hour. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('source_activity')
    .addColumn('source_id', 'text', (column) => column.primaryKey())
    .addColumn('watched_ms', 'bigint', (column) => column.notNull())
    .addColumn('is_configured', 'integer', (column) => column.notNull())
    .addColumn('first_ms', 'bigint')
    .addColumn('last_ms', 'bigint')
    .addColumn('event_ms', 'bigint')
    .addColumn('lag_ms', 'bigint')
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createTable('source_flow')
    .addColumn('source_id', 'text', (column) => column.notNull())
    .addColumn('span_ms', 'integer', (column) => column.notNull())
    .addColumn('start_ms', 'bigint', (column) => column.notNull())
    .addColumn('records', 'bigint', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('source_flow_key', ['source_id', 'span_ms', 'start_ms'])
    .execute()
}
