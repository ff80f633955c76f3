import { type Kysely, sql } from 'kysely'

/** What people record about alerts, and a timeline of what happens to each. Earlier alerts begin theirs with what is known of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  for (const name of ['reason', 'quality', 'owner', 'muted_by', 'merged_into'])
    await schema.alterTable('alerts').addColumn(name, 'text').execute()
  await schema
    .alterTable('alerts')
    .addColumn('context_tags', 'text', (column) => column.notNull().defaultTo('[]'))
    .execute()
  await schema
    .alterTable('alerts')
    .addColumn('version', 'integer', (column) => column.notNull().defaultTo(1))
    .execute()
  for (const name of ['owner', 'muted_by', 'merged_into'])
    await schema.createIndex(`alerts_${name}`).on('alerts').column(name).where(sql.ref(name), 'is not', null).execute()
  await schema
    .alterTable('deliveries')
    .addColumn('kind', 'text', (column) => column.notNull().defaultTo('opened'))
    .execute()
  await schema
    .createTable('alert_timeline')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('alert_id', 'text', (column) => column.notNull().references('alerts.alert_id').onDelete('cascade'))
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('until_ms', 'bigint', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('key', 'text')
    .addColumn('detail', 'text', (column) => column.notNull())
    .execute()
  await schema.createIndex('alert_timeline_alert').on('alert_timeline').columns(['alert_id', 'id']).execute()
  await schema
    .createIndex('alert_timeline_key')
    .unique()
    .on('alert_timeline')
    .columns(['alert_id', 'key'])
    .where(sql.ref('key'), 'is not', null)
    .execute()
  await sql`INSERT INTO alert_timeline (alert_id, at_ms, until_ms, "by", kind, detail)
    SELECT alert_id, created_ms, created_ms, '', 'opened',
      '{"kind":"opened","severity":"' || severity || '","event_count":' || event_count || ',"muted_by":null}'
    FROM alerts WHERE opened = 1 ORDER BY created_ms, alert_id`.execute(db)
  await sql`INSERT INTO alert_timeline (alert_id, at_ms, until_ms, "by", kind, detail)
    SELECT alert_id, updated_ms, updated_ms, '', 'changed',
      '{"kind":"changed","field":"status","from":"OPEN","to":"' || status || '"}'
    FROM alerts WHERE opened = 1 AND status <> 'OPEN' ORDER BY created_ms, alert_id`.execute(db)
}
