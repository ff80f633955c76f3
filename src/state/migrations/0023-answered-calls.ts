import type { Kysely } from 'kysely'

/** Calls of the API that callers have given a key, and what they were answered. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('answered_calls')
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('call', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('answer', 'text')
    .addPrimaryKeyConstraint('answered_calls_key', ['owner', 'key'])
    .execute()
  await schema.createIndex('answered_calls_created').on('answered_calls').column('created_ms').execute()
}
