import type { Kysely, Transaction } from 'kysely'
import { pruneActivity } from './activity.ts'
import { pruneEvidence } from './evidence.ts'
import { deleteWindows } from './groups.ts'
import { heldAlerts } from './holds.ts'
import { pruneMails } from './rows-mails.ts'
import { getMeta, setMeta } from './sources.ts'
import type { StateTables } from './tables.ts'

/** How long state that is no longer needed is retained. */
export interface Retention {
  /** Days for completed deliveries, and for mails of queries that were given up. */
  readonly deliveriesDays: number
  /** Days for alerts, from their last change and the end of their window; `undefined`: forever. */
  readonly alertsDays: number | undefined
}

/** Days for windows that never became alerts, and for table shapes that no waiting row has. */
const UNUSED_DAYS = 7
const DAY_MS = 86_400_000
/** Maximum number of rows deleted per transaction, because batches wait for it. */
const ROWS_PER_STEP = 500
/** Key in `meta`: shapes found unused, and since when, as JSON. */
const UNUSED_SPECS = 'unused_specs'

export interface Moment {
  readonly nowMs: number
  /**
   * When the oldest record that may still be judged was received. Alert windows run on that time, so windows that such a record may
   * belong to are kept.
   */
  readonly oldestPendingMs: number
}

/**
 * Deletes a small part of what has expired, in one transaction. Returns true if there may be more: call it again until it returns false,
 * and let other writers in between.
 */
export async function pruneStep(db: Kysely<StateTables>, retention: Retention, moment: Moment): Promise<boolean> {
  const { nowMs, oldestPendingMs } = moment
  const deliveries = await pruneDeliveries(db, nowMs - retention.deliveriesDays * DAY_MS)
  const mails = await pruneMails(db, nowMs - retention.deliveriesDays * DAY_MS, ROWS_PER_STEP)
  const reached = Math.min(nowMs, oldestPendingMs)
  const windows = await pruneWindows(db, reached - UNUSED_DAYS * DAY_MS)
  const { alertsDays } = retention
  const alerts = alertsDays === undefined ? 0 : await pruneAlerts(db, reached - alertsDays * DAY_MS)
  const evidence = await pruneEvidence(db, ROWS_PER_STEP)
  await pruneSpecs(db, nowMs)
  await pruneActivity(db, nowMs)
  return Math.max(deliveries, mails, windows, alerts, evidence) >= ROWS_PER_STEP
}

/**
 * Completed deliveries of windows that have ended: an open window could request the same delivery again, and it must not be sent twice.
 * While their alert exists, those with a reference stay: without it the ticket that they created could never be closed.
 */
async function pruneDeliveries(db: Kysely<StateTables>, beforeMs: number): Promise<number> {
  const old = db
    .selectFrom('deliveries')
    .select('delivery_id')
    .where('state', '=', 'delivered')
    .where('next_ms', '<', beforeMs)
    .where('alert_id', 'not in', (eb) => eb.selectFrom('alerts').select('alert_id').where('window_end_ms', '>=', beforeMs))
    .where((eb) => eb.or([eb('reference', '=', ''), eb('alert_id', 'not in', eb.selectFrom('alerts').select('alert_id'))]))
    .limit(ROWS_PER_STEP)
  const { numDeletedRows } = await db.deleteFrom('deliveries').where('delivery_id', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}

/** Windows that ended without becoming an alert. */
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

/** Alerts with their deliveries, except those that still have to be delivered, or are on hold. */
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
    .where('alert_id', 'not in', heldAlerts(tx))
    .orderBy('created_ms')
    .limit(ROWS_PER_STEP)
    .execute()
  return rows.map(({ alert_id }) => alert_id)
}

/** Shapes that no waiting row has. The time need not be exact: a row that needs a deleted shape later stores it again. */
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

/** When the oldest stored batch of these sources was received. A source without a batch counts as time 0. */
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
