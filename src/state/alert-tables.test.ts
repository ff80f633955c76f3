import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { namedVersions } from './alert-tables.ts'
import type { StateDb } from './db.ts'
import { pipelineState } from './pipeline-state.ts'
import { pruneStep } from './retention.ts'
import { commitTo, effectsIn, window } from './state.fixture.ts'

onEachState(({ open }) => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-alert-tables-'))
  let db: StateDb
  beforeAll(async () => {
    db = await open(folder)
  })
  afterAll(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })

  const DAY_MS = 86_400_000

  test('a version is named as long as an alert that names it exists', async () => {
    const state = pipelineState(db)
    const windows = [window({ alertId: 'a'.repeat(32), groupKey: 'a' }), window({ alertId: 'b'.repeat(32), groupKey: 'b' })]
    const named = (alertId: string, version: string) => ({ alertId: alertId.repeat(32), table: 'tor', version })
    const alertTables = [named('a', 'v1'), named('a', 'v2'), named('b', 'v2')]
    await commitTo(state, await effectsIn(state, 'web', { windows, alertTables }))
    // The same again, with the next event of the alert.
    await commitTo(state, await effectsIn(state, 'web', { windows, alertTables }))
    expect(await namedVersions(db, 'tor')).toEqual(new Set(['v1', 'v2']))
    expect(await namedVersions(db, 'other')).toEqual(new Set())
    await db
      .updateTable('alerts')
      .set({ updated_ms: 90 * DAY_MS })
      .where('alert_id', '=', 'b'.repeat(32))
      .execute()
    const moment = { nowMs: 100 * DAY_MS, oldestPendingMs: 100 * DAY_MS }
    await pruneStep(db, { deliveriesDays: 30, alertsDays: 30 }, moment)
    expect(await namedVersions(db, 'tor')).toEqual(new Set(['v2']))
  })
})
