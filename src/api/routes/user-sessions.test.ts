import { afterEach, beforeEach, expect, test } from 'vitest'
import { Browser } from '../../../test/support/browser.ts'
import { type FakeEngine, fakeEngine } from '../../../test/support/fake-engine.ts'

const PASSWORD = 'four words in a row'

let engine: FakeEngine
beforeEach(async () => {
  engine = await fakeEngine()
  for (const [name, role] of [['ana', 'admin'] as const, ['vic', 'viewer'] as const]) {
    const made = await engine.accounts.users.create({
      email: `${name}@example.com`,
      name,
      role,
      logTypes: [],
      createdBy: 'test',
    })
    await engine.accounts.users.setPassword((made as { userId: string }).userId, PASSWORD)
  }
})
afterEach(() => engine.dispose())

async function signedIn(name: string): Promise<Browser> {
  const browser = new Browser(engine)
  expect((await browser.signIn(`${name}@example.com`, PASSWORD)).status).toBe(200)
  return browser
}

interface Listed {
  readonly name: string
  readonly sessions: number
  readonly last_used_time: string | null
}

async function counts(browser: Browser): Promise<Record<string, number>> {
  const { body } = await browser.ask('GET', '/api/v1/users')
  const users = body['results'] as Listed[]
  for (const { sessions, last_used_time } of users) expect(last_used_time === null).toBe(sessions === 0)
  return Object.fromEntries(users.map(({ name, sessions }) => [name, sessions]))
}

test("an administrator sees how many sessions each person has, and ends them all but the administrator's own", async () => {
  const ana = await signedIn('ana')
  expect(await counts(ana)).toEqual({ ana: 1, vic: 0 })
  const [laptop, phone] = [await signedIn('vic'), await signedIn('vic')]
  const anaElsewhere = await signedIn('ana')
  expect(await counts(ana)).toEqual({ ana: 2, vic: 2 })

  expect(await ana.ask('DELETE', '/api/v1/users/vic@example.com/sessions')).toEqual({
    status: 200,
    body: { state: 'done', ended: 2 },
  })
  for (const browser of [laptop, phone]) expect((await browser.ask('GET', '/api/v1/me')).status).toBe(401)
  expect((await signedIn('vic')).cookies.size).toBeGreaterThan(0)

  expect((await ana.ask('DELETE', '/api/v1/users/ana@example.com/sessions')).body).toEqual({ state: 'done', ended: 1 })
  expect((await anaElsewhere.ask('GET', '/api/v1/me')).status).toBe(401)
  expect(await counts(ana)).toEqual({ ana: 1, vic: 1 })
})

test('others cannot end sessions, and an unknown user is not found', async () => {
  const vic = await signedIn('vic')
  expect((await vic.ask('DELETE', '/api/v1/users/ana@example.com/sessions')).status).toBe(403)
  const ana = await signedIn('ana')
  const { status, body } = await ana.ask('DELETE', '/api/v1/users/nobody@example.com/sessions')
  expect([status, JSON.stringify(body)]).toEqual([404, expect.stringContaining('nobody@example.com')])
})
