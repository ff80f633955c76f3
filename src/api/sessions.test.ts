import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Browser } from '../../test/support/browser.ts'
import { type FakeEngine, fakeEngine } from '../../test/support/fake-engine.ts'
import { signInSchema } from '../config/sign-in.ts'

const PASSWORD = 'four words in a row'
const EMAIL = 'ana@example.com'
const MINUTE_MS = 60_000

let engine: FakeEngine
let ana: Browser

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  engine = await fakeEngine({ sign_in: signInSchema.parse({ idle_minutes: 30, session_hours: 2 }) })
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

const pass = (minutes: number) => vi.setSystemTime(Date.now() + minutes * MINUTE_MS)
const me = async (headers: Record<string, string> = {}) => (await ana.ask('GET', '/api/v1/me', undefined, headers)).status
const UNATTENDED = { 'caracal-unattended': '1' }

test('what people do keeps a session from ending, until its last hour', async () => {
  const statuses: number[] = []
  for (let n = 0; n < 7; n++) {
    pass(20)
    statuses.push(await me())
  }
  expect(statuses).toEqual([200, 200, 200, 200, 200, 401, 401])
})

test('what a page calls by itself does not', async () => {
  const statuses: number[] = []
  for (let n = 0; n < 4; n++) {
    pass(11)
    statuses.push(await me(UNATTENDED))
  }
  expect(statuses).toEqual([200, 200, 401, 401])
})

test('a call after those of the page by itself continues the session', async () => {
  pass(20)
  expect(await me(UNATTENDED)).toBe(200)
  expect(await me()).toBe(200)
  pass(20)
  expect(await me()).toBe(200)
})

test('connecting to live updates does not continue a session', async () => {
  for (let n = 0; n < 2; n++) {
    pass(20)
    const response = await ana.call('GET', '/api/v1/stream')
    await response.body?.cancel()
  }
  expect(await me()).toBe(401)
})

test('a session that calls unattended from another network is still reported', async () => {
  ana.address = '198.51.100.7'
  expect(await me(UNATTENDED)).toBe(200)
  expect(engine.audited).toContainEqual(expect.objectContaining({ audit_event: 'session_moved' }))
})

test('the list of sessions says when each ends at the latest', async () => {
  const list = async () =>
    ((await ana.ask('GET', '/api/v1/me/sessions')).body['results'] as { expires_time: string }[]).map(({ expires_time }) =>
      Math.round((Date.parse(expires_time) - Date.now()) / MINUTE_MS),
    )
  expect(await list()).toEqual([30])
  for (let n = 0; n < 5; n++) {
    pass(20)
    await me()
  }
  expect(await list()).toEqual([20])
})

test('an answer sets the cookie of the session once, also if it would continue the session that it replaces', async () => {
  pass(5)
  const response = await ana.call('POST', '/api/v1/me/password', { current_password: PASSWORD, new_password: `${PASSWORD} more` })
  expect(response.status).toBe(200)
  expect(response.headers.getSetCookie().map((cookie) => cookie.split('=')[0])).toEqual(['caracal.session_token'])
  expect(await me()).toBe(200)
})
