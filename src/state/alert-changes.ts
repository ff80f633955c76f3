import type { Kysely, Transaction } from 'kysely'
import type { StoredAlert } from '../model/alert.ts'
import {
  type AlertWork,
  type ChangedField,
  type ChangeOutcome,
  type ChangeResult,
  type CommentOutcome,
  type Happening,
  MAX_COMMENTS,
  MAX_CONTEXT_TAGS,
  type WorkChange,
} from '../model/alert-work.ts'
import type { NewDelivery } from '../model/batch.ts'
import { sees } from '../util/glob.ts'
import { addEntries, entryOf, type NewEntry } from './alert-timeline.ts'
import { storedAlert } from './alerts.ts'
import { saveDeliveries } from './deliveries.ts'
import type { StateTables } from './tables.ts'

/** Maximum number of alerts changed per transaction, because batches wait for it. */
const ALERTS_PER_STEP = 100

/** Who changes alerts, and when. */
export interface Actor {
  readonly by: string
  readonly nowMs: number
}

/** How destinations are notified of what people change about an alert. */
export interface ChangeNews {
  /** The deliveries that do so, for an alert that is not muted and whose status or owner has changed. Absent: none. */
  readonly onChange?: (before: StoredAlert, after: StoredAlert, sentTo: ReadonlySet<string>) => readonly NewDelivery[]
}

export interface ChangeAsk extends Actor, ChangeNews {
  readonly alertIds: readonly string[]
  readonly change: WorkChange
  /** The version that the caller has seen. Absent: whatever it is. */
  readonly version?: number | undefined
  /** The log types (patterns) that who asks may see. Absent: all. */
  readonly seenLogTypes?: readonly string[] | undefined
}

/** Changes alerts, each atomically with its timeline. The results have the order of the ids. */
export async function changeAlerts(db: Kysely<StateTables>, ask: ChangeAsk): Promise<ChangeResult[]> {
  const results: ChangeResult[] = []
  for (let i = 0; i < ask.alertIds.length; i += ALERTS_PER_STEP)
    await db.transaction().execute(async (tx) => {
      for (const alertId of ask.alertIds.slice(i, i + ALERTS_PER_STEP))
        results.push({ alertId, outcome: await changeAlert(tx, alertId, ask) })
    })
  return results
}

async function changeAlert(tx: Transaction<StateTables>, alertId: string, ask: ChangeAsk): Promise<ChangeOutcome> {
  const alert = await openedAlert(tx, alertId)
  if (!alert) return 'not_found'
  if (ask.version !== undefined && ask.version !== alert.version) return 'conflict'
  const next = changed(alert, ask.change)
  if (next.contextTags.length > MAX_CONTEXT_TAGS) return 'too_many'
  if (next.status !== alert.status && alert.mergedInto !== null) return 'merged'
  const followers = next.status === alert.status ? [] : await mergedInto(tx, alertId)
  if (!followers.every((child) => maySee(child, ask))) return 'hidden'
  if (!(await saveWork(tx, alert, next, ask))) return 'unchanged'
  await notifyOfChange(tx, alert, next, ask)
  // The alerts that were merged into another have its status.
  for (const child of followers) {
    const following = { ...child, status: next.status, reason: next.reason }
    await saveWork(tx, child, following, ask)
    await notifyOfChange(tx, child, following, ask)
  }
  return 'changed'
}

async function mergedInto(tx: Transaction<StateTables>, alertId: string): Promise<StoredAlert[]> {
  return (await tx.selectFrom('alerts').selectAll().where('merged_into', '=', alertId).execute()).map(storedAlert)
}

/** Whether who asks may see an alert. */
export function maySee({ body }: StoredAlert, { seenLogTypes }: Pick<ChangeAsk, 'seenLogTypes'>): boolean {
  return seenLogTypes === undefined || sees(seenLogTypes)(body.logTypes)
}

/** Call it after `saveWork`, with the same values: destinations are notified of another status or owner. */
export async function notifyOfChange(
  tx: Transaction<StateTables>,
  alert: StoredAlert,
  next: AlertWork,
  { onChange }: ChangeNews,
): Promise<void> {
  const isNews = alert.status !== next.status || alert.owner !== next.owner
  if (!onChange || !isNews || alert.mutedBy !== null) return
  const after = { ...alert, ...next, version: alert.version + 1 }
  await saveDeliveries(tx, onChange(alert, after, await sentTo(tx, alert.alertId)))
}

/** Destinations that the alert was sent to: deliveries are deleted after a while, the timeline stays. */
export async function sentTo(tx: Transaction<StateTables>, alertId: string): Promise<Set<string>> {
  const deliveries = await tx.selectFrom('deliveries').select('destination').where('alert_id', '=', alertId).execute()
  const entries = await tx
    .selectFrom('alert_timeline')
    .select('detail')
    .where('alert_id', '=', alertId)
    .where('kind', '=', 'delivered')
    .execute()
  const earlier = entries.map(({ detail }) => (JSON.parse(detail) as Happening & { kind: 'delivered' }).destination)
  return new Set([...deliveries.map(({ destination }) => destination), ...earlier])
}

/** A full id's alert. */
export async function openedAlert(tx: Transaction<StateTables>, alertId: string): Promise<StoredAlert | undefined> {
  const row = await tx.selectFrom('alerts').selectAll().where('opened', '=', 1).where('alert_id', '=', alertId).executeTakeFirst()
  return row && storedAlert(row)
}

/** The values after a change. An alert that is open or triaged again has no reason for its end. */
function changed(alert: AlertWork, change: WorkChange): AlertWork {
  const { status = alert.status, quality = alert.quality, owner = alert.owner, addTags = [], removeTags = [] } = change
  const removed = new Set(removeTags)
  const contextTags = [...new Set([...alert.contextTags, ...addTags])].filter((tag) => !removed.has(tag)).sort()
  const reason =
    status === 'RESOLVED' || status === 'CLOSED' ? (change.reason === undefined ? alert.reason : change.reason) : null
  return { ...alert, status, reason, quality, owner, contextTags }
}

/** Stores the values with an entry for each that differs. False if none does. */
export async function saveWork(
  tx: Transaction<StateTables>,
  before: AlertWork & { readonly alertId: string },
  after: AlertWork,
  { by, nowMs }: Actor,
): Promise<boolean> {
  const { alertId } = before
  const pairs: [ChangedField, string | null | readonly string[], string | null | readonly string[]][] = [
    ['status', before.status, after.status],
    ['reason', before.reason, after.reason],
    ['quality', before.quality, after.quality],
    ['owner', before.owner, after.owner],
    ['context_tags', before.contextTags, after.contextTags],
    ['merged_into', before.mergedInto, after.mergedInto],
  ]
  const entries = pairs
    .filter(([, from, to]) => JSON.stringify(from) !== JSON.stringify(to))
    .map(([field, from, to]): NewEntry => ({ alertId, atMs: nowMs, by, happening: { kind: 'changed', field, from, to } }))
  if (entries.length === 0) return false
  await tx
    .updateTable('alerts')
    .set((eb) => ({
      status: after.status,
      reason: after.reason,
      quality: after.quality,
      owner: after.owner,
      context_tags: JSON.stringify(after.contextTags),
      merged_into: after.mergedInto,
      version: eb('version', '+', 1),
      updated_ms: eb.case().when('updated_ms', '>', nowMs).then(eb.ref('updated_ms')).else(nowMs).end(),
    }))
    .where('alert_id', '=', alertId)
    .execute()
  await addEntries(tx, entries)
  return true
}

export interface Comment extends Actor {
  readonly alertId: string
  readonly text: string
  /** The caller's own name for the comment. Commenting again with the same one returns the first comment. */
  readonly key?: string | undefined
}

/** Adds a comment. */
export function commentAlert(db: Kysely<StateTables>, { alertId, text, key, by, nowMs }: Comment): Promise<CommentOutcome> {
  return db.transaction().execute(async (tx) => {
    if (!(await openedAlert(tx, alertId))) return 'not_found'
    const comments = tx.selectFrom('alert_timeline').where('alert_id', '=', alertId).where('kind', '=', 'comment')
    const known = key === undefined ? undefined : await comments.selectAll().where('key', '=', key).executeTakeFirst()
    if (known) return entryOf(known)
    const { n } = await comments.select((eb) => eb.fn.countAll<number>().as('n')).executeTakeFirstOrThrow()
    if (n >= MAX_COMMENTS) return 'too_many'
    await addEntries(tx, [{ alertId, atMs: nowMs, by, key, happening: { kind: 'comment', text } }])
    return entryOf(await comments.selectAll().orderBy('id', 'desc').limit(1).executeTakeFirstOrThrow())
  })
}
