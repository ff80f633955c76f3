import type { Kysely } from 'kysely'

/** What receivers call what a delivery created there, and the digest that carried a delivery. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .alterTable('deliveries')
    .addColumn('reference', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
  await schema
    .alterTable('deliveries')
    .addColumn('digest_id', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
}
