import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../../../test/support/until.ts'
import { openState, type StateDb } from '../../state/db.ts'
import { changeTokens } from '../../state/tokens.ts'
import { StorageError } from '../../util/errors.ts'
import { Tokens } from './tokens.ts'
import { WatchedTokens } from './watched-tokens.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-watched-tokens-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let db: StateDb
let watched: WatchedTokens | undefined
let troubles: string[]
beforeEach(async () => {
  db = await openState(mkdtempSync(join(folder, 'data-')))
  troubles = []
})
afterEach(async () => {
  await watched?.stop()
  await db.destroy()
})

const open = async (keptMs?: number) => {
  const own = { state: db, machine: 'the data folder', isSecondFactorNeeded: false, everyMs: 10 }
  watched = await WatchedTokens.open({ ...own, onTrouble: (message) => troubles.push(message), ...(keptMs && { keptMs }) })
  return watched
}
/** What the node that writes the state does. */
async function create(name: string) {
  const all = new Tokens({ machine: '', stored: [], ask: (ask) => changeTokens(db, ask, Date.now()), now: Date.now })
  const made = await all.add({
    name,
    role: 'ingest',
    cidrs: [],
    logTypes: [],
    expiresMs: null,
    createdBy: 'test',
    userId: null,
  } as never)
  if (typeof made === 'string') throw new Error(made)
  return { secret: made.secret, revoke: () => all.revoke(name, 'test') }
}

test('a token that was created elsewhere is soon known, and one that was revoked is not any more', async () => {
  const tokens = await open()
  const { secret, revoke } = await create('edge')
  await until(() => tokens.maySend(secret, '192.0.2.1') || undefined)
  expect(tokens.maySend('caracal_other', '192.0.2.1')).toBe(false)
  await revoke()
  await until(() => (tokens.maySend(secret, '192.0.2.1') ? undefined : true))
})

test('while the state cannot be read, senders have to try again later, except for the one with the token of this machine', async () => {
  const { secret } = await create('edge')
  const tokens = await open(300)
  expect(tokens.maySend(secret, '192.0.2.1')).toBe(true)
  await db.destroy()
  await until(() => tokens.trouble)
  expect(() => tokens.maySend(secret, '192.0.2.1')).toThrow(StorageError)
  expect(tokens.maySend('the data folder', '192.0.2.1')).toBe(true)
  expect(tokens.current.list()).toEqual([])
  expect(troubles).toHaveLength(1)
})
