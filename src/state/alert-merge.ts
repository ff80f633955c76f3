import type { Kysely, Transaction } from 'kysely'
import type { StoredAlert } from '../model/alert.ts'
import { MAX_MERGED, type MergeOutcome } from '../model/alert-work.ts'
import { type Actor, type ChangeAsk, type ChangeNews, maySee, notifyOfChange, openedAlert, saveWork } from './alert-changes.ts'
import { addEntries, type NewEntry } from './alert-timeline.ts'
import type { StateTables } from './tables.ts'

export interface MergeAsk extends Actor, ChangeNews {
  readonly parentId: string
  /** Full ids, without duplicates. */
  readonly alertIds: readonly string[]
}

/**
 * Merges alerts into another, all or none of them, and gives them its status. An alert that is merged already into this one stays as it is.
 * There is one level: neither may the parent be merged itself, nor may a child have others merged into it.
 */
export function mergeAlerts(db: Kysely<StateTables>, ask: MergeAsk): Promise<MergeOutcome> {
  const { parentId, alertIds, by, nowMs } = ask
  return db.transaction().execute(async (tx): Promise<MergeOutcome> => {
    const parent = await openedAlert(tx, parentId)
    if (!parent) return { kind: 'not_found', alertId: parentId }
    if (parent.mergedInto !== null) return { kind: 'merged', alertId: parentId, into: parent.mergedInto }
    const children: StoredAlert[] = []
    for (const alertId of alertIds) {
      if (alertId === parentId) return { kind: 'itself', alertId }
      const child = await openedAlert(tx, alertId)
      if (!child) return { kind: 'not_found', alertId }
      if (child.mergedInto === parentId) continue
      if (child.mergedInto !== null) return { kind: 'merged', alertId, into: child.mergedInto }
      if ((await mergedCount(tx, alertId)) > 0) return { kind: 'has_merged', alertId }
      children.push(child)
    }
    if ((await mergedCount(tx, parentId)) + children.length > MAX_MERGED) return { kind: 'too_many', alertId: parentId }
    const { status, reason } = parent
    for (const child of children) {
      const next = { ...child, status, reason, mergedInto: parentId }
      await saveWork(tx, child, next, ask)
      await notifyOfChange(tx, child, next, ask)
    }
    const at = { alertId: parentId, atMs: nowMs, by }
    await addEntries(
      tx,
      children.map(({ alertId }): NewEntry => ({ ...at, happening: { kind: 'merged', alert_id: alertId } })),
    )
    return { kind: 'done' }
  })
}

/** Takes an alert out of the one that it was merged into. Its status stays as it is. `hidden`: who asks may not see that one. */
export function unmergeAlert(
  db: Kysely<StateTables>,
  { alertId, by, nowMs, seenLogTypes }: Actor & Pick<ChangeAsk, 'seenLogTypes'> & { readonly alertId: string },
): Promise<'done' | 'not_found' | 'not_merged' | 'hidden'> {
  return db.transaction().execute(async (tx) => {
    const child = await openedAlert(tx, alertId)
    if (!child) return 'not_found'
    if (child.mergedInto === null) return 'not_merged'
    const parent = await openedAlert(tx, child.mergedInto)
    if (parent && !maySee(parent, { seenLogTypes })) return 'hidden'
    await saveWork(tx, child, { ...child, mergedInto: null }, { by, nowMs })
    const happening = { kind: 'unmerged', alert_id: alertId } as const
    await addEntries(tx, [{ alertId: child.mergedInto, atMs: nowMs, by, happening }])
    return 'done'
  })
}

async function mergedCount(tx: Transaction<StateTables>, parentId: string): Promise<number> {
  const { n } = await tx
    .selectFrom('alerts')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('merged_into', '=', parentId)
    .executeTakeFirstOrThrow()
  return n
}
