import type { Kysely } from 'kysely'

/** What correlation rules remember between signals. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('correlation')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('rule_id', 'text', (column) => column.notNull())
    .addColumn('wake_ms', 'bigint', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute()
  await schema.createIndex('correlation_wake').on('correlation').columns(['wake_ms', 'id']).execute()
  await schema.createIndex('correlation_rule').on('correlation').column('rule_id').execute()
}
