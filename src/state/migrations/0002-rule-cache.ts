import type { Kysely } from 'kysely'

/** What rules remember between events. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('rule_cache')
    .addColumn('key_hash', 'text', (column) => column.primaryKey())
    .addColumn('entry', 'text', (column) => column.notNull())
    .addColumn('expires_ms', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('rule_cache_expires').on('rule_cache').column('expires_ms').execute()
}
