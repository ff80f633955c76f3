import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { EMPTY_REPORT, type LetterReplay } from '../../model/replay.ts'
import { openState, type StateDb } from '../../state/db.ts'
import { loadReplays, saveReplay } from '../../state/replays.ts'
import { Replays, type ReplaysDeps } from './replays.ts'

/** Replays that end before anything is judged. */
let folder: string
let db: StateDb
let replays: Replays

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-queue-'))
  db = await openState(folder)
  replays = new Replays({
    db,
    config: { data_dir: folder },
    now: () => 7,
    content: () => ({}),
    lake: {},
  } as unknown as ReplaysDeps)
})
afterEach(async () => {
  await replays.stop()
  await db.destroy()
  rmSync(folder, { recursive: true, force: true })
})

const letters: LetterReplay = {
  kind: 'dead-letters',
  sources: [],
  reasons: [],
  sinceMs: undefined,
  deliver: false,
  dryRun: false,
}
const states = async () => (await loadReplays(db)).map(({ state }) => state)

test('a replay that is cancelled right after the request never runs', async () => {
  const { id } = await replays.add(letters)
  expect(await replays.cancel(id)).toMatchObject({ state: 'cancelled' })
  await replays.stop()
  expect([await states(), replays.list().map(({ state }) => state)]).toEqual([['cancelled'], ['cancelled']])
})

test('a replay waits while the disk cannot be written', async () => {
  const times = { createdMs: 1, startedMs: 2 }
  await saveReplay(db, {
    id: 'r',
    ask: letters,
    state: 'running',
    ...times,
    cursor: { part: 0 },
    report: EMPTY_REPORT,
    notes: {},
  })
  await sql`PRAGMA query_only = ON`.execute(db)
  await replays.start()
  const cancelled = replays.cancel('r')
  // Everything else in the thread continues.
  await new Promise((resolve) => setImmediate(resolve))
  expect(await states()).toEqual(['running'])
  await sql`PRAGMA query_only = OFF`.execute(db)
  expect(await cancelled).toMatchObject({ state: 'cancelled' })
  expect(await states()).toEqual(['cancelled'])
})
