import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MAX_TOKENS } from '../../model/account.ts'
import { openState, type StateDb } from '../../state/db.ts'
import { changeTokens, storedTokens, type TokenAsk } from '../../state/tokens.ts'
import { Tokens, type TokenWish } from './tokens.ts'

let folder: string
let db: StateDb
let nowMs: number
let asks: TokenAsk[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-tokens-'))
  db = await openState(folder)
  nowMs = 1_000_000
  asks = []
})

afterEach(async () => {
  await db.destroy()
  rmSync(folder, { recursive: true, force: true })
})

const open = async () =>
  new Tokens({
    machine: 'machine-secret',
    stored: await storedTokens(db),
    ask: (ask) => {
      asks.push(ask)
      return changeTokens(db, ask, nowMs)
    },
    now: () => nowMs,
  })

const wish = (part: Partial<TokenWish> = {}): TokenWish => ({
  ...{ name: 'ci', role: 'viewer', cidrs: [], logTypes: [], expiresMs: null, createdBy: 'cli' },
  ...part,
})

async function added(tokens: Tokens, part: Partial<TokenWish> = {}) {
  const made = await tokens.add(wish(part))
  if (typeof made === 'string') throw new Error(made)
  return made
}

test("the data folder's token is an administrator's, and other texts are nobody's", async () => {
  const tokens = await open()
  const caller = { kind: 'machine', name: 'cli', role: 'admin' }
  expect(tokens.identify('machine-secret', '')).toEqual({ kind: 'caller', caller })
  for (const secret of [undefined, '', 'machine', 'caracal_x', '\0'])
    expect([tokens.identify(secret, '').kind, tokens.maySend(secret, '')]).toEqual(['unknown', false])
  expect(tokens.maySend('machine-secret', '')).toBe(true)
})

test('a token is known by its secret, after a restart too, and its secret is in no file', async () => {
  const { secret, token } = await added(await open(), { logTypes: ['Nginx.*'] })
  expect(secret).toMatch(/^caracal_[\w-]{43}$/)
  const again = await open()
  expect(again.identify(secret, '192.0.2.1')).toEqual({
    kind: 'caller',
    caller: { kind: 'token', name: 'ci', role: 'viewer', tokenId: token.tokenId, logTypes: ['Nginx.*'] },
  })
  expect(again.list()).toEqual([token])
  for (const file of ['state.db', 'state.db-wal']) expect(readFileSync(join(folder, file)).includes(secret)).toBe(false)
})

test('a token ends when it expires or is revoked, and says so', async () => {
  const tokens = await open()
  const short = await added(tokens, { name: 'short', expiresMs: nowMs + 10 })
  const { secret } = await added(tokens)
  nowMs += 10
  expect(tokens.identify(short.secret, '')).toMatchObject({ kind: 'refused', why: 'expired at 1970-01-01T00:16:40.010Z' })
  expect(await tokens.revoke('ci', 'ana')).toMatchObject({ revokedMs: nowMs, revokedBy: 'ana' })
  expect(tokens.identify(secret, '')).toMatchObject({ kind: 'refused', name: 'ci', isPlace: false })
  nowMs += 5
  expect(await tokens.revoke('ci', 'bo')).toBeUndefined()
  const { tokenId } = tokens.list().find(({ name }) => name === 'ci')!
  expect(await tokens.revoke(tokenId, 'bo')).toMatchObject({ revokedBy: 'ana' })
})

test('a name belongs to one token in force, and can be used again after that', async () => {
  const tokens = await open()
  await added(tokens)
  expect(await tokens.add(wish({ name: 'CI' }))).toBe('taken')
  await tokens.revoke('ci', 'cli')
  const { secret } = await added(tokens)
  expect(tokens.identify(secret, '').kind).toBe('caller')
  expect(tokens.list()).toHaveLength(2)
})

test('a token for some networks is refused elsewhere', async () => {
  const tokens = await open()
  const { secret } = await added(tokens, { role: 'ingest', cidrs: ['10.0.0.0/8', '2001:db8::/32'] })
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1'])
    expect(tokens.identify(secret, address).kind).toBe('caller')
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '', '::1'])
    expect([tokens.identify(secret, address), tokens.maySend(secret, address)]).toMatchObject([
      { kind: 'refused', isPlace: true },
      false,
    ])
})

test('only tokens for sending may send', async () => {
  const tokens = await open()
  for (const role of ['admin', 'analyst', 'viewer', 'ingest'] as const) {
    const { secret } = await added(tokens, { name: role, role })
    expect([role, tokens.maySend(secret, '')]).toEqual([role, role === 'ingest'])
  }
  const { secret } = await added(tokens, { role: 'ingest' })
  await tokens.revoke('ci', 'cli')
  expect(tokens.maySend(secret, '')).toBe(false)
})

test('the last use is stored at most once a minute', async () => {
  const tokens = await open()
  const { secret } = await added(tokens)
  for (const [afterMs, address] of [
    [0, '192.0.2.1'],
    [59_999, '192.0.2.2'],
    [1, '192.0.2.3'],
  ] as const) {
    nowMs += afterMs
    tokens.identify(secret, address)
  }
  expect(asks.filter((ask) => ask.do === 'used')).toMatchObject([{ address: '192.0.2.1' }, { address: '192.0.2.3' }])
  await expect.poll(() => tokens.list()[0]).toMatchObject({ lastAddress: '192.0.2.3', lastUsedMs: nowMs })
})

test('the number of stored tokens is limited', async () => {
  await db
    .insertInto('tokens')
    .values(
      Array.from({ length: MAX_TOKENS }, (_, i) => ({
        ...{ token_id: `t${i}`, hash: `${i}`, name: `n${i}`, role: 'viewer', cidrs: '[]', log_types: '[]' },
        ...{ created_ms: 1, created_by: 'cli', expires_ms: null },
      })),
    )
    .execute()
  expect(await (await open()).add(wish())).toBe('too_many')
})
