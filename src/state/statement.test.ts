import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openState } from './db.ts'
import { type Rows, statement } from './statement.ts'
import type { StateTables } from './tables.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-statement-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a statement is built once for a number of rows, and has the values of each call', async () => {
  const db = await openState(folder)
  const built: number[] = []
  const insert = statement((one, rows: Rows<StateTables['meta']>) => {
    built.push(rows.length)
    return one.insertInto('meta').values(rows)
  })
  const pair = (n: number) => ({ key: `k${n}`, value: `v${n}` })
  expect((await insert(db, [pair(1)])).numAffectedRows).toBe(1n)
  await insert(db, [pair(2), pair(3)])
  await insert(db, [pair(4)])
  await db.transaction().execute((tx) => insert(tx, [pair(5), pair(6)]))
  expect(built).toEqual([1, 2])
  const values = await db.selectFrom('meta').selectAll().where('key', 'like', 'k%').orderBy('key').execute()
  expect(values).toEqual([1, 2, 3, 4, 5, 6].map(pair))
  await db.destroy()
})
