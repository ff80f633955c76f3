import type { Kysely, Transaction } from 'kysely'
import { type ActiveMute, MAX_ACTIVE_MUTES, type Mute, type MuteCount, type MuteCriteria } from '../model/mute.ts'
import { notifyOfSnooze, type OnSnooze } from './snoozes.ts'
import type { MuteRow, StateTables } from './tables.ts'

/** Mutes that were not ended and expire after this time, oldest first. */
export async function activeMutes(db: Kysely<StateTables>, atMs: number): Promise<ActiveMute[]> {
  const rows = await db
    .selectFrom('mutes')
    .select(['mute_id', 'criteria', 'expires_ms'])
    .where('ended_ms', 'is', null)
    .where('expires_ms', '>', atMs)
    .orderBy('created_ms')
    .orderBy('mute_id')
    .execute()
  return rows.map((row) => ({
    muteId: row.mute_id,
    criteria: JSON.parse(row.criteria) as MuteCriteria,
    expiresMs: row.expires_ms,
  }))
}

/** Adds what mutes did to their counts, in the transaction in which they did. */
export async function saveMuteCounts(tx: Transaction<StateTables>, counts: readonly MuteCount[], nowMs: number): Promise<void> {
  for (const { muteId, matches, alerts } of counts)
    await tx
      .updateTable('mutes')
      .set((eb) => ({ matches: eb('matches', '+', matches), alerts: eb('alerts', '+', alerts), last_ms: nowMs }))
      .where('mute_id', '=', muteId)
      .execute()
}

/** A mute to add. */
export type NewMute = Pick<Mute, 'muteId' | 'criteria' | 'owner' | 'reason' | 'by' | 'expiresMs'> & SnoozeNews

/** How destinations are notified of alerts that are snoozed. Absent: they are not. */
export interface SnoozeNews {
  readonly nowMs: number
  readonly onSnooze?: OnSnooze
}

/**
 * Adds a mute. A mute with the same id and the same content is returned as it is. `taken`: the id belongs to a different one. `too_many`:
 * as many as are allowed are in force.
 */
export function addMute(db: Kysely<StateTables>, mute: NewMute): Promise<Mute | 'taken' | 'too_many'> {
  const { muteId, owner, reason, by, expiresMs, nowMs } = mute
  const criteria = JSON.stringify(mute.criteria)
  return db.transaction().execute(async (tx) => {
    const known = await muteRow(tx, muteId)
    if (known) {
      const isSame =
        known.criteria === criteria && known.owner === owner && known.reason === reason && known.expires_ms === expiresMs
      return isSame ? muteOf(known) : 'taken'
    }
    if ((await activeMutes(tx, nowMs)).length >= MAX_ACTIVE_MUTES) return 'too_many'
    await tx
      .insertInto('mutes')
      .values({ mute_id: muteId, criteria, owner, reason, by, created_ms: nowMs, expires_ms: expiresMs })
      .execute()
    await notifyOfSnooze(tx, mute.criteria, mute.onSnooze)
    return muteOf((await muteRow(tx, muteId))!)
  })
}

/** Ends a mute before it expires. One that is over stays as it is. `undefined` if it does not exist. */
export function endMute(
  db: Kysely<StateTables>,
  { muteId, by, nowMs, onSnooze }: { readonly muteId: string; readonly by: string } & SnoozeNews,
): Promise<Mute | undefined> {
  return db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('mutes')
      .set({ ended_ms: nowMs, ended_by: by })
      .where('mute_id', '=', muteId)
      .where('ended_ms', 'is', null)
      .where('expires_ms', '>', nowMs)
      .executeTakeFirst()
    const row = await muteRow(tx, muteId)
    const mute = row && muteOf(row)
    if (mute && numUpdatedRows > 0) await notifyOfSnooze(tx, mute.criteria, onSnooze)
    return mute
  })
}

/** Which mutes, and how many of those that are older than `before`. */
export interface MutePage {
  readonly which: 'active' | 'over' | 'all'
  readonly nowMs: number
  readonly limit: number
  readonly before?: Pick<Mute, 'createdMs' | 'muteId'> | undefined
}

/** Mutes, newest first: those in force, the others, or both. */
export async function listMutes(db: Kysely<StateTables>, { which, nowMs, limit, before }: MutePage): Promise<Mute[]> {
  let query = db.selectFrom('mutes').selectAll()
  if (which === 'active') query = query.where('ended_ms', 'is', null).where('expires_ms', '>', nowMs)
  if (which === 'over') query = query.where((eb) => eb.or([eb('ended_ms', 'is not', null), eb('expires_ms', '<=', nowMs)]))
  if (before)
    query = query.where((eb) => eb(eb.refTuple('created_ms', 'mute_id'), '<', eb.tuple(before.createdMs, before.muteId)))
  const rows = await query.orderBy('created_ms', 'desc').orderBy('mute_id', 'desc').limit(limit).execute()
  return rows.map(muteOf)
}

/** The mute with this id, or else the only one whose id begins with it; `undefined` if none or several do. */
export async function findMute(db: Kysely<StateTables>, prefix: string): Promise<Mute | undefined> {
  if (!/^[0-9a-f]{4,32}$/.test(prefix)) return undefined
  const exact = await muteRow(db, prefix)
  if (exact) return muteOf(exact)
  const rows = await db.selectFrom('mutes').selectAll().where('mute_id', 'like', `${prefix}%`).limit(2).execute()
  return rows.length === 1 ? muteOf(rows[0]!) : undefined
}

function muteRow(db: Kysely<StateTables>, muteId: string): Promise<MuteRow | undefined> {
  return db.selectFrom('mutes').selectAll().where('mute_id', '=', muteId).executeTakeFirst()
}

function muteOf(row: MuteRow): Mute {
  return {
    muteId: row.mute_id,
    criteria: JSON.parse(row.criteria) as MuteCriteria,
    owner: row.owner,
    reason: row.reason,
    by: row.by,
    createdMs: row.created_ms,
    expiresMs: row.expires_ms,
    endedMs: row.ended_ms,
    endedBy: row.ended_by,
    matches: row.matches,
    alerts: row.alerts,
    lastMs: row.last_ms,
  }
}
