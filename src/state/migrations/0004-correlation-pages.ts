import type { Kysely } from 'kysely'

/** A run of a rule's schedule reads what the rule remembers page by page, in the order of ids. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema.createIndex('correlation_rule_id').on('correlation').columns(['rule_id', 'id']).execute()
  await schema.dropIndex('correlation_rule').execute()
}
