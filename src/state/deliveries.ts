import type { Kysely, Transaction } from 'kysely'
import type { DeliveryResult, NewDelivery } from '../model/batch.ts'
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
      })
      .onConflict((oc) => oc.doNothing())
      .execute()
  }
}

/**
 * Deliveries that are due, oldest first, without those of the ids given: at most `limit` of each destination, so that a
 * long queue of one hides nothing of the others.
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
        .set({ state: result.kind === 'again' ? 'pending' : result.kind, tries: result.tries, next_ms: next, error })
        .where('delivery_id', '=', result.deliveryId)
        .execute()
    }
  })
}

/** Deliveries of one alert. */
export async function deliveriesOfAlert(db: Kysely<StateTables>, alertId: string): Promise<DeliveryRow[]> {
  return db.selectFrom('deliveries').selectAll().where('alert_id', '=', alertId).orderBy('destination').execute()
}

/** Deliveries that were given up. */
export async function countDeadDeliveries(db: Kysely<StateTables>): Promise<number> {
  const row = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('state', '=', 'dead')
    .executeTakeFirst()
  return row?.n ?? 0
}
