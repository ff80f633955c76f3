import type { Kysely } from 'kysely'

/** Lake tables wait independently: rows of a flush that one table did not accept are stored separately, and later flushes continue. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('held_flushes')
    .addColumn('lake_table', 'text', (column) => column.primaryKey().notNull())
    .addColumn('flush_id', 'text', (column) => column.notNull())
    .addColumn('from_id', 'bigint', (column) => column.notNull())
    .addColumn('to_id', 'bigint', (column) => column.notNull())
    .execute()
}
