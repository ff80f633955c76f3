import type { Kysely, Transaction } from 'kysely'
import type { AlertBody, StoredAlert } from '../model/alert.ts'
import type { NewDelivery } from '../model/batch.ts'
import type { ActiveMute, MuteCriteria } from '../model/mute.ts'
import { isSameSnooze, type Snooze, snoozeOf } from '../model/snooze.ts'
import { matchGroupKey } from '../util/group-key.ts'
import { sentTo } from './alert-changes.ts'
import { storedAlert } from './alerts.ts'
import { saveDeliveries } from './deliveries.ts'
import type { StateTables } from './tables.ts'

/** Alerts of one rule and dedup string that destinations are notified of, newest first. */
const MAX_NOTIFIED = 20

/** Whether and how an alert can be snoozed, and the mutes by which it is. */
export interface AlertSnooze {
  readonly snooze: Snooze
  /** In force. */
  readonly mutes: readonly ActiveMute[]
}

/** `undefined` if the alert does not exist. */
export async function snoozesOf(
  db: Kysely<StateTables>,
  alertId: string,
  mutes: readonly ActiveMute[],
): Promise<AlertSnooze | undefined> {
  const row = await db.selectFrom('alerts').select(['rule_id', 'body']).where('alert_id', '=', alertId).executeTakeFirst()
  if (!row) return undefined
  const snooze = snoozeOf({ ruleId: row.rule_id, body: JSON.parse(row.body) as AlertBody })
  const own = snooze.kind === 'ok' ? mutes.filter(({ criteria }) => isSameSnooze(criteria, snooze.criteria)) : []
  return { snooze, mutes: own }
}

/** The deliveries that show that an alert is snoozed, or no longer. */
export type OnSnooze = (alert: StoredAlert, sentTo: ReadonlySet<string>) => readonly NewDelivery[]

/** Call it when a mute was added or has ended: destinations that show the alerts which it snoozes are notified. */
export async function notifyOfSnooze(
  tx: Transaction<StateTables>,
  { rule, dedup, ...others }: MuteCriteria,
  onSnooze: OnSnooze | undefined,
): Promise<void> {
  if (!onSnooze || rule === undefined || dedup === undefined) return
  if (!isSameSnooze({ rule, dedup, ...others }, { rule, dedup, exact: true })) return
  const rows = await tx
    .selectFrom('alerts')
    .selectAll()
    .where('group_key', '=', matchGroupKey(rule, dedup))
    .where('opened', '=', 1)
    .where('muted_by', 'is', null)
    .orderBy('window_end_ms', 'desc')
    .limit(MAX_NOTIFIED)
    .execute()
  for (const row of rows) await saveDeliveries(tx, onSnooze(storedAlert(row), await sentTo(tx, row.alert_id)))
}
