import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { HOUR_MS, hourlyRecords, pruneActivity, sourceActivity, watchSources } from './activity.ts'
import type { StateDb } from './db.ts'
import { pipelineState } from './pipeline-state.ts'
import { removeSource } from './sources.ts'
import { commitTo, effectsIn } from './state.fixture.ts'

onEachState(({ open }) => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-activity-'))
  const MINUTE = 60_000
  const START = Date.parse('2026-03-02T10:00:00Z')
  let db: StateDb

  beforeEach(async () => {
    db = await open(mkdtempSync(join(folder, 'data-')))
  })
  afterEach(() => db.destroy())

  /** Commits a batch of that many records, received at that time. */
  async function batch(sourceId: string, receivedMs: number, records: number, newestEventMs?: number): Promise<void> {
    const state = pipelineState(db)
    const made = await effectsIn(state, sourceId, { activity: { bytes: records * 10, newestEventMs } })
    const counts = [{ sourceId, outcome: 'received' as const, reason: '', n: records }]
    await commitTo(state, { ...made, batch: { ...made.batch, receivedMs }, counts })
  }

  test('a source is known by its first and last records, its newest event and its lag', async () => {
    await watchSources(db, ['web', 'mute'], START)
    await batch('web', START + 1000, 5, START)
    await batch('web', START + 2 * MINUTE, 1, START + MINUTE)
    // Dead letters have no event time, and a header alone is no activity.
    await batch('web', START + 3 * MINUTE, 1)
    await batch('web', START + 4 * MINUTE, 0, START)
    const flows = await sourceActivity(db, START + 5 * MINUTE)
    expect(flows.get('web')).toEqual({
      watchedMs: START,
      firstReceivedMs: START + 1000,
      lastReceivedMs: START + 3 * MINUTE,
      lastEventMs: START + MINUTE,
      lagMs: MINUTE,
      bytes: 70,
      recordsPerMinute: 7 / 15,
      bytesPerMinute: 70 / 15,
    })
    expect(flows.get('mute')).toEqual({ watchedMs: START, bytes: 0, recordsPerMinute: 0, bytesPerMinute: 0 })
  })

  test('rates are about the last fifteen full minutes', async () => {
    for (let minute = 0; minute < 20; minute++) await batch('web', START + minute * MINUTE, minute)
    const at = async (ms: number) => (await sourceActivity(db, ms)).get('web')!.recordsPerMinute * 15
    // Minutes 5 to 19, then 4 to 18: the current minute does not count yet.
    expect(await at(START + 20 * MINUTE)).toBeCloseTo(180)
    expect(await at(START + 20 * MINUTE - 1)).toBeCloseTo(165)
    expect(await at(START + 60 * MINUTE)).toBe(0)
  })

  test('a batch that is committed twice counts once', async () => {
    const state = pipelineState(db)
    const made = await effectsIn(state, 'web', { activity: { bytes: 10 } })
    const counts = [{ sourceId: 'web', outcome: 'received' as const, reason: '', n: 1 }]
    const twice = { ...made, batch: { ...made.batch, receivedMs: START }, counts }
    expect([await commitTo(state, twice), await commitTo(state, twice)]).toEqual([true, false])
    expect((await sourceActivity(db, START)).get('web')!.bytes).toBe(10)
  })

  test('a source is watched from when it was configured, over restarts, and again from when it is configured again', async () => {
    const watched = async () => (await sourceActivity(db, START)).get('web')!.watchedMs
    await watchSources(db, ['web'], START)
    await watchSources(db, ['web'], START + HOUR_MS)
    expect(await watched()).toBe(START)
    await watchSources(db, [], START + 2 * HOUR_MS)
    expect(await watched()).toBe(START)
    await watchSources(db, ['web'], START + 3 * HOUR_MS)
    expect(await watched()).toBe(START + 3 * HOUR_MS)
    await removeSource(db, 'web', 'web')
    expect(await sourceActivity(db, START)).toEqual(new Map())
  })

  test('records by hour are kept for sixteen days and minutes for two hours', async () => {
    const day = 24 * HOUR_MS
    await batch('web', START, 3)
    await batch('web', START + MINUTE, 4)
    await batch('web', START + 3 * HOUR_MS, 5)
    const rows = async () =>
      (await db.selectFrom('source_flow').select(['span_ms', 'records']).execute()).map((row) => Object.values(row))
    await pruneActivity(db, START + 3 * HOUR_MS)
    expect(await rows()).toEqual([
      [HOUR_MS, 7],
      [MINUTE, 5],
      [HOUR_MS, 5],
    ])
    expect(await hourlyRecords(db, START, START + 3 * HOUR_MS)).toEqual(new Map([['web', new Map([[START, 7]])]]))
    await pruneActivity(db, START + 16 * day + HOUR_MS)
    expect(await rows()).toEqual([[HOUR_MS, 5]])
  })
})
