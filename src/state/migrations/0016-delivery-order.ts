import { type Kysely, sql } from 'kysely'

/** The order in which pending deliveries are sent, and indexes for lists of the newest ones. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .alterTable('deliveries')
    .addColumn('urgency', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  // Delivered ones are never sent again; rewriting them all could take minutes.
  await sql`
    update deliveries
    set urgency = coalesce(
      (
        select case severity when 'CRITICAL' then 4 when 'HIGH' then 3 when 'MEDIUM' then 2 when 'LOW' then 1 else 0 end
        from alerts where alerts.alert_id = deliveries.alert_id
      ),
      0
    )
    where state in ('pending', 'dead')
  `.execute(db)
  await schema.dropIndex('deliveries_due').execute()
  await schema
    .createIndex('deliveries_due')
    .on('deliveries')
    .columns(['destination', 'urgency', 'next_ms'])
    .where(sql.ref('state'), '=', sql.lit('pending'))
    .execute()
  await schema.createIndex('deliveries_created').on('deliveries').column('created_ms').execute()
  await schema.createIndex('deliveries_state').on('deliveries').columns(['state', 'created_ms']).execute()
  await schema.createIndex('deliveries_destination').on('deliveries').columns(['destination', 'created_ms']).execute()
  await schema.createIndex('deliveries_both').on('deliveries').columns(['state', 'destination', 'created_ms']).execute()
}
