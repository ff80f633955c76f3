import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Browser } from '../../test/support/browser.ts'
import { type FakeEngine, fakeEngine } from '../../test/support/fake-engine.ts'
import { codeAt, STEP_MS } from '../../test/support/totp.ts'
import { configSchema } from '../config/config.ts'

const PASSWORD = 'four words in a row'
const EMAIL = 'ana@example.com'

let engine: FakeEngine
let ana: Browser

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  engine = await fakeEngine()
  const { users } = engine.accounts
  const made = await users.create({ email: EMAIL, name: 'Ana', role: 'analyst', logTypes: [], createdBy: 'test' })
  await users.setPassword((made as { userId: string }).userId, PASSWORD)
  ana = new Browser(engine)
  expect((await ana.signIn(EMAIL, PASSWORD)).body).toEqual({ state: 'signed_in' })
})
afterEach(async () => {
  vi.useRealTimers()
  await engine.dispose()
})

/** Another code than those that are right now. */
function wrongCode(secret: string): string {
  const right = [-1, 0, 1].map((step) => codeAt(secret, Date.now() + step * STEP_MS))
  return ['111111', '222222', '333333', '444444'].find((code) => !right.includes(code))!
}

interface Factor {
  readonly otpauth_url: string
  readonly secret: string
  readonly recovery_codes: readonly string[]
}

async function begun(): Promise<Factor> {
  const { status, body } = await ana.ask('POST', '/api/v1/me/second-factor', { password: PASSWORD })
  expect(status).toBe(200)
  return body as unknown as Factor
}

async function setUp(): Promise<Factor> {
  const factor = await begun()
  const code = codeAt(factor.secret)
  expect((await ana.ask('POST', '/api/v1/me/second-factor/confirm', { code })).status).toBe(200)
  vi.setSystemTime(Date.now() + 2 * STEP_MS)
  return factor
}

/** A browser in which the password was right. */
async function challenged(): Promise<Browser> {
  const browser = new Browser(engine)
  expect(await browser.signIn(EMAIL, PASSWORD)).toEqual({ status: 200, body: { state: 'code_needed' } })
  return browser
}

const me = async (browser: Browser) => (await browser.ask('GET', '/api/v1/me')).status
const withCode = async (browser: Browser, code: string) => (await browser.ask('POST', '/api/v1/sign-in/code', { code })).status

test('the code that this test computes is that of RFC 6238', () => {
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  expect([59, 1_111_111_109, 20_000_000_000].map((secs) => codeAt(secret, secs * 1000))).toEqual(['287082', '081804', '353130'])
})

test('an app that was set up is needed to sign in, and the password alone opens nothing', async () => {
  const factor = await setUp()
  expect(Object.fromEntries(new URL(factor.otpauth_url).searchParams)).toMatchObject({
    ...{ secret: factor.secret, issuer: 'Caracal', digits: '6', period: '30' },
  })
  expect(await me(ana)).toBe(200)
  const browser = await challenged()
  expect(await me(browser)).toBe(401)
  expect(await withCode(browser, wrongCode(factor.secret))).toBe(401)
  expect(await withCode(browser, codeAt(factor.secret, Date.now() - 10 * STEP_MS))).toBe(401)
  expect(await me(browser)).toBe(401)
  expect(await withCode(browser, codeAt(factor.secret))).toBe(200)
  expect(await me(browser)).toBe(200)
})

test('a set-up that was begun and not confirmed counts for nothing, and can be begun again', async () => {
  const first = await begun()
  expect((await new Browser(engine).signIn(EMAIL, PASSWORD)).body).toEqual({ state: 'signed_in' })
  const second = await begun()
  expect(second.secret).not.toBe(first.secret)
  const confirm = async (code: string) => (await ana.ask('POST', '/api/v1/me/second-factor/confirm', { code })).status
  expect(await confirm(codeAt(first.secret))).toBe(403)
  expect(await confirm(codeAt(second.secret))).toBe(200)
  // The code that confirmed the app has been used by that.
  expect(await withCode(await challenged(), codeAt(second.secret))).toBe(401)
})

test('a code of the app signs in once, although it is valid for a while', async () => {
  const { secret } = await setUp()
  const code = codeAt(secret)
  expect(await withCode(await challenged(), code)).toBe(200)
  const thief = await challenged()
  expect(await withCode(thief, code)).toBe(401)
  expect(await me(thief)).toBe(401)
  const { userId } = engine.accounts.users.find(EMAIL)!
  expect(await engine.accounts.signIn.sessions(userId)).toHaveLength(2)
  vi.setSystemTime(Date.now() + STEP_MS)
  expect(await withCode(await challenged(), codeAt(secret))).toBe(200)
})

test('a recovery code signs in once, and the others stay valid', async () => {
  const { recovery_codes } = await setUp()
  const [one, two] = recovery_codes
  const browser = await challenged()
  expect(await withCode(browser, one!)).toBe(200)
  expect(await me(browser)).toBe(200)
  const again = await challenged()
  expect(await withCode(again, one!)).toBe(401)
  expect(await me(again)).toBe(401)
  expect(await withCode(again, two!)).toBe(200)
  expect(await me(again)).toBe(200)
})

test('after five wrong codes the challenge is over, also for the right code', async () => {
  const { secret } = await setUp()
  const browser = await challenged()
  for (let n = 0; n < 5; n++) expect(await withCode(browser, wrongCode(secret))).toBe(401)
  expect(await withCode(browser, codeAt(secret))).toBe(429)
  vi.setSystemTime(Date.now() + 60_000)
  expect(await withCode(browser, codeAt(secret))).toBe(401)
  expect(await me(browser)).toBe(401)
  vi.setSystemTime(Date.now() + 60_000)
  expect(await withCode(await challenged(), codeAt(secret))).toBe(200)
})

test('a user who is disabled between the password and the code is refused like anybody with a wrong code', async () => {
  const { secret, recovery_codes } = await setUp()
  const [one, other] = [await challenged(), await challenged()]
  await engine.accounts.users.change(EMAIL, { isDisabled: true })
  expect(await withCode(one, codeAt(secret))).toBe(401)
  expect(await withCode(other, recovery_codes[0]!)).toBe(401)
  expect(await engine.accounts.signIn.sessions(engine.accounts.users.find(EMAIL)!.userId)).toEqual([])
})

test('a user who is removed between the password and the code is refused as well', async () => {
  const { secret } = await setUp()
  const browser = await challenged()
  await engine.accounts.users.remove(EMAIL)
  expect(await withCode(browser, codeAt(secret))).toBe(401)
})

test('an app is removed with the password, and then none is needed', async () => {
  await setUp()
  const remove = async (password: string) => (await ana.ask('POST', '/api/v1/me/second-factor/remove', { password })).status
  expect([await remove('another four words here'), await remove(PASSWORD)]).toEqual([403, 200])
  expect((await new Browser(engine).signIn(EMAIL, PASSWORD)).body).toEqual({ state: 'signed_in' })
})

describe('where everyone needs an app', () => {
  beforeEach(async () => {
    await engine.dispose()
    engine = await fakeEngine({ sign_in: { ...configSchema.parse({}).sign_in, require_second_factor: true } })
    const { users } = engine.accounts
    const made = await users.create({ email: EMAIL, name: 'Ana', role: 'analyst', logTypes: [], createdBy: 'test' })
    await users.setPassword((made as { userId: string }).userId, PASSWORD)
    ana = new Browser(engine)
    await ana.signIn(EMAIL, PASSWORD)
  })

  /** As if it had been created before the configuration demanded an app. */
  async function tokenFrom(before: 'analyst' | 'ingest'): Promise<string> {
    const { userId } = engine.accounts.users.find(EMAIL)!
    const wish = { name: before, role: before, logTypes: [], cidrs: [], expiresMs: null, createdBy: EMAIL, userId }
    return ((await engine.tokens.add(wish)) as { secret: string }).secret
  }

  test('a token from before is refused until its owner has set one up', async () => {
    const authorization = `Bearer ${await tokenFrom('analyst')}`
    const refused = await ana.ask('GET', '/api/v1/alerts', undefined, { authorization })
    expect([refused.status, refused.body['detail']]).toEqual([
      401,
      expect.stringMatching(
        /^the token 'analyst' belongs to ana@example\.com, who has not set up the authenticator app .*at \/account$/,
      ),
    ])
    await setUp()
    expect((await ana.ask('GET', '/api/v1/alerts', undefined, { authorization })).status).toBe(200)
  })

  test('one from before that only sends logs still does', async () => {
    expect(engine.tokens.maySend(await tokenFrom('ingest'), '127.0.0.1')).toBe(true)
  })
})
