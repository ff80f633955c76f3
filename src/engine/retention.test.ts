import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openState } from '../state/db.ts'
import { Pruning } from './retention.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-pruning-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const DAY_MS = 86_400_000

test('uses the given clock, spares what a source that lags may still need, and reports when it cannot delete', async () => {
  const db = await openState(folder)
  const row = { rule_id: 'R', group_key: 'g', status: 'OPEN', severity: 'LOW', event_count: 1, body: '{}', opened: 0 }
  const times = { window_start_ms: 0, window_end_ms: 1, created_ms: 0, updated_ms: 0 }
  await db
    .insertInto('alerts')
    .values({ ...row, ...times, alert_id: 'w' })
    .execute()
  const count = async () => (await db.selectFrom('alerts').select('alert_id').execute()).length
  let nowMs = 7 * DAY_MS
  let behind = ['slow']
  const troubles: unknown[] = []
  const pruning = new Pruning(db, {
    retention: { deliveriesDays: 30, alertsDays: undefined },
    now: () => nowMs,
    behind: () => behind,
    onTrouble: (message) => troubles.push(message),
  })
  await pruning.run()
  nowMs = 8 * DAY_MS
  await pruning.run()
  expect(await count()).toBe(1)
  behind = []
  await pruning.run()
  expect(await count()).toBe(0)
  await db.destroy()
  await pruning.run()
  expect(troubles).toEqual([undefined, undefined, undefined, expect.stringContaining('cannot be deleted from the state')])
})
