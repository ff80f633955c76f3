import type { Kysely, Transaction } from 'kysely'
import type { BatchEffects, Decision, Effects, OtherEffects, RecordedBatch } from '../model/batch.ts'
import { addActivity } from './activity.ts'
import { sentTo } from './alert-changes.ts'
import { saveAlertTables } from './alert-tables.ts'
import { saveWindows } from './alerts.ts'
import { addCounts, addUnknownFields, markDone, saveCursor, saveRows } from './batches.ts'
import { saveCacheWrites } from './cache.ts'
import { saveCorrelation } from './correlation.ts'
import { saveDeliveries } from './deliveries.ts'
import { saveEvidence } from './evidence.ts'
import { readGroups } from './groups.ts'
import { saveLimits } from './limits.ts'
import { saveMuteCounts } from './mutes.ts'
import { saveRisk } from './risk.ts'
import type { StateTables } from './tables.ts'
import { saveTableWrite } from './written-rows.ts'

/**
 * Commits all of a batch's effects in one transaction: done mark, cursor, finished rows, alerts, deliveries, rule cache, counts. Resolves
 * with `undefined` and changes nothing if the batch was already done.
 */
export async function commitBatch(
  db: Kysely<StateTables>,
  batch: RecordedBatch,
  decision: Decision<BatchEffects>,
): Promise<BatchEffects | undefined> {
  return db.transaction().execute((tx) => saveBatch(tx, batch, decision))
}

/** Thrown to roll the transaction back. */
class TakenBack extends Error {}

/** Does everything that `commitBatch` does and rolls it back, to find out whether it would succeed. Rejects if it would not. */
export async function tryBatch(db: Kysely<StateTables>, batch: RecordedBatch, decision: Decision<BatchEffects>): Promise<void> {
  await takenBack(db, (tx) => saveBatch(tx, batch, decision))
}

async function takenBack(db: Kysely<StateTables>, work: (tx: Transaction<StateTables>) => Promise<unknown>): Promise<void> {
  try {
    await db.transaction().execute(async (tx) => {
      await work(tx)
      throw new TakenBack()
    })
  } catch (error) {
    if (!(error instanceof TakenBack)) throw error
  }
}

async function saveBatch(
  tx: Transaction<StateTables>,
  batch: RecordedBatch,
  decision: Decision<BatchEffects>,
): Promise<BatchEffects | undefined> {
  if (!(await markDone(tx, batch))) return undefined
  const effects = await decided(tx, decision)
  await saveCursor(tx, batch.sourceId, effects.cursor, effects.nowMs)
  await saveEffects(tx, effects)
  await saveTableWrite(tx, effects.tableWrite)
  await addCounts(tx, effects.counts)
  await addActivity(tx, effects)
  await addUnknownFields(tx, batch.sourceId, effects.unknownFields)
  return effects
}

/** Commits the effects of anything other than a batch in one transaction. */
export async function commit<E extends OtherEffects | undefined>(db: Kysely<StateTables>, decision: Decision<E>): Promise<E> {
  return db.transaction().execute(async (tx) => {
    const effects = await decided(tx, decision)
    if (effects === undefined) return effects
    await saveOther(tx, effects)
    return effects
  })
}

/** Does everything that `commit` does and rolls it back. Rejects if it would fail. */
export async function tryCommit(db: Kysely<StateTables>, decision: Decision<OtherEffects>): Promise<void> {
  await takenBack(db, async (tx) => saveOther(tx, await decided(tx, decision)))
}

async function saveOther(tx: Transaction<StateTables>, effects: OtherEffects): Promise<void> {
  await saveEffects(tx, effects)
  await addCounts(tx, effects.counts ?? [])
  for (const [key, value] of effects.meta)
    await tx
      .insertInto('meta')
      .values({ key, value })
      .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
      .execute()
}

async function decided<E>(tx: Transaction<StateTables>, decision: Decision<E>): Promise<E> {
  return decision.decide(await readGroups(tx, decision))
}

async function saveEffects(tx: Transaction<StateTables>, effects: Effects): Promise<void> {
  await saveRows(tx, effects.rows, effects.nowMs)
  const followers = await saveWindows(tx, effects.windows)
  await saveAlertTables(tx, effects.alertTables ?? [])
  await saveEvidence(tx, effects.evidence ?? [])
  await saveDeliveries(tx, effects.deliveries)
  for (const alert of followers)
    if (alert.mutedBy === null && effects.onReopened)
      await saveDeliveries(tx, effects.onReopened(alert, await sentTo(tx, alert.alertId)))
  await saveCacheWrites(tx, effects.cacheWrites, effects.nowMs)
  await saveCorrelation(tx, effects.correlation)
  await saveRisk(tx, effects.risk)
  await saveMuteCounts(tx, effects.mutes ?? [], effects.nowMs)
  await saveLimits(tx, effects.limits ?? [], effects.nowMs)
}
