import type { Kysely } from 'kysely'

/** A scheduled run of a rule reads what the rule remembers page by page, ordered by id. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema.createIndex('correlation_rule_id').on('correlation').columns(['rule_id', 'id']).execute()
  await schema.dropIndex('correlation_rule').execute()
}
