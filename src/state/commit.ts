import type { Kysely, Transaction } from 'kysely'
import type { BatchEffects, Decision, Effects, OtherEffects, RecordedBatch } from '../model/batch.ts'
import { saveWindows } from './alerts.ts'
import { addCounts, addUnknownFields, markDone, saveCursor, saveRows } from './batches.ts'
import { saveCacheWrites } from './cache.ts'
import { saveCorrelation } from './correlation.ts'
import { saveDeliveries } from './deliveries.ts'
import { readGroups } from './groups.ts'
import { saveLimits } from './limits.ts'
import type { StateTables } from './tables.ts'

/**
 * One transaction with everything that a batch does: marked done, cursor, finished rows, alerts, deliveries, rules' cache, counts.
 * Resolves with `undefined`, and changes nothing, when the batch was done before.
 */
export async function commitBatch(
  db: Kysely<StateTables>,
  batch: RecordedBatch,
  decision: Decision<BatchEffects>,
): Promise<BatchEffects | undefined> {
  return db.transaction().execute((tx) => saveBatch(tx, batch, decision))
}

/** Takes back what was done: the transaction ends with it. */
class TakenBack extends Error {}

/** Does all that `commitBatch` does and takes it back, to learn whether it can be done. Rejects when it cannot. */
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
  await addCounts(tx, effects.counts)
  await addUnknownFields(tx, batch.sourceId, effects.unknownFields)
  return effects
}

/** One transaction with everything that something other than a batch does. */
export async function commit<E extends OtherEffects | undefined>(db: Kysely<StateTables>, decision: Decision<E>): Promise<E> {
  return db.transaction().execute(async (tx) => {
    const effects = await decided(tx, decision)
    if (effects === undefined) return effects
    await saveOther(tx, effects)
    return effects
  })
}

/** Does all that `commit` does and takes it back. Rejects when it cannot be done. */
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
  await saveWindows(tx, effects.windows)
  await saveDeliveries(tx, effects.deliveries)
  await saveCacheWrites(tx, effects.cacheWrites, effects.nowMs)
  await saveCorrelation(tx, effects.correlation)
  await saveLimits(tx, effects.limits ?? [], effects.nowMs)
}
