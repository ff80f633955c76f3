import { afterEach, beforeEach, expect, test } from 'vitest'
import { Browser } from '../../../test/support/browser.ts'
import { type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { createApp } from '../app.ts'

const PASSWORD = 'four words in a row'
let engine: FakeEngine
let ana: Browser

const admin = async (method: string, path: string, body?: object) => {
  const headers = { authorization: `Bearer ${TOKEN}`, ...(body && { 'content-type': 'application/json' }) }
  const response = await createApp(engine).request(path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

/** A user with a password, and a browser. */
async function user(email: string, role: string, limits: object = {}): Promise<Browser> {
  const { body } = await admin('POST', '/api/v1/users', { email, role, ...limits })
  const browser = new Browser(engine)
  const code = new URL(body['link']!).searchParams.get('code')
  expect((await browser.ask('POST', '/api/v1/sign-in/link', { code, password: PASSWORD })).status).toBe(200)
  expect(await browser.signIn(email, PASSWORD)).toEqual({ status: 200, body: { state: 'signed_in' } })
  return browser
}

beforeEach(async () => {
  engine = await fakeEngine()
  ana = new Browser(engine)
})
afterEach(() => engine.dispose())

test('the first link creates the first administrator, once', async () => {
  const first = await admin('POST', '/api/v1/users/first-link')
  const code = new URL(first.body['link']!).searchParams.get('code')
  const replaced = code
  const { body } = await admin('POST', '/api/v1/users/first-link')
  const valid = new URL(body['link']!).searchParams.get('code')
  const answer = { email: 'Ana@Example.com', name: 'Ana', password: PASSWORD }
  expect((await ana.ask('POST', '/api/v1/sign-in/link', { code: replaced, ...answer })).status).toBe(401)
  expect(await ana.ask('POST', '/api/v1/sign-in/link', { code: valid, ...answer, password: 'short' })).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('at least 12') },
  })
  expect(await ana.ask('POST', '/api/v1/sign-in/link', { code: valid, ...answer })).toMatchObject({
    status: 200,
    body: { email: 'ana@example.com', role: 'admin', state: 'active' },
  })
  expect((await ana.ask('POST', '/api/v1/sign-in/link', { code: valid, ...answer, email: 'eve@example.com' })).status).toBe(401)
  expect((await admin('POST', '/api/v1/users/first-link')).status).toBe(409)
  expect((await ana.signIn('ANA@example.com', PASSWORD)).status).toBe(200)
  expect((await ana.ask('GET', '/api/v1/me')).body).toMatchObject({ kind: 'user', name: 'ana@example.com', role: 'admin' })
})

test('a session opens the API until it is signed out', async () => {
  const bo = await user('bo@example.com', 'analyst')
  expect((await bo.ask('GET', '/api/v1/alerts')).status).toBe(200)
  const cookies = new Map(bo.cookies)
  expect((await bo.call('POST', '/api/v1/sign-out')).status).toBe(200)
  expect(bo.cookies.size).toBe(0)
  for (const [name, value] of cookies) bo.cookies.set(name, value)
  expect((await bo.ask('GET', '/api/v1/alerts')).status).toBe(401)
})
