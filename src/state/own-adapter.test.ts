import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { openState } from './db.ts'
import { ownAdapter } from './own-adapter.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-unhurried-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const [NORMAL, FULL] = [1, 2]

test('only the unhurried work does not wait for the disk, however often there is some and however it ends', async () => {
  const db = await openState(folder)
  const level = async (one: typeof db) =>
    (await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(one)).rows[0]?.synchronous
  for (let round = 0; round < 3; round++) {
    expect(await level(db)).toBe(FULL)
    const unhurried = ownAdapter(db).unhurried(db, level)
    // Waits for it, like any other use of the connection.
    const after = db.transaction().execute((tx) => level(tx as never))
    expect([await unhurried, await after]).toEqual([NORMAL, FULL])
    const failed = ownAdapter(db).unhurried(db, () => Promise.reject(new Error('no')))
    await expect(failed).rejects.toThrow('no')
  }
  expect(await level(db)).toBe(FULL)
  await db.destroy()
})
