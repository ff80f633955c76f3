import type { Kysely, Transaction } from 'kysely'
import { deleteWindows } from './groups.ts'
import { getMeta, setMeta } from './sources.ts'
import type { StateTables } from './tables.ts'

/** How long state keeps what nothing needs any more. */
export interface Retention {
  /** Deliveries that were made, days. */
  readonly deliveriesDays: number
  /** Alerts, from their last change and the end of their window, days; `undefined`: forever. */
  readonly alertsDays: number | undefined
}

/** Windows that never opened an alert, and table shapes that no waiting row has. */
const UNUSED_DAYS = 7
const DAY_MS = 86_400_000
/** Rows that one transaction deletes: batches wait for it. */
const ROWS_PER_STEP = 500
/** `meta`: shapes that no row had when they were looked for, and since when, as JSON. */
const UNUSED_SPECS = 'unused_specs'

export interface Moment {
  readonly nowMs: number
  /**
   * When the oldest record was received that may still be judged. Alert windows run on that time, so those that such a record may
   * belong to stay.
   */
  readonly oldestPendingMs: number
}

/**
 * Deletes one small part of what is older than it needs to be, in a transaction of its own. Answers whether there may be more:
 * call it until there is not, and let others write in between.
 */
export async function pruneStep(db: Kysely<StateTables>, retention: Retention, moment: Moment): Promise<boolean> {
  const { nowMs, oldestPendingMs } = moment
  const deliveries = await pruneDeliveries(db, nowMs - retention.deliveriesDays * DAY_MS)
  const reached = Math.min(nowMs, oldestPendingMs)
  const windows = await pruneWindows(db, reached - UNUSED_DAYS * DAY_MS)
  const { alertsDays } = retention
  const alerts = alertsDays === undefined ? 0 : await pruneAlerts(db, reached - alertsDays * DAY_MS)
  await pruneSpecs(db, nowMs)
  return Math.max(deliveries, windows, alerts) >= ROWS_PER_STEP
}

/** Made deliveries of windows that ended before: a window that is open could still ask for the delivery, which must not be made twice. */
async function pruneDeliveries(db: Kysely<StateTables>, beforeMs: number): Promise<number> {
  const old = db
    .selectFrom('deliveries')
    .select('delivery_id')
    .where('state', '=', 'delivered')
    .where('next_ms', '<', beforeMs)
    .where('alert_id', 'not in', (eb) => eb.selectFrom('alerts').select('alert_id').where('window_end_ms', '>=', beforeMs))
    .limit(ROWS_PER_STEP)
  const { numDeletedRows } = await db.deleteFrom('deliveries').where('delivery_id', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}

/** Windows that ended without an alert. */
function pruneWindows(db: Kysely<StateTables>, beforeMs: number): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const old = await tx
      .selectFrom('alerts')
      .select('alert_id')
      .where('opened', '=', 0)
      .where('created_ms', '<', beforeMs)
      .where('window_end_ms', '<', beforeMs)
      .limit(ROWS_PER_STEP)
      .execute()
    await deleteWindows(
      tx,
      old.map(({ alert_id }) => alert_id),
    )
    return old.length
  })
}

/** Alerts with their deliveries; one that still has to be delivered stays. */
function pruneAlerts(db: Kysely<StateTables>, beforeMs: number): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const old = await oldAlerts(tx, beforeMs)
    if (old.length === 0) return 0
    await tx.deleteFrom('deliveries').where('alert_id', 'in', old).execute()
    await deleteWindows(tx, old)
    return old.length
  })
}

async function oldAlerts(tx: Transaction<StateTables>, beforeMs: number): Promise<string[]> {
  const rows = await tx
    .selectFrom('alerts')
    .select('alert_id')
    .where('opened', '=', 1)
    .where('created_ms', '<', beforeMs)
    .where('window_end_ms', '<', beforeMs)
    .where('updated_ms', '<', beforeMs)
    .where('alert_id', 'not in', (eb) => eb.selectFrom('deliveries').select('alert_id').where('state', '=', 'pending'))
    .orderBy('created_ms')
    .limit(ROWS_PER_STEP)
    .execute()
  return rows.map(({ alert_id }) => alert_id)
}

/** Shapes that no waiting row has. A row that needs one again brings it along, so that the time is no promise. */
async function pruneSpecs(db: Kysely<StateTables>, nowMs: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const since = JSON.parse((await getMeta(tx, UNUSED_SPECS)) ?? '{}') as Record<string, number>
    const idle = await tx
      .selectFrom('specs')
      .select('spec_id')
      .where('spec_id', 'not in', (eb) => eb.selectFrom('outbox').select('spec_id'))
      .execute()
    const kept: Record<string, number> = {}
    const gone: string[] = []
    for (const { spec_id: id } of idle) {
      const sinceMs = Math.min(since[id] ?? nowMs, nowMs)
      if (sinceMs <= nowMs - UNUSED_DAYS * DAY_MS && gone.length < ROWS_PER_STEP) gone.push(id)
      else kept[id] = sinceMs
    }
    if (gone.length > 0) await tx.deleteFrom('specs').where('spec_id', 'in', gone).execute()
    await setMeta(tx, UNUSED_SPECS, JSON.stringify(kept))
  })
}

/** When the last batch of each of these sources was received, the earliest of them; a source without any counts as the beginning of time. */
export async function oldestPendingMs(db: Kysely<StateTables>, behind: readonly string[], nowMs: number): Promise<number> {
  let oldest = nowMs
  for (const id of behind) {
    const row = await db
      .selectFrom('batches')
      .select((eb) => eb.fn.min<number | null>('received_ms').as('ms'))
      .where('source_id', '=', id)
      .executeTakeFirst()
    oldest = Math.min(oldest, row?.ms ?? 0)
  }
  return oldest
}
