import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { changeAlerts } from './alert-changes.ts'
import { saveWindows } from './alerts.ts'
import type { StateDb } from './db.ts'
import { alertQualities, ruleAlerts } from './rule-alerts.ts'
import { window } from './state.fixture.ts'

onEachState(({ open }) => {
  let folder: string
  let db: StateDb

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-rule-alerts-'))
    db = await open(folder)
  })

  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })

  const DAY = 86_400_000
  const idOf = (n: number) => n.toString(16).padStart(32, '0')

  test('alerts of one rule are counted by day and by quality', async () => {
    const at = [0, 1000, DAY - 1, DAY, 3 * DAY + 5]
    const windows = at.map((createdMs, i) =>
      window({ alertId: idOf(i), groupKey: `g${i}`, opened: true, eventCount: i + 1, createdMs }),
    )
    const others = [
      window({ alertId: idOf(10), groupKey: 'other', ruleId: 'Other', opened: true, createdMs: DAY }),
      window({ alertId: idOf(11), groupKey: 'small', opened: false, createdMs: DAY }),
    ]
    await db.transaction().execute((tx) => saveWindows(tx, [...windows, ...others]))
    await changeAlerts(db, { alertIds: [idOf(1), idOf(2)], change: { quality: 'NOISE' }, by: 'ana', nowMs: 5 * DAY })
    await changeAlerts(db, { alertIds: [idOf(4)], change: { quality: 'USEFUL' }, by: 'ana', nowMs: 5 * DAY })
    expect(await ruleAlerts(db, 'R', 1000)).toEqual({
      alerts: 4,
      matches: 2 + 3 + 4 + 5,
      useful: 1,
      noise: 2,
      lastMs: 3 * DAY + 5,
      days: [
        { day: '1970-01-01', alerts: 2, matches: 5 },
        { day: '1970-01-02', alerts: 1, matches: 4 },
        { day: '1970-01-04', alerts: 1, matches: 5 },
      ],
      isCut: false,
    })
    const byRule = await alertQualities(db, 1000)
    expect(byRule.sort((a, b) => (a.ruleId < b.ruleId ? -1 : 1))).toEqual([
      { ruleId: 'Other', alerts: 1, useful: 0, noise: 0 },
      { ruleId: 'R', alerts: 4, useful: 1, noise: 2 },
    ])
    expect(await ruleAlerts(db, 'None', 0)).toMatchObject({ alerts: 0, lastMs: undefined, days: [] })
  })
})
