import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import type { StateDb } from './db.ts'
import { referenceOf } from './deliveries.ts'
import { oldestPendingMs, pruneStep, type Retention } from './retention.ts'

onEachState(({ open }) => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-retention-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const DAY_MS = 86_400_000
  const NOW_MS = 400 * DAY_MS
  const day = fc.integer({ min: 0, max: 400 }).map((n) => n * DAY_MS)

  async function inState<T>(use: (db: StateDb) => Promise<T>): Promise<T> {
    const db = await open(mkdtempSync(join(folder, 'data-')))
    try {
      return await use(db)
    } finally {
      await db.destroy()
    }
  }

  interface Alert {
    readonly opened: 0 | 1
    readonly createdMs: number
    readonly openMs: number
    readonly updatedMs: number
    readonly deliveries: readonly { readonly state: string; readonly doneMs: number; readonly reference?: string }[]
  }

  async function add(db: StateDb, id: string, alert: Alert): Promise<void> {
    const { opened, createdMs, openMs, updatedMs, deliveries } = alert
    const row = {
      rule_id: 'R',
      group_key: 'g',
      window_start_ms: createdMs,
      status: 'OPEN',
      severity: 'LOW',
      event_count: 1,
      body: '{}',
    }
    const times = { created_ms: createdMs, window_end_ms: createdMs + openMs, updated_ms: updatedMs }
    await db
      .insertInto('alerts')
      .values({ ...row, ...times, alert_id: id, opened })
      .execute()
    for (const [i, { state, doneMs, reference = '' }] of deliveries.entries())
      await db
        .insertInto('deliveries')
        .values({
          delivery_id: `${id}.${i}`,
          alert_id: id,
          destination: 'd',
          state,
          tries: 1,
          next_ms: doneMs,
          reference,
          created_ms: createdMs,
          body: '{}',
          error: '',
        })
        .execute()
  }

  async function prune(db: StateDb, retention: Retention, oldestMs = NOW_MS): Promise<void> {
    while (await pruneStep(db, retention, { nowMs: NOW_MS, oldestPendingMs: oldestMs }));
  }

  async function left(db: StateDb) {
    const alerts = await db.selectFrom('alerts').select('alert_id').execute()
    const deliveries = await db.selectFrom('deliveries').select('delivery_id').execute()
    return { alerts: alerts.map((row) => row.alert_id).sort(), deliveries: deliveries.map((row) => row.delivery_id).sort() }
  }

  const alerts: fc.Arbitrary<Alert> = fc.record({
    opened: fc.constantFrom(0, 1),
    createdMs: day,
    openMs: fc.constantFrom(3_600_000, 20 * DAY_MS),
    updatedMs: day,
    deliveries: fc.array(
      fc.record({
        state: fc.constantFrom('pending', 'delivered', 'dead'),
        doneMs: day,
        reference: fc.constantFrom('', '"SEC-1"'),
      }),
      { maxLength: 3 },
    ),
  })
  const retentions: fc.Arbitrary<Retention> = fc.record({
    deliveriesDays: fc.integer({ min: 1, max: 60 }),
    alertsDays: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
  })

  /** The retention rule, item by item. */
  function expected(all: readonly Alert[], { deliveriesDays, alertsDays }: Retention, oldestMs: number) {
    const reached = Math.min(NOW_MS, oldestMs)
    const isKept = ({ opened, createdMs, openMs, updatedMs, deliveries }: Alert) => {
      const endMs = createdMs + openMs
      if (opened === 0) return endMs >= reached - 7 * DAY_MS
      if (alertsDays === undefined || deliveries.some(({ state }) => state === 'pending')) return true
      return Math.max(endMs, updatedMs) >= reached - alertsDays * DAY_MS
    }
    const made = NOW_MS - deliveriesDays * DAY_MS
    const kept = all.map((alert, i) => ({ alert, id: `a${i}` }))
    return {
      alerts: kept
        .filter(({ alert }) => isKept(alert))
        .map(({ id }) => id)
        .sort(),
      deliveries: kept
        .flatMap(({ alert, id }) =>
          alert.opened === 1 && !isKept(alert)
            ? []
            : alert.deliveries.flatMap(({ state, doneMs, reference }, i) => {
                const isOld = state === 'delivered' && !reference && doneMs < made && alert.createdMs + alert.openMs < made
                return isOld ? [] : [`${id}.${i}`]
              }),
        )
        .sort(),
    }
  }

  test('only items whose age and status allow it are deleted', async () => {
    await inState((db) =>
      fc.assert(
        fc.asyncProperty(fc.array(alerts, { maxLength: 12 }), retentions, day, async (all, retention, oldestMs) => {
          await db.deleteFrom('alerts').execute()
          await db.deleteFrom('deliveries').execute()
          // Only windows that became alerts have deliveries.
          const real = all.map((alert) => (alert.opened === 1 ? alert : { ...alert, deliveries: [] }))
          for (const [i, alert] of real.entries()) await add(db, `a${i}`, alert)
          await prune(db, retention, oldestMs)
          expect(await left(db)).toEqual(expected(real, retention, oldestMs))
        }),
        { numRuns: 150 },
      ),
    )
  })

  test('alerts are kept forever by default', async () => {
    await inState(async (db) => {
      await add(db, 'old', { opened: 1, createdMs: 0, openMs: 1, updatedMs: 0, deliveries: [{ state: 'dead', doneMs: 0 }] })
      await prune(db, { deliveriesDays: 30, alertsDays: undefined })
      expect(await left(db)).toEqual({ alerts: ['old'], deliveries: ['old.0'] })
    })
  })

  test('what an alert is called elsewhere is known as long as the alert, however old the delivery is', async () => {
    await inState(async (db) => {
      const sent = { state: 'delivered', doneMs: 0 }
      const deliveries = [{ ...sent, reference: '"SEC-1"' }, sent]
      await add(db, 'old', { opened: 1, createdMs: 0, openMs: 1, updatedMs: 0, deliveries })
      await prune(db, { deliveriesDays: 1, alertsDays: undefined })
      expect(await referenceOf(db, 'old', 'd')).toBe('SEC-1')
      expect(await left(db)).toEqual({ alerts: ['old'], deliveries: ['old.0'] })
      await db.deleteFrom('alerts').execute()
      await prune(db, { deliveriesDays: 1, alertsDays: undefined })
      expect(await left(db)).toEqual({ alerts: [], deliveries: [] })
    })
  })

  test('one step deletes a limited number of rows and reports that there are more', async () => {
    await inState(async (db) => {
      const row = {
        rule_id: 'R',
        group_key: 'g',
        window_start_ms: 0,
        window_end_ms: 1,
        opened: 0,
        status: 'OPEN',
        severity: 'LOW',
      }
      const rest = { event_count: 1, created_ms: 0, updated_ms: 0, body: '{}' }
      for (let i = 0; i < 1200; i += 100)
        await db
          .insertInto('alerts')
          .values(Array.from({ length: 100 }, (_, n) => ({ ...row, ...rest, alert_id: `w${i + n}` })))
          .execute()
      const counts: number[] = []
      let isMore = true
      while (isMore) {
        isMore = await pruneStep(db, { deliveriesDays: 30, alertsDays: undefined }, { nowMs: NOW_MS, oldestPendingMs: NOW_MS })
        counts.push((await left(db)).alerts.length)
      }
      expect(counts).toEqual([700, 200, 0])
    })
  })

  test('table shapes are deleted when no waiting row has used them for a week', async () => {
    await inState(async (db) => {
      for (const id of ['used', 'idle']) await db.insertInto('specs').values({ spec_id: id, spec: '{}' }).execute()
      await db
        .insertInto('outbox')
        .values({ id: 1, spec_id: 'used', row_count: 1, bytes: 1, created_ms: 0, rows: new Uint8Array(1) })
        .execute()
      const specsAt = async (nowMs: number) => {
        await pruneStep(db, { deliveriesDays: 30, alertsDays: undefined }, { nowMs, oldestPendingMs: nowMs })
        return (await db.selectFrom('specs').select('spec_id').orderBy('spec_id').execute()).map((row) => row.spec_id)
      }
      expect(await specsAt(NOW_MS)).toEqual(['idle', 'used'])
      expect(await specsAt(NOW_MS + 7 * DAY_MS - 1)).toEqual(['idle', 'used'])
      expect(await specsAt(NOW_MS + 7 * DAY_MS)).toEqual(['used'])
      await db.deleteFrom('outbox').execute()
      expect(await specsAt(NOW_MS + 8 * DAY_MS)).toEqual(['used'])
      expect(await specsAt(NOW_MS + 15 * DAY_MS)).toEqual([])
    })
  })

  test('the oldest record that may still be judged is that of the source with the oldest backlog', async () => {
    await inState(async (db) => {
      const batch = { extent: '{}', done: 1 }
      await db
        .insertInto('batches')
        .values([
          { ...batch, batch_id: '1', source_id: 'a', received_ms: 50 },
          { ...batch, batch_id: '2', source_id: 'b', received_ms: 20 },
        ])
        .execute()
      expect(await oldestPendingMs(db, [], 100)).toBe(100)
      expect(await oldestPendingMs(db, ['a'], 100)).toBe(50)
      expect(await oldestPendingMs(db, ['a', 'b'], 100)).toBe(20)
      // It is unknown how long its first record has been waiting.
      expect(await oldestPendingMs(db, ['a', 'new'], 100)).toBe(0)
    })
  })
})
