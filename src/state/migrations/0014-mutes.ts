import type { Kysely } from 'kysely'

/** Mutes, with what they did so far. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('mutes')
    .addColumn('mute_id', 'text', (column) => column.primaryKey())
    .addColumn('criteria', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_ms', 'bigint', (column) => column.notNull())
    .addColumn('ended_ms', 'bigint')
    .addColumn('ended_by', 'text')
    .addColumn('matches', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('alerts', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('last_ms', 'bigint')
    .execute()
  await schema.createIndex('mutes_expires').on('mutes').column('expires_ms').execute()
}
