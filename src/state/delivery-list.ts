import { type Kysely, sql } from 'kysely'
import type { AlertBody } from '../model/alert.ts'
import type { DeliveryFilter, DeliveryPlace, ListedDelivery } from '../model/delivery-list.ts'
import type { ListedKind } from '../model/outgoing-alert.ts'
import { queryOfMails, ROWS_KIND } from '../model/rows-mail.ts'
import type { StateTables } from './tables.ts'

/** Number of deliveries that one request sends again. */
export const MAX_RESENT = 1000

/** The newest deliveries, or the newest before a place. */
export async function listDeliveries(
  db: Kysely<StateTables>,
  filter: DeliveryFilter,
  limit: number,
  before?: DeliveryPlace,
): Promise<readonly ListedDelivery[]> {
  // The ids first: sorting and skipping must not read the bodies, which are large.
  const isBefore = before && sql<boolean>`(deliveries.created_ms, deliveries.rowid) < (${before.createdMs}, ${before.order})`
  const newest = chosen(db, filter)
    .$if(isBefore !== undefined, (query) => query.where(isBefore!))
    .select('deliveries.delivery_id')
    .orderBy('deliveries.created_ms', 'desc')
    .orderBy(sql`deliveries.rowid`, 'desc')
    .limit(limit)
  const rows = await db
    .selectFrom('deliveries')
    .where('deliveries.delivery_id', 'in', newest)
    .leftJoin('alerts', 'alerts.alert_id', 'deliveries.alert_id')
    .select([
      'deliveries.delivery_id',
      'deliveries.alert_id',
      'deliveries.destination',
      'deliveries.kind',
      'deliveries.state',
      'deliveries.tries',
      'deliveries.created_ms',
      'deliveries.next_ms',
      'deliveries.error',
      'deliveries.digest_id',
    ])
    .select(sql<number>`deliveries.rowid`.as('place'))
    .select(['alerts.severity', 'alerts.body as alert'])
    .orderBy('deliveries.created_ms', 'desc')
    .orderBy(sql`deliveries.rowid`, 'desc')
    .execute()
  return rows.map((row) => ({
    deliveryId: row.delivery_id,
    alertId: row.kind === ROWS_KIND ? '' : row.alert_id,
    title: row.kind === ROWS_KIND ? `Rows of query '${queryOfMails(row.alert_id)}'` : titleOf(row.alert),
    severity: row.severity ?? '',
    destination: row.destination,
    kind: row.kind as ListedKind,
    state: row.state as ListedDelivery['state'],
    tries: row.tries,
    createdMs: row.created_ms,
    order: row.place,
    nextMs: row.next_ms,
    error: row.error === '' ? null : String(JSON.parse(row.error)),
    digestId: row.digest_id === '' ? null : row.digest_id,
  }))
}

/** Not by the database: a title is untrusted text, and not every database can take any text out of JSON. */
function titleOf(alert: string | null): string {
  return alert === null ? '' : ((JSON.parse(alert) as AlertBody).title ?? '')
}

/**
 * Makes dead deliveries due again, oldest first, as if they had never been tried. Returns how many; at most `MAX_RESENT`. Calling it again
 * changes nothing, because they are not dead any more.
 */
export async function resendDeliveries(
  db: Kysely<StateTables>,
  filter: Omit<DeliveryFilter, 'state'>,
  nowMs: number,
): Promise<number> {
  const dead = chosen(db, { ...filter, state: 'dead' })
    .select('deliveries.delivery_id')
    .orderBy(sql`deliveries.rowid`)
    .limit(MAX_RESENT)
  const { numUpdatedRows } = await db
    .updateTable('deliveries')
    .set({ state: 'pending', tries: 0, next_ms: nowMs, created_ms: nowMs, error: '' })
    .where('delivery_id', 'in', dead)
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

function chosen(db: Kysely<StateTables>, { state, destination, alertId, deliveryIds }: DeliveryFilter) {
  let query = db.selectFrom('deliveries')
  // What is appended keeps SQLite from an index of all deliveries in that state if an alert or ids, which are few, are given.
  const more = alertId === undefined && deliveryIds === undefined ? sql`` : sql` || ''`
  if (state !== undefined) query = query.where(sql<boolean>`deliveries.state${more} = ${state}`)
  if (destination !== undefined) query = query.where(sql<boolean>`deliveries.destination${more} = ${destination}`)
  if (alertId !== undefined) query = query.where('deliveries.alert_id', '=', alertId)
  if (deliveryIds !== undefined) query = query.where('deliveries.delivery_id', 'in', [...deliveryIds])
  return query
}
