import type { Kysely } from 'kysely'

/** Windows of replays are separate from live ones: neither counts toward the other's limit. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .alterTable('alerts')
    .addColumn('retroactive', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await schema.dropIndex('alerts_rule').execute()
  await schema.createIndex('alerts_rule').on('alerts').columns(['rule_id', 'retroactive', 'window_end_ms']).execute()
}
