import { type Kysely, sql, type Transaction } from 'kysely'
import type { Happening } from '../model/alert-work.ts'
import type { DeliveryResult, NewDelivery } from '../model/batch.ts'
import type { DeliveryKind } from '../model/outgoing-alert.ts'
import { ROWS_KIND } from '../model/rows-mail.ts'
import { SEVERITIES, type Severity } from '../model/rule.ts'
import { addEntries } from './alert-timeline.ts'
import { capMails } from './rows-mails.ts'
import type { DeliveryRow, StateTables } from './tables.ts'

const IDS_AT_ONCE = 500

/** The alerts and destinations of these deliveries. */
export async function deliveredAlerts(
  db: Kysely<StateTables>,
  deliveryIds: readonly string[],
): Promise<{ readonly alertId: string; readonly destination: string }[]> {
  const found: { alertId: string; destination: string }[] = []
  for (let at = 0; at < deliveryIds.length; at += IDS_AT_ONCE)
    found.push(
      ...(await db
        .selectFrom('deliveries')
        .select(['alert_id as alertId', 'destination'])
        .where('delivery_id', 'in', deliveryIds.slice(at, at + IDS_AT_ONCE))
        .where('kind', '!=', ROWS_KIND)
        .execute()),
    )
  return found
}

/**
 * Adds deliveries of alerts that have been saved before. Earlier ones of the same alert that still wait become as urgent: they must be
 * sent first, so they would hold up the delivery of an alert that has become severe.
 */
export async function saveDeliveries(tx: Transaction<StateTables>, deliveries: readonly NewDelivery[]): Promise<void> {
  for (const delivery of deliveries) {
    const alert = await tx.selectFrom('alerts').select('severity').where('alert_id', '=', delivery.alertId).executeTakeFirst()
    const urgency = Math.max(0, SEVERITIES.indexOf(alert?.severity as Severity))
    if (delivery.kind !== undefined && delivery.kind !== 'opened')
      await tx
        .updateTable('deliveries')
        .set({ urgency })
        .where('alert_id', '=', delivery.alertId)
        // What is appended makes SQLite look among the alert's few deliveries, not in the destination's queue.
        .where(sql<boolean>`destination || '' = ${delivery.destination}`)
        .where(sql<boolean>`state || '' = 'pending'`)
        .where('urgency', '<', urgency)
        .execute()
    await tx
      .insertInto('deliveries')
      .values({
        delivery_id: delivery.deliveryId,
        alert_id: delivery.alertId,
        destination: delivery.destination,
        state: 'pending',
        tries: 0,
        next_ms: delivery.createdMs,
        created_ms: delivery.createdMs,
        body: delivery.body,
        error: '',
        kind: delivery.kind ?? 'opened',
        urgency,
      })
      .onConflict((oc) => oc.doNothing())
      .execute()
    if (delivery.kind === ROWS_KIND) await capMails(tx, delivery.alertId, delivery.createdMs)
  }
}

export async function saveDeliveryResults(db: Kysely<StateTables>, results: readonly DeliveryResult[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const result of results) {
      const error = result.kind === 'delivered' ? '' : JSON.stringify(result.error)
      // Receivers can ask for a fraction of a second.
      const next = Math.ceil(result.kind === 'again' ? result.nextMs : result.nowMs)
      await tx
        .updateTable('deliveries')
        .set({
          state: result.kind === 'again' ? 'pending' : result.kind,
          tries: result.tries,
          next_ms: next,
          error,
          ...(result.kind === 'delivered' && result.reference && { reference: JSON.stringify(result.reference) }),
          ...(result.kind === 'delivered' && { digest_id: result.digestId ?? '' }),
          // Rows take room, and are of no use once they are delivered.
          ...(result.kind === 'delivered' && { body: sql<string>`case when kind = ${ROWS_KIND} then '' else body end` }),
        })
        .where('delivery_id', '=', result.deliveryId)
        .execute()
      if (result.kind !== 'again') await addResult(tx, result)
    }
  })
}

/** Adds the end of a delivery to its alert's timeline. */
async function addResult(tx: Transaction<StateTables>, result: DeliveryResult & { kind: 'delivered' | 'dead' }): Promise<void> {
  const row = await tx
    .selectFrom('deliveries')
    .innerJoin('alerts', 'alerts.alert_id', 'deliveries.alert_id')
    .select(['deliveries.alert_id', 'deliveries.destination', 'deliveries.kind'])
    .where('delivery_id', '=', result.deliveryId)
    .executeTakeFirst()
  if (!row) return
  const sent = { destination: row.destination, sent: row.kind as DeliveryKind }
  const happening: Happening =
    result.kind === 'delivered' ? { kind: 'delivered', ...sent } : { kind: 'failed', ...sent, error: result.error }
  await addEntries(tx, [{ alertId: row.alert_id, atMs: result.nowMs, by: '', happening }])
}

/** What the receiver calls what earlier deliveries of this alert created there. */
export async function referenceOf(db: Kysely<StateTables>, alertId: string, destination: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('deliveries')
    .select('reference')
    .where('alert_id', '=', alertId)
    .where('destination', '=', destination)
    .where('reference', '!=', '')
    .orderBy(sql`rowid`, 'desc')
    .executeTakeFirst()
  return row && String(JSON.parse(row.reference))
}

/** Whether something that the receiver calls by this name was created there for the alert. */
export async function isReferenceOf(
  db: Kysely<StateTables>,
  alertId: string,
  destination: string,
  reference: string,
): Promise<boolean> {
  const row = await db
    .selectFrom('deliveries')
    .select('delivery_id')
    .where('alert_id', '=', alertId)
    .where('destination', '=', destination)
    .where('reference', '=', JSON.stringify(reference))
    .executeTakeFirst()
  return row !== undefined
}

/** Deliveries of one alert. */
export async function deliveriesOfAlert(db: Kysely<StateTables>, alertId: string): Promise<DeliveryRow[]> {
  return db
    .selectFrom('deliveries')
    .selectAll()
    .where('alert_id', '=', alertId)
    .orderBy('destination')
    .orderBy('created_ms')
    .execute()
}

/** Open alerts that could not be delivered to a destination. */
export interface DeadDeliveries {
  readonly destination: string
  readonly alerts: number
  /** The ids of the latest ones, at most `MAX_DEAD_LISTED`. */
  readonly alertIds: readonly string[]
  /** Why the last one was given up. */
  readonly error: string
}

const MAX_DEAD_LISTED = 100

/**
 * Deliveries that were given up and whose alert is still open, by destination. Alerts of `exceptRule` are excluded: an alert about dead
 * deliveries must not lead to another one.
 */
export async function deadDeliveries(db: Kysely<StateTables>, exceptRule: string): Promise<DeadDeliveries[]> {
  const dead = db
    .selectFrom('deliveries')
    .innerJoin('alerts', 'alerts.alert_id', 'deliveries.alert_id')
    .where('deliveries.state', '=', 'dead')
    .where('alerts.status', '=', 'OPEN')
    .where('alerts.rule_id', '!=', exceptRule)
  const counts = await dead
    .select((eb) => ['deliveries.destination', eb.fn.countAll<number>().as('n')])
    .groupBy('deliveries.destination')
    .orderBy('deliveries.destination')
    .execute()
  const found: DeadDeliveries[] = []
  for (const { destination, n } of counts) {
    const latest = await dead
      .select(['deliveries.alert_id', 'deliveries.error'])
      .where('deliveries.destination', '=', destination)
      .orderBy('deliveries.next_ms', 'desc')
      .limit(MAX_DEAD_LISTED)
      .execute()
    const error = latest[0]?.error ? String(JSON.parse(latest[0].error)) : ''
    found.push({ destination, alerts: n, alertIds: latest.map(({ alert_id }) => alert_id), error })
  }
  return found
}

/** Deliveries that have failed and are being retried. */
export interface FailingDeliveries {
  readonly destination: string
  readonly alerts: number
  /** Why the last attempt failed. */
  readonly error: string
}

/** A failure counts from this attempt or this age on, whichever comes first: a single hiccup is not worth reporting. */
const FAILING_TRIES = 3
const FAILING_AFTER_MS = 60_000

/** Destinations whose deliveries are currently failing. */
export async function failingDeliveries(db: Kysely<StateTables>, nowMs: number): Promise<FailingDeliveries[]> {
  const failing = db
    .selectFrom('deliveries')
    .where('state', '=', 'pending')
    .where('tries', '>', 0)
    .where((eb) => eb.or([eb('tries', '>=', FAILING_TRIES), eb('created_ms', '<=', nowMs - FAILING_AFTER_MS)]))
  const counts = await failing
    .select((eb) => ['destination', eb.fn.countAll<number>().as('n')])
    .groupBy('destination')
    .orderBy('destination')
    .execute()
  const found: FailingDeliveries[] = []
  for (const { destination, n } of counts) {
    const latest = await failing
      .select('error')
      .where('destination', '=', destination)
      .orderBy('tries', 'desc')
      .limit(1)
      .executeTakeFirst()
    found.push({ destination, alerts: n, error: latest?.error ? String(JSON.parse(latest.error)) : '' })
  }
  return found
}
