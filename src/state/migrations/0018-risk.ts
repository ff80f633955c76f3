import type { Kysely } from 'kysely'

/** The risk of entities. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('risk')
    .addColumn('field', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('score', 'real', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('is_alerted', 'integer', (column) => column.notNull())
    .addColumn('shares', 'text', (column) => column.notNull())
    .addColumn('rank', 'real', (column) => column.notNull())
    .addPrimaryKeyConstraint('risk_key', ['field', 'value'])
    .execute()
  await schema.createIndex('risk_rank').on('risk').column('rank').execute()
}
