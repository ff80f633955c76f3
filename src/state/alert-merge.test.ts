import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { ALERT_STATUSES, type StoredAlert } from '../model/alert.ts'
import { MAX_MERGED } from '../model/alert-work.ts'
import { changeAlerts } from './alert-changes.ts'
import { mergeAlerts, unmergeAlert } from './alert-merge.ts'
import { timelineOf } from './alert-timeline.ts'
import { findAlert, saveWindows, storedAlert } from './alerts.ts'
import type { StateDb } from './db.ts'
import { deliveriesOfAlert } from './deliveries.ts'
import { window } from './state.fixture.ts'

onEachState(({ open }) => {
  let folder: string
  let db: StateDb

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-alert-merge-'))
    db = await open(folder)
  })

  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })

  const IDS = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(32))
  const who = { by: 'ana', nowMs: 500 }
  const stored = async (alertId: string): Promise<StoredAlert> => storedAlert((await findAlert(db, alertId))!)
  const save = (alertId: string, more: object = {}) =>
    db.transaction().execute((tx) => saveWindows(tx, [window({ alertId, groupKey: `g${alertId}`, ...more })]))

  /** What follows from a timeline alone. */
  async function heldBy(alertId: string) {
    const now: Record<string, unknown> = { status: 'OPEN', reason: null, mergedInto: null }
    const children = new Set<string>()
    for (const { happening } of await timelineOf(db, alertId, { limit: 100_000 })) {
      if (happening.kind === 'merged') children.add(happening.alert_id)
      if (happening.kind === 'unmerged') children.delete(happening.alert_id)
      if (happening.kind !== 'changed') continue
      const field = happening.field === 'merged_into' ? 'mergedInto' : happening.field
      expect(now[field]).toEqual(happening.from)
      now[field] = happening.to
    }
    return { ...now, children: [...children].sort() }
  }

  const which = fc.constantFrom(0, 1, 2, 3)
  const steps = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant('merge' as const),
        one: which,
        others: fc.uniqueArray(which, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant('unmerge' as const), one: which }),
      fc.record({ kind: fc.constant('status' as const), one: which, status: fc.constantFrom(...ALERT_STATUSES) }),
      fc.record({ kind: fc.constant('match' as const), one: which }),
    ),
    { maxLength: 20 },
  )

  test('whatever is merged, changed and matched, timelines tell it all, and what is merged has one status', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        await db.deleteFrom('alert_timeline').execute()
        await db.deleteFrom('alerts').execute()
        for (const id of IDS) await save(id)
        for (const step of all) {
          const alertId = IDS[step.one]!
          const before = await Promise.all(IDS.map(stored))
          const one = before[step.one]!
          if (step.kind === 'merge') {
            const others = step.others.map((n) => before[n]!)
            const mayMerge =
              one.mergedInto === null &&
              others.every(
                (other) =>
                  other.alertId !== alertId &&
                  (other.mergedInto === alertId ||
                    (other.mergedInto === null && !before.some(({ mergedInto }) => mergedInto === other.alertId))),
              )
            const { kind } = await mergeAlerts(db, { parentId: alertId, alertIds: others.map((other) => other.alertId), ...who })
            expect(kind === 'done').toBe(mayMerge)
            if (mayMerge) for (const other of others) expect((await stored(other.alertId)).mergedInto).toBe(alertId)
            else expect(await Promise.all(IDS.map(stored))).toEqual(before)
          } else if (step.kind === 'unmerge') {
            expect(await unmergeAlert(db, { alertId, ...who })).toBe(one.mergedInto === null ? 'not_merged' : 'done')
          } else if (step.kind === 'status') {
            const change = { status: step.status, reason: 'x' }
            const [result] = await changeAlerts(db, { alertIds: [alertId], change, ...who })
            if (one.mergedInto !== null && one.status !== step.status) expect(result!.outcome).toBe('merged')
          } else {
            // As a decision does: a match opens an alert again that is over.
            const status = one.status === 'RESOLVED' || one.status === 'CLOSED' ? 'OPEN' : one.status
            await save(alertId, { status, eventCount: one.eventCount + 1 })
            expect((await stored(alertId)).eventCount).toBe(one.eventCount + 1)
          }
          const after = await Promise.all(IDS.map(stored))
          for (const { alertId: id, status, reason, mergedInto } of after) {
            const children = after.filter((other) => other.mergedInto === id)
            expect(await heldBy(id)).toEqual({
              status,
              reason,
              mergedInto,
              children: children.map((child) => child.alertId).sort(),
            })
            for (const child of children) expect([child.status, mergedInto]).toEqual([status, null])
          }
        }
      }),
      { numRuns: 40 },
    )
  })

  test('when a parent ends, the alerts merged into it end too, each with its notification unless it is muted', async () => {
    for (const [i, id] of IDS.entries()) await save(id, i === 2 ? { mutedBy: 'm1' } : {})
    await mergeAlerts(db, { parentId: IDS[0]!, alertIds: IDS.slice(1, 3), ...who })
    const ended: string[] = []
    const onChange = (_: StoredAlert, { alertId, status }: StoredAlert) => {
      ended.push(`${alertId[0]} ${status}`)
      return []
    }
    await changeAlerts(db, { alertIds: [IDS[0]!], change: { status: 'RESOLVED' }, ...who, onChange })
    expect(ended).toEqual(['a RESOLVED', 'b RESOLVED'])
  })

  test('an alert that is merged into one which is over ends with it, and one that was over already is not sent as ended again', async () => {
    const [parentId, openId, overId, mutedId] = IDS as [string, string, string, string]
    for (const id of IDS) await save(id, id === mutedId ? { mutedBy: 'm1' } : {})
    await changeAlerts(db, { alertIds: [parentId, overId], change: { status: 'RESOLVED' }, ...who })
    const ended: unknown[] = []
    const onChange = (_: StoredAlert, { alertId, status, version }: StoredAlert) => {
      ended.push([alertId, status, version])
      return [
        { deliveryId: `end of ${alertId}`, alertId, destination: 'pager', body: '{}', createdMs: 500, kind: 'resolved' as const },
      ]
    }
    const merge = () => mergeAlerts(db, { parentId, alertIds: [openId, overId, mutedId], ...who, onChange })
    expect([await merge(), await merge()]).toEqual([{ kind: 'done' }, { kind: 'done' }])
    expect(ended).toEqual([[openId, 'RESOLVED', (await stored(openId)).version]])
    expect(await deliveriesOfAlert(db, openId)).toMatchObject([{ destination: 'pager', kind: 'resolved', state: 'pending' }])
  })

  test('when a match opens an alert again, those that are merged with it are returned as they are then', async () => {
    const [parentId, childId, otherId] = IDS as [string, string, string]
    for (const id of [parentId, childId, otherId]) await save(id)
    await mergeAlerts(db, { parentId, alertIds: [childId, otherId], ...who })
    await changeAlerts(db, { alertIds: [parentId], change: { status: 'RESOLVED', reason: 'done' }, ...who })
    const followers = await db
      .transaction()
      .execute((tx) => saveWindows(tx, [window({ alertId: childId, groupKey: `g${childId}`, status: 'OPEN', eventCount: 9 })]))
    expect(followers.map(({ alertId }) => alertId).sort()).toEqual([parentId, otherId].sort())
    for (const { alertId, status, reason, version } of followers)
      expect({ status, reason, version }).toEqual({ status: 'OPEN', reason: null, version: (await stored(alertId)).version })
  })

  test('there is a limit on how many alerts are merged into one, and one that is missing keeps all from being merged', async () => {
    const many = Array.from({ length: MAX_MERGED + 1 }, (_, i) => (i + 4096).toString(16).padStart(32, '0'))
    for (const id of [IDS[0]!, ...many]) await save(id)
    const merge = (alertIds: readonly string[]) => mergeAlerts(db, { parentId: IDS[0]!, alertIds, ...who })
    expect(await merge([many[0]!, IDS[1]!])).toEqual({ kind: 'not_found', alertId: IDS[1] })
    expect(await merge(many)).toEqual({ kind: 'too_many', alertId: IDS[0] })
    expect(await merge(many.slice(1))).toEqual({ kind: 'done' })
    expect(await merge(many.slice(1))).toEqual({ kind: 'done' })
    expect(await merge(many.slice(0, 1))).toEqual({ kind: 'too_many', alertId: IDS[0] })
    expect((await stored(many[0]!)).mergedInto).toBe(null)
  })

  test('a match that opens a merged alert again opens the one it is merged into, and the others', async () => {
    const [parentId, childId, otherId] = IDS as [string, string, string, string]
    for (const id of IDS) await save(id)
    await mergeAlerts(db, { parentId, alertIds: [childId, otherId], ...who })
    await changeAlerts(db, { alertIds: [parentId], change: { status: 'RESOLVED', reason: 'x' }, ...who })
    expect((await stored(otherId)).status).toBe('RESOLVED')
    await save(childId, { status: 'OPEN', eventCount: 2 })
    for (const id of [parentId, childId, otherId]) expect((await stored(id)).status).toBe('OPEN')
  })
})
