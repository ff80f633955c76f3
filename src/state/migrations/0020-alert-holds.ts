import { type Kysely, sql } from 'kysely'

/** Legal holds: alerts that are kept, with everything about them, until they are released. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('alerts').addColumn('hold', 'text').execute()
  await schema.createIndex('alerts_hold').on('alerts').column('hold').where(sql.ref('hold'), 'is not', null).execute()
}
