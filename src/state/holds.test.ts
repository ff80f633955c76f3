import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import type { StoredAlert } from '../model/alert.ts'
import { alertPage } from './alert-list.ts'
import { mergeAlerts } from './alert-merge.ts'
import { timelineOf } from './alert-timeline.ts'
import type { StateDb } from './db.ts'
import { evidenceOfAlert, pruneEvidence } from './evidence.ts'
import { changeHold, heldAlertIds } from './holds.ts'
import { pipelineState } from './pipeline-state.ts'
import { pruneStep } from './retention.ts'
import { removeSource } from './sources.ts'
import { commitTo, effectsIn, window } from './state.fixture.ts'

onEachState(({ open }) => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-holds-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const id = (letter: string) => letter.repeat(32)
  const [A, B, C] = [id('a'), id('b'), id('c')]
  const evidence = (alertId: string, number: number) => ({
    alertId,
    number,
    sourceId: 'web',
    evidence: { raw: `${alertId} ${number}` } as never,
  })

  let db: StateDb
  beforeEach(async () => {
    db = await open(mkdtempSync(join(folder, 'data-')))
    const windows = [A, B, C].map((alertId) => window({ alertId, groupKey: alertId }))
    const made = await effectsIn(pipelineState(db), 'web', {
      windows,
      opened: [],
      evidence: [A, B, C].map((one) => evidence(one, 1)),
    } as never)
    await commitTo(pipelineState(db), made)
  })

  const ids = async () => (await db.selectFrom('alerts').select('alert_id').orderBy('alert_id').execute()).map((a) => a.alert_id)
  const hold = (alertId: string, held: boolean, reason: string) =>
    changeHold(db, { alertId, held, reason, by: 'ana', nowMs: held ? 500 : 600 })
  const prune = async () => {
    const moment = { nowMs: 1e13, oldestPendingMs: 1e13 }
    while (await pruneStep(db, { deliveriesDays: 1, alertsDays: 1 }, moment));
  }

  test('holding and releasing are in the timeline, and the first reason stays', async () => {
    expect(await hold(A, true, 'case 7')).toBe('changed')
    expect(await hold(A, true, 'case 8')).toBe('unchanged')
    expect((await alertPage(db, { held: true }, { limit: 9 })).alerts.map((one: StoredAlert) => one.hold)).toEqual([
      { reason: 'case 7', by: 'ana', sinceMs: 500 },
    ])
    expect(await hold(A, false, 'closed')).toBe('changed')
    expect(await hold(A, false, 'closed')).toBe('unchanged')
    expect(await hold(id('d'), true, 'case 7')).toBe('not_found')
    const entries = await timelineOf(db, A, { limit: 9 })
    expect(entries.slice(-2).map(({ by, happening }) => [by, happening])).toEqual([
      ['ana', { kind: 'held', reason: 'case 7' }],
      ['ana', { kind: 'released', reason: 'closed' }],
    ])
  })

  test('retention spares what is on hold and what was merged into it, until it is released', async () => {
    await mergeAlerts(db, { parentId: A, alertIds: [B], by: 'ana', nowMs: 400 })
    await hold(A, true, 'case 7')
    expect(await heldAlertIds(db)).toEqual([A, B])
    await prune()
    expect(await ids()).toEqual([A, B])
    await hold(A, false, 'closed')
    await prune()
    expect(await ids()).toEqual([])
  })

  test('neither the size limit of evidence nor the removal of its source deletes what is on hold', async () => {
    await hold(A, true, 'case 7')
    expect(await pruneEvidence(db, 100, 1)).toBe(2)
    expect(await evidenceOfAlert(db, A)).toHaveLength(1)
    expect(await evidenceOfAlert(db, B)).toHaveLength(0)
    await removeSource(db, 'web', 'web')
    expect(await ids()).toEqual([A])
    expect(await evidenceOfAlert(db, A)).toHaveLength(1)
  })
})
