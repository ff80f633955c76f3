import type { Kysely } from 'kysely'

/**
 * Windows are numbered within their group, and their ids are derived from the number. Windows of earlier versions keep their ids and have
 * number 0. `window_floors`: numbers below these are used up, even if their windows have been deleted.
 */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .alterTable('alerts')
    .addColumn('window_number', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute()
  await schema.alterTable('alerts').addColumn('rule_version', 'text').execute()
  await schema.createIndex('alerts_group_number').on('alerts').columns(['group_key', 'window_number']).execute()
  await schema.createIndex('alerts_rule').on('alerts').columns(['rule_id', 'window_end_ms']).execute()
  await schema
    .createTable('window_floors')
    .addColumn('rule_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('next_number', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createTable('rule_limits')
    .addColumn('rule_id', 'text', (column) => column.notNull())
    .addColumn('what', 'text', (column) => column.notNull())
    .addColumn('n', 'bigint', (column) => column.notNull())
    .addColumn('last_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('rule_limits_pk', ['rule_id', 'what'])
    .execute()
}
