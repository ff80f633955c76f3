import { type ColumnDefinitionBuilder, type Kysely, sql } from 'kysely'

/** Cursors, batches, outbox, alerts, deliveries, counts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema.createTable('meta').addColumn('key', 'text', key).addColumn('value', 'text', given).execute()
  await schema
    .createTable('cursors')
    .addColumn('source_id', 'text', given)
    .addColumn('place', 'text', given)
    .addColumn('value', 'text', given)
    .addColumn('updated_ms', 'bigint', given)
    .addPrimaryKeyConstraint('cursors_pk', ['source_id', 'place'])
    .execute()
  await schema
    .createTable('batches')
    .addColumn('batch_id', 'text', key)
    .addColumn('source_id', 'text', given)
    .addColumn('extent', 'text', given)
    .addColumn('received_ms', 'bigint', given)
    .addColumn('done', 'integer', given)
    .execute()
  await schema.createIndex('batches_source').on('batches').columns(['source_id', 'done']).execute()
  await schema
    .createTable('outbox')
    .addColumn('id', 'bigint', key)
    .addColumn('spec_id', 'text', given)
    .addColumn('row_count', 'integer', given)
    .addColumn('bytes', 'bigint', given)
    .addColumn('created_ms', 'bigint', given)
    // Last, because SQLite reads through a long value to reach the columns after it.
    .addColumn('rows', sql`blob`, given)
    .execute()
  await schema.createTable('specs').addColumn('spec_id', 'text', key).addColumn('spec', 'text', given).execute()
  await schema
    .createTable('flushes')
    .addColumn('flush_id', 'text', key)
    .addColumn('from_id', 'bigint', given)
    .addColumn('to_id', 'bigint', given)
    .addColumn('created_ms', 'bigint', given)
    .execute()
  await alerts(db)
  await schema
    .createTable('counters')
    .addColumn('source_id', 'text', given)
    .addColumn('outcome', 'text', given)
    .addColumn('reason', 'text', given)
    .addColumn('n', 'bigint', given)
    .addPrimaryKeyConstraint('counters_pk', ['source_id', 'outcome', 'reason'])
    .execute()
  await schema
    .createTable('unknown_fields')
    .addColumn('source_id', 'text', given)
    .addColumn('field', 'text', given)
    .addColumn('n', 'bigint', given)
    .addPrimaryKeyConstraint('unknown_fields_pk', ['source_id', 'field'])
    .execute()
  await schema.createTable('table_status').addColumn('name', 'text', key).addColumn('value', 'text', given).execute()
  await schema.createTable('sequences').addColumn('name', 'text', key).addColumn('value', 'bigint', given).execute()
}

async function alerts({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('alerts')
    .addColumn('alert_id', 'text', key)
    .addColumn('rule_id', 'text', given)
    .addColumn('group_key', 'text', given)
    .addColumn('window_start_ms', 'bigint', given)
    .addColumn('window_end_ms', 'bigint', given)
    .addColumn('opened', 'integer', given)
    .addColumn('status', 'text', given)
    .addColumn('severity', 'text', given)
    .addColumn('event_count', 'bigint', given)
    .addColumn('created_ms', 'bigint', given)
    .addColumn('updated_ms', 'bigint', given)
    .addColumn('body', 'text', given)
    .execute()
  await schema.createIndex('alerts_group').on('alerts').columns(['group_key', 'window_end_ms']).execute()
  await schema.createIndex('alerts_created').on('alerts').columns(['opened', 'created_ms']).execute()
  await schema
    .createTable('deliveries')
    .addColumn('delivery_id', 'text', key)
    .addColumn('alert_id', 'text', given)
    .addColumn('destination', 'text', given)
    .addColumn('state', 'text', given)
    .addColumn('tries', 'integer', given)
    .addColumn('next_ms', 'bigint', given)
    .addColumn('created_ms', 'bigint', given)
    .addColumn('body', 'text', given)
    .addColumn('error', 'text', given)
    .execute()
  await schema.createIndex('deliveries_due').on('deliveries').columns(['state', 'destination', 'next_ms']).execute()
  await schema.createIndex('deliveries_alert').on('deliveries').column('alert_id').execute()
}

const key = (column: ColumnDefinitionBuilder) => column.primaryKey()
const given = (column: ColumnDefinitionBuilder) => column.notNull()
