import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { failingProblems } from '../engine/checks/deliveries.ts'
import { openState } from './db.ts'
import { failingDeliveries } from './deliveries.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-deliveries-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a destination is failing from the third failed try on, or when its alert is a minute old', async () => {
  const db = await openState(folder)
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
