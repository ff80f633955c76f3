import type { Kysely } from 'kysely'
import type { AlertStatus } from '../model/alert.ts'
import type { AlertProgress } from '../model/alert-work.ts'
import { activeMutes } from './mutes.ts'
import { snoozesOf } from './snoozes.ts'
import type { StateTables } from './tables.ts'

/** What people have done about an alert so far; `undefined` if it was deleted. */
export async function progressOf(db: Kysely<StateTables>, alertId: string, nowMs: number): Promise<AlertProgress | undefined> {
  const alert = await db
    .selectFrom('alerts')
    .select(['status', 'reason', 'owner'])
    .where('alert_id', '=', alertId)
    .executeTakeFirst()
  const last = await db
    .selectFrom('alert_timeline')
    .select('by')
    .where('alert_id', '=', alertId)
    .where('kind', '=', 'changed')
    .orderBy('id', 'desc')
    .executeTakeFirst()
  const snoozes = await snoozesOf(db, alertId, await activeMutes(db, nowMs))
  const ends = (snoozes?.mutes ?? []).map(({ expiresMs }) => expiresMs)
  const snoozed = ends.length > 0 && { snoozedUntilMs: Math.max(...ends) }
  return alert && { ...alert, status: alert.status as AlertStatus, by: last?.by ?? '', ...snoozed }
}
