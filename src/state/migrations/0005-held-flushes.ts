import type { Kysely } from 'kysely'

/** Tables of the lake wait apart from each other: what one did not take of a flush is kept beside the flushes that follow. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('held_flushes')
    .addColumn('lake_table', 'text', (column) => column.primaryKey().notNull())
    .addColumn('flush_id', 'text', (column) => column.notNull())
    .addColumn('from_id', 'bigint', (column) => column.notNull())
    .addColumn('to_id', 'bigint', (column) => column.notNull())
    .execute()
}
