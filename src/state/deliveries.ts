import { type Kysely, sql, type Transaction } from 'kysely'
import type { Happening } from '../model/alert-work.ts'
import type { DeliveryResult, NewDelivery } from '../model/batch.ts'
import type { DeliveryKind } from '../model/outgoing-alert.ts'
import { addEntries } from './alert-timeline.ts'
import type { DeliveryRow, StateTables } from './tables.ts'

export async function saveDeliveries(tx: Transaction<StateTables>, deliveries: readonly NewDelivery[]): Promise<void> {
  for (const delivery of deliveries) {
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
      })
      .onConflict((oc) => oc.doNothing())
      .execute()
  }
}

/**
 * Deliveries that are due, oldest first, except those with the given ids. `limit` applies per destination, so that one long queue does
 * not hide the others. Deliveries of one alert to one destination are due in the order in which they were created: nothing is resolved
 * there before it was opened.
 */
export async function dueDeliveries(
  db: Kysely<StateTables>,
  nowMs: number,
  limit: number,
  except: readonly string[],
): Promise<DeliveryRow[]> {
  const due: DeliveryRow[] = []
  let destination: string | null = ''
  for (;;) {
    const next: { destination: string | null } | undefined = await db
      .selectFrom('deliveries')
      .select((eb) => eb.fn.min<string | null>('destination').as('destination'))
      .where('state', '=', 'pending')
      .where('destination', '>', destination)
      .executeTakeFirst()
    destination = next?.destination ?? null
    if (destination === null) break
    let query = db
      .selectFrom('deliveries')
      .selectAll()
      .where('state', '=', 'pending')
      .where('destination', '=', destination)
      .where('next_ms', '<=', nowMs)
      .where(({ not, exists, selectFrom, lit, ref }) =>
        not(
          exists(
            selectFrom('deliveries as earlier')
              .select(lit(1).as('one'))
              .whereRef('earlier.alert_id', '=', ref('deliveries.alert_id'))
              .whereRef('earlier.destination', '=', ref('deliveries.destination'))
              .where('earlier.state', '=', 'pending')
              .where(sql<boolean>`earlier.rowid < deliveries.rowid`),
          ),
        ),
      )
    if (except.length > 0) query = query.where('delivery_id', 'not in', [...except])
    due.push(...(await query.orderBy('next_ms').orderBy('delivery_id').limit(limit).execute()))
  }
  return due.sort((a, b) => a.next_ms - b.next_ms)
}

export async function saveDeliveryResults(db: Kysely<StateTables>, results: readonly DeliveryResult[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const result of results) {
      const error = result.kind === 'delivered' ? '' : JSON.stringify(result.error)
      const next = result.kind === 'again' ? result.nextMs : result.nowMs
      await tx
        .updateTable('deliveries')
        .set({
          state: result.kind === 'again' ? 'pending' : result.kind,
          tries: result.tries,
          next_ms: next,
          error,
          ...(result.kind === 'delivered' && result.reference && { reference: JSON.stringify(result.reference) }),
          ...(result.kind === 'delivered' && { digest_id: result.digestId ?? '' }),
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
