import type { Kysely } from 'kysely'

/** Entries of the cache of rules keep the order in which they were written: a rule loses first what it has left untouched for longest. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .alterTable('rule_cache')
    .addColumn('written', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute()
  await schema.createIndex('rule_cache_written').on('rule_cache').column('written').execute()
}
