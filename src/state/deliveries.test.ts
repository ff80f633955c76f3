import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { failingProblems } from '../engine/checks/deliveries.ts'
import type { BatchEffects } from '../model/batch.ts'
import { changeAlerts } from './alert-changes.ts'
import type { StateDb } from './db.ts'
import { deadDeliveries, deliveriesOfAlert, failingDeliveries, referenceOf, saveDeliveryResults } from './deliveries.ts'
import { dueDeliveries, waitingDestinations } from './delivery-queue.ts'
import { pipelineState } from './pipeline-state.ts'
import { commitTo, delivery, effectsIn, window } from './state.fixture.ts'
import type { DeliveryRow } from './tables.ts'

onEachState(({ open }) => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-deliveries-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('a destination is failing after three failed attempts, or when its alert is a minute old', async () => {
    const db = await open(folder)
    const rows: [destination: string, state: string, tries: number, createdMs: number, error: string][] = [
      ['hiccup', 'pending', 2, 60_001, 'no'],
      ['new', 'pending', 0, 0, ''],
      ['third', 'pending', 3, 100_000, 'third'],
      ['old', 'pending', 1, 60_000, 'once'],
      ['old', 'pending', 2, 50_000, 'twice'],
      ['done', 'delivered', 5, 0, ''],
      ['given up', 'dead', 10, 0, 'no'],
    ]
    for (const [i, [destination, state, tries, created_ms, error]] of rows.entries())
      await db
        .insertInto('deliveries')
        .values({
          delivery_id: `d${i}`,
          alert_id: 'a',
          destination,
          state,
          tries,
          next_ms: 0,
          created_ms,
          body: '{}',
          error: error && JSON.stringify(error),
        })
        .execute()
    const failing = await failingDeliveries(db, 120_000)
    expect(failing).toEqual([
      { destination: 'old', alerts: 2, error: 'twice' },
      { destination: 'third', alerts: 1, error: 'third' },
    ])
    expect(failingProblems(failing).map(({ what, message, notTo }) => [what, message, notTo])).toEqual([
      ['DestinationDown', 'Destination old is failing and 2 alerts wait for it: twice', ['old']],
      ['DestinationDown', 'Destination third is failing and an alert waits for it: third', ['third']],
    ])
    await db.destroy()
  })

  /** Due deliveries of each destination in turn. */
  async function dueOfAll(db: StateDb, nowMs: number, limit: number, except: readonly string[]) {
    const all: DeliveryRow[] = []
    for (const destination of await waitingDestinations(db))
      all.push(...(await dueDeliveries(db, destination, nowMs, limit, except)))
    return all
  }

  describe('deliveries that batches commit', () => {
    let db: StateDb

    beforeEach(async () => {
      db = await open(mkdtempSync(join(folder, 'data-')))
    })
    afterEach(() => db.destroy())

    async function keep(part: Partial<BatchEffects>): Promise<void> {
      const state = pipelineState(db)
      await commitTo(state, await effectsIn(state, 's', part))
    }

    test('are due, retried, delivered or dead', async () => {
      await keep({
        deliveries: [delivery('d1', 'soc', 10), { ...delivery('d2', 'soc', 20), alertId: 'b' }, delivery('d3', 'mail', 30)],
      })
      await keep({ deliveries: [delivery('d1', 'soc', 99)] })
      const due = async (now: number, except: string[] = []) =>
        (await dueOfAll(db, now, 10, except)).map(({ delivery_id }) => delivery_id)
      expect(await due(9)).toEqual([])
      expect(await due(30)).toEqual(['d3', 'd1', 'd2'])
      expect(await due(30, ['d2'])).toEqual(['d3', 'd1'])
      await saveDeliveryResults(db, [
        { deliveryId: 'd1', kind: 'again', tries: 1, nextMs: 499.25, error: 'a\0b\ud800' },
        { deliveryId: 'd2', kind: 'delivered', tries: 1, nowMs: 40 },
        { deliveryId: 'd3', kind: 'dead', tries: 1, error: 'no', nowMs: 40 },
      ])
      expect(await due(499)).toEqual([])
      expect(await due(500)).toEqual(['d1'])
      const [, first] = await deliveriesOfAlert(db, 'a'.repeat(32))
      expect(first).toMatchObject({ delivery_id: 'd1', tries: 1, state: 'pending' })
      expect(JSON.parse(first!.error)).toBe('a\0b\ud800')
    })

    test('that are dead count by destination while their alert is open, except for alerts of the excluded rule', async () => {
      const alerts = ['a', 'b', 'c'].map((letter) => ({ alertId: letter.repeat(32), ruleId: letter === 'c' ? 'Own' : 'R' }))
      const all = alerts.flatMap(({ alertId }) =>
        ['mail', 'soc'].map((to) => ({ ...delivery(`${alertId}${to}`, to, 10), alertId })),
      )
      const windows = alerts.map((part) => window({ ...part, groupKey: part.alertId }))
      await keep({ windows, deliveries: all })
      const dead = all.map(({ deliveryId }, i) => ({
        deliveryId,
        kind: 'dead' as const,
        tries: 1,
        error: `no ${i}`,
        nowMs: 40 + i,
      }))
      await saveDeliveryResults(
        db,
        dead.filter(({ deliveryId }) => deliveryId !== `${'b'.repeat(32)}mail`),
      )
      expect(await deadDeliveries(db, 'Own')).toEqual([
        { destination: 'mail', alerts: 1, alertIds: ['a'.repeat(32)], error: 'no 0' },
        { destination: 'soc', alerts: 2, alertIds: ['b'.repeat(32), 'a'.repeat(32)], error: 'no 3' },
      ])
      await changeAlerts(db, { alertIds: ['a'.repeat(32)], change: { status: 'TRIAGED' }, by: 'ana', nowMs: 50 })
      expect(await deadDeliveries(db, 'Own')).toEqual([
        { destination: 'soc', alerts: 1, alertIds: ['b'.repeat(32)], error: 'no 3' },
      ])
    })

    test('of one alert to one destination are due one after another, in the order of the changes', async () => {
      const opened = delivery('z-opened', 'soc', 10)
      await keep({ deliveries: [opened, delivery('y', 'mail', 10), { ...delivery('x', 'soc', 10), alertId: 'other' }] })
      await keep({ deliveries: [delivery('a-resolved', 'soc', 10)] })
      const due = async (except: string[] = []) => (await dueOfAll(db, 2000, 9, except)).map(({ delivery_id }) => delivery_id)
      expect((await due()).sort()).toEqual(['x', 'y', 'z-opened'])
      // Nor while the first is being sent, or waits for another attempt.
      expect((await due(['z-opened'])).sort()).toEqual(['x', 'y'])
      await saveDeliveryResults(db, [{ deliveryId: 'z-opened', kind: 'again', tries: 1, nextMs: 5000, error: 'down' }])
      expect((await due()).sort()).toEqual(['x', 'y'])
      await saveDeliveryResults(db, [{ deliveryId: 'z-opened', kind: 'delivered', tries: 2, nowMs: 50 }])
      expect((await due()).sort()).toEqual(['a-resolved', 'x', 'y'])
    })

    test('are found by what the receiver called the alert, at that destination and for that alert only', async () => {
      const opened = [delivery('o1', 'soc', 10), delivery('o2', 'mail', 10), { ...delivery('o3', 'soc', 10), alertId: 'b' }]
      await keep({ deliveries: opened })
      const found = () => referenceOf(db, 'a'.repeat(32), 'soc')
      expect(await found()).toBeUndefined()
      const delivered = (deliveryId: string, reference?: string) =>
        saveDeliveryResults(db, [{ deliveryId, kind: 'delivered', tries: 1, nowMs: 40, reference }])
      await delivered('o2', 'mail-1')
      await delivered('o3', 'other-1')
      expect(await found()).toBeUndefined()
      await delivered('o1', 'SEC-1\0')
      expect(await found()).toBe('SEC-1\0')
      await keep({ deliveries: [delivery('r1', 'soc', 50)] })
      await delivered('r1')
      expect(await found()).toBe('SEC-1\0')
    })

    test('are due even if another destination has a long queue', async () => {
      const slow = Array.from({ length: 50 }, (_, i) => ({ ...delivery(`slow${i}`, 'slow', i), alertId: `${i}` }))
      await keep({ deliveries: [...slow, delivery('quick', 'zz', 1000)] })
      const due = await dueOfAll(db, 2000, 3, [])
      expect(due.map(({ delivery_id }) => delivery_id)).toEqual(['slow0', 'slow1', 'slow2', 'quick'])
    })
  })
})
