import type { Kysely } from 'kysely'
import type { HoldChange, HoldOutcome } from '../model/alert-work.ts'
import { openedAlert } from './alert-changes.ts'
import { addEntries } from './alert-timeline.ts'
import type { StateTables } from './tables.ts'

/** A request to hold an alert, or to release it. */
export interface HoldAsk extends HoldChange {
  readonly alertId: string
  readonly by: string
  readonly nowMs: number
}

/** Holds an alert or releases it, atomically with its timeline. Holding a held alert changes nothing: the first reason stays. */
export function changeHold(db: Kysely<StateTables>, { alertId, held, reason, by, nowMs }: HoldAsk): Promise<HoldOutcome> {
  return db.transaction().execute(async (tx) => {
    const alert = await openedAlert(tx, alertId)
    if (!alert) return 'not_found'
    if ((alert.hold !== null) === held) return 'unchanged'
    const hold = held ? JSON.stringify({ reason, by, sinceMs: nowMs }) : null
    await tx.updateTable('alerts').set({ hold }).where('alert_id', '=', alertId).execute()
    await addEntries(tx, [{ alertId, atMs: nowMs, by, happening: { kind: held ? 'held' : 'released', reason } }])
    return 'changed'
  })
}

/** The alerts that are kept until they are released: those on hold, and those merged into one of them. */
export function heldAlerts(db: Kysely<StateTables>) {
  return db
    .selectFrom('alerts')
    .select('alert_id')
    .where('opened', '=', 1)
    .where((eb) =>
      eb.or([
        eb('hold', 'is not', null),
        eb('merged_into', 'in', eb.selectFrom('alerts as held').select('held.alert_id').where('held.hold', 'is not', null)),
      ]),
    )
}

/** Their ids, in order. */
export async function heldAlertIds(db: Kysely<StateTables>): Promise<string[]> {
  return (await heldAlerts(db).orderBy('alert_id').execute()).map(({ alert_id }) => alert_id)
}
