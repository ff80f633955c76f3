import type { Kysely } from 'kysely'

/** Rule cache entries are ordered by when they were written: a rule first loses those that have been unchanged the longest. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .alterTable('rule_cache')
    .addColumn('written', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute()
  await schema.createIndex('rule_cache_written').on('rule_cache').column('written').execute()
}
