import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { CompiledQuery } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { SEVERITIES, type Severity } from '../model/rule.ts'
import type { StateDb } from './db.ts'
import { referenceOf, saveDeliveries } from './deliveries.ts'
import { listDeliveries } from './delivery-list.ts'
import { countDue, dueDeliveries, waitingDestinations } from './delivery-queue.ts'
import { pipelineState } from './pipeline-state.ts'
import { commitTo, delivery, effectsIn, window } from './state.fixture.ts'

onEachState(({ open, type }) => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-delivery-queue-'))
  let db: StateDb
  beforeAll(async () => {
    db = await open(folder)
  })
  beforeEach(async () => {
    await db.deleteFrom('deliveries').execute()
    await db.deleteFrom('alerts').execute()
  })
  afterAll(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true })
  })

  async function addAlert(alertId: string, severity: Severity): Promise<void> {
    const state = pipelineState(db)
    const windows = [window({ alertId, groupKey: alertId, severity })]
    await commitTo(state, await effectsIn(state, 's', { windows }))
  }

  const add = (...deliveries: Parameters<typeof saveDeliveries>[1]) =>
    db.transaction().execute((tx) => saveDeliveries(tx, deliveries))

  const due = async (nowMs: number, limit: number, kind?: 'alone' | 'others') =>
    (await dueDeliveries(db, 'soc', nowMs, limit, [], kind)).map(({ delivery_id }) => delivery_id)

  const isAlone = ({ kind }: { kind: string }) => kind === 'resolved' || kind === 'changed'

  test('the most severe are due first, however many older ones wait', async () => {
    await addAlert('flood', 'LOW')
    await addAlert('breach', 'CRITICAL')
    for (let i = 0; i < 600; i++)
      await db
        .insertInto('deliveries')
        .values({
          delivery_id: `f${i}`,
          alert_id: `${i}`,
          destination: 'soc',
          state: 'pending',
          tries: 0,
          next_ms: i,
          created_ms: i,
          body: '',
          error: '',
        })
        .execute()
    await add({ ...delivery('low', 'soc', 5000), alertId: 'flood' }, { ...delivery('now', 'soc', 6000), alertId: 'breach' })
    expect(await due(9000, 4)).toEqual(['now', 'low', 'f0', 'f1'])
    expect(await countDue(db, 'soc', 9000, 1000, [])).toBe(602)
    expect(await countDue(db, 'soc', 9000, 7, [])).toBe(7)
    expect(await countDue(db, 'soc', 9000, 1000, ['now', 'f3'])).toBe(600)
  })

  test('an earlier delivery that a more severe change waits for is due as early as the change', async () => {
    await addAlert('other', 'HIGH')
    await addAlert('grows', 'LOW')
    await add({ ...delivery('other', 'soc', 1), alertId: 'other' }, { ...delivery('opened', 'soc', 2), alertId: 'grows' })
    expect(await due(100, 9)).toEqual(['other', 'opened'])
    await db.updateTable('alerts').set({ severity: 'CRITICAL' }).where('alert_id', '=', 'grows').execute()
    await add({ ...delivery('updated', 'soc', 3), alertId: 'grows', kind: 'updated' })
    expect(await due(100, 9)).toEqual(['opened', 'other'])
  })

  test('any queue: as many as counted, by severity, then by age, and one alert’s in their order', async () => {
    const one = fc.record({
      alert: fc.nat({ max: 5 }),
      kind: fc.constantFrom('opened' as const, 'updated' as const, 'resolved' as const, 'changed' as const),
      nextMs: fc.nat({ max: 20 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...SEVERITIES), { minLength: 6, maxLength: 6 }),
        fc.array(one),
        async (severities, all) => {
          await db.deleteFrom('deliveries').execute()
          await db.deleteFrom('alerts').execute()
          for (const [i, severity] of severities.entries()) await addAlert(`${i}`, severity)
          const deliveries = all.map(({ alert, kind, nextMs }, i) => ({
            ...delivery(`d${i}`, 'soc', nextMs),
            alertId: `${alert}`,
            kind,
          }))
          await add(...deliveries)
          const first = all
            .map((each, i) => ({ ...each, i }))
            .filter(({ alert, i }) => all.findIndex((each) => each.alert === alert) === i)
          const wanted = first
            .filter(({ nextMs }) => nextMs <= 10)
            .sort(
              (a, b) =>
                SEVERITIES.indexOf(severities[b.alert]!) - SEVERITIES.indexOf(severities[a.alert]!) ||
                a.nextMs - b.nextMs ||
                a.i - b.i,
            )
          const ids = (some: typeof wanted) => some.map(({ i }) => `d${i}`)
          expect(await due(10, 100)).toEqual(ids(wanted))
          expect(await due(10, 2)).toEqual(ids(wanted.slice(0, 2)))
          expect(await due(10, 100, 'alone')).toEqual(ids(wanted.filter(isAlone)))
          expect(await due(10, 100, 'others')).toEqual(ids(wanted.filter((one) => !isAlone(one))))
          expect(await countDue(db, 'soc', 10, 100, [])).toBe(wanted.length)
        },
      ),
      { numRuns: 25 },
    )
  })

  describe.skipIf(type !== 'sqlite')('what SQLite reads', () => {
    /** The steps by which SQLite executes the queries of `run`. */
    async function stepsOf(run: (watched: StateDb) => Promise<unknown>): Promise<string[]> {
      const seen: CompiledQuery[] = []
      const watched = db.withPlugin({
        transformQuery: ({ node, queryId }) => {
          seen.push(db.getExecutor().compileQuery(node, queryId))
          return node
        },
        transformResult: async ({ result }) => result,
      })
      await run(watched)
      const steps: string[] = []
      for (const { sql, parameters } of seen) {
        const { rows } = await db.executeQuery<{ detail: string }>(
          CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]),
        )
        steps.push(...rows.map(({ detail }) => detail))
      }
      return steps
    }

    test.each([
      ['all', {}, 'SCAN deliveries USING INDEX deliveries_created'],
      ['those in a state', { state: 'dead' }, 'INDEX deliveries_state (state=?)'],
      ['those of a destination', { destination: 'soc' }, 'INDEX deliveries_destination (destination=?)'],
      ['both', { state: 'delivered', destination: 'soc' }, 'INDEX deliveries_both (state=? AND destination=?)'],
      ['those of an alert', { alertId: 'a', state: 'delivered' }, 'INDEX deliveries_alert (alert_id=?)'],
    ] as const)('for the newest of %s: an index, in its order', async (_, filter, wanted) => {
      const steps = await stepsOf((watched) => listDeliveries(watched, filter, 10))
      const inner = steps.slice(steps.findIndex((step) => step.startsWith('LIST SUBQUERY')) + 1)
      expect(inner[0]).toContain(wanted)
      if (!('alertId' in filter)) expect(inner[1] ?? '').not.toContain('TEMP B-TREE')
    })

    test('to find what is due: the index of pending ones, in its order, and the alert’s own deliveries', async () => {
      await add(delivery('d', 'soc'))
      const steps = await stepsOf(async (watched) => {
        await waitingDestinations(watched)
        await countDue(watched, 'soc', 100, 9, ['x'])
        await dueDeliveries(watched, 'soc', 100, 9, ['x'], 'alone')
      })
      expect(steps.filter((step) => /\bTEMP B-TREE|^SCAN (deliveries|earlier)\b/.test(step))).toEqual([])
      for (const step of steps.filter((each) => each.startsWith('SEARCH deliveries')))
        expect(step).toMatch(/deliveries_due|deliveries_both \(state=\? AND destination>\?\)/)
      for (const step of steps.filter((each) => each.startsWith('SEARCH earlier'))) expect(step).toContain('deliveries_alert')
      expect(await stepsOf((watched) => referenceOf(watched, 'a', 'soc'))).toEqual([expect.stringContaining('deliveries_alert')])
    })
  })
})
