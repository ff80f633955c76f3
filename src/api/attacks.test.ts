import { afterEach, beforeEach, expect, test } from 'vitest'
import { Browser } from '../../test/support/browser.ts'
import { type FakeEngine, fakeEngine, TOKEN } from '../../test/support/fake-engine.ts'
import { OPERATIONS, PERMISSIONS } from './access/operations.ts'
import { createApp } from './app.ts'

/** What people without the right to do it try at the door. */
const PASSWORD = 'four words in a row'
const ANA = 'ana@example.com'
let engine: FakeEngine
let ana: Browser

async function user(email: string, role: string, limits: object = {}): Promise<Browser> {
  const { users } = engine.accounts
  const made = await users.create({ email, name: email, role: role as 'viewer', logTypes: [], createdBy: 'test', ...limits })
  if (typeof made === 'string') throw new Error(made)
  await users.setPassword(made.userId, PASSWORD)
  const browser = new Browser(engine)
  expect((await browser.signIn(email, PASSWORD)).status).toBe(200)
  return browser
}

const form = (fields: Record<string, string>) => new URLSearchParams(fields)
const session = (browser: Browser) => [...browser.cookies].find(([name]) => name.includes('session_token'))!

beforeEach(async () => {
  engine = await fakeEngine()
  ana = await user(ANA, 'admin')
})
afterEach(() => engine.dispose())

test('guessing a password has to wait longer and longer, and the right one must wait as well', async () => {
  const eve = new Browser(engine)
  eve.address = '127.0.0.2'
  const statuses = []
  for (let i = 0; i < 8; i++) statuses.push((await eve.signIn(ANA, `wrong password ${i}`)).status)
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
  const refused = await eve.call('POST', '/api/v1/sign-in', { email: ANA, password: PASSWORD })
  expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, expect.any(Number)])
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  // Ana has a session elsewhere, and is not locked out there.
  expect((await new Browser(engine).signIn(ANA, PASSWORD)).status).toBe(200)
  expect(engine.audited.filter(({ status }) => status === 429).length).toBeGreaterThan(0)
  expect(engine.audited.find(({ status }) => status === 401)).toMatchObject({
    ...{ audit_event: 'refused', caller_address: '127.0.0.2', operation: 'POST /api/v1/sign-in' },
    detail: { step: 'password', user: ANA },
  })
  expect(JSON.stringify(engine.audited)).not.toMatch(/wrong password|four words/)
})

test('many guesses at once are no way around the limit', async () => {
  const eve = new Browser(engine)
  eve.address = '127.0.0.2'
  const statuses = await Promise.all(Array.from({ length: 12 }, async (_, i) => (await eve.signIn(ANA, `wrong ${i}`)).status))
  expect(statuses.filter((status) => status === 401)).toHaveLength(5)
})

test('guessing for users who do not exist is answered and limited in the same way', async () => {
  const [of, none] = await Promise.all(
    [ANA, 'nobody@example.com'].map(async (email, i) => {
      const eve = new Browser(engine)
      eve.address = `127.0.0.${10 + i}`
      const answers = []
      for (let n = 0; n < 6; n++) answers.push(await eve.signIn(email, 'a wrong password'))
      return answers.map(({ status, body }) => [status, body['code'], status === 401 && body['detail']])
    }),
  )
  expect(none).toEqual(of)
})

test('a page of another site can neither change anything with a cookie nor sign somebody in', async () => {
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'http://127.0.0.1:4848' },
  ]) {
    expect((await ana.ask('POST', '/api/v1/users', { email: 'eve@example.com', role: 'admin' }, headers)).status).toBe(403)
    expect((await ana.call('POST', '/api/v1/sign-out', undefined, headers)).status).toBe(403)
    expect((await new Browser(engine).ask('POST', '/api/v1/sign-in', { email: ANA, password: PASSWORD }, headers)).status).toBe(
      403,
    )
    expect((await ana.call('POST', '/account', form({ do: 'sign-out' }), headers)).status).toBe(403)
    expect((await ana.call('POST', '/sign-in', form({ email: ANA, password: PASSWORD }), headers)).status).toBe(403)
  }
  // Browsers without fetch metadata name the origin.
  ana.headers = {}
  for (const [origin, status] of [
    ['http://evil.example', 403],
    ['null', 403],
    ['http://127.0.0.1:4848.evil.example', 403],
    ['http://127.0.0.1:4849', 403],
    ['http://127.0.0.1:4848', 409],
  ] as const)
    expect([origin, (await ana.ask('POST', '/api/v1/users', { email: ANA, role: 'viewer' }, { origin })).status]).toEqual([
      origin,
      status,
    ])
  expect((await ana.ask('POST', '/api/v1/users', { email: ANA, role: 'viewer' })).status).toBe(403)
  expect(engine.accounts.users.list()).toHaveLength(1)
})

test('a cookie that was planted before the sign-in opens nothing after it', async () => {
  const planted = session(ana)
  const bo = await user('bo@example.com', 'viewer')
  bo.cookies.set(...planted)
  await bo.signIn('bo@example.com', PASSWORD)
  expect(session(bo)[1]).not.toBe(planted[1])
  expect((await bo.ask('GET', '/api/v1/me')).body['name']).toBe('bo@example.com')
  // The session that it belonged to has ended.
  expect((await ana.ask('GET', '/api/v1/me')).status).toBe(401)
  const forged = new Browser(engine)
  const [name, value] = session(bo)
  for (const text of [`${value.slice(0, -4)}AAAA`, value.split('.')[0]!, 'x.y', '%00', '"; DROP TABLE users'])
    expect([text, (await forged.ask('GET', '/api/v1/me', undefined, { cookie: `${name}=${text}` })).status]).toEqual([text, 401])
})

test('cookies are for this host and for no script, and count neither for programs nor beside a token', async () => {
  const set = (await ana.call('POST', '/api/v1/sign-in', { email: ANA, password: PASSWORD })).headers.getSetCookie().join()
  expect(set).toMatch(/^caracal\.session_token=[^;]+;.*Path=\/; HttpOnly; SameSite=Lax$/)
  const secure = await fakeEngine({ public_url: 'https://siem.example.com' })
  const made = await secure.accounts.users.create({ email: ANA, name: 'Ana', role: 'admin', logTypes: [], createdBy: 'test' })
  await secure.accounts.users.setPassword((made as { userId: string }).userId, PASSWORD)
  const overTls = (await new Browser(secure).call('POST', '/api/v1/sign-in', { email: ANA, password: PASSWORD })).headers
  expect(overTls.getSetCookie().join()).toMatch(/^__Host-caracal\.session_token=.*; Secure/)
  await secure.dispose()
  for (const path of ['/metrics', '/mcp']) expect([path, (await ana.call('POST', path, {})).status]).not.toContain(200)
  expect((await ana.call('GET', '/metrics')).status).toBe(401)
  expect((await ana.ask('GET', '/api/v1/me', undefined, { authorization: 'Bearer wrong' })).status).toBe(401)
})

test('nobody signs in over plain HTTP from another machine, whatever headers say', async () => {
  const eve = new Browser(engine)
  eve.address = '192.0.2.7'
  for (const headers of [{}, { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https' }, { forwarded: 'for=127.0.0.1' }])
    expect(await eve.ask('POST', '/api/v1/sign-in', { email: ANA, password: PASSWORD }, headers)).toMatchObject({
      status: 403,
      body: { code: 'plain_http' },
    })
  expect(engine.audited.at(-1)).toMatchObject({ caller_address: '192.0.2.7' })
})

test('a session that is used from another network is recorded', async () => {
  const eve = new Browser(engine)
  eve.cookies.set(...session(ana))
  eve.address = '127.0.1.9'
  await eve.ask('GET', '/api/v1/me')
  expect(engine.audited.at(-1)).toMatchObject({
    ...{ audit_event: 'session_moved', caller: ANA, caller_address: '127.0.1.9' },
    detail: { from: '127.0.0.1' },
  })
  const { body } = await ana.ask('GET', '/api/v1/me/sessions')
  expect(body['results']).toMatchObject([{ is_current: true }])
})

test('a stolen token is refused elsewhere, and that is recorded', async () => {
  const { body } = await ana.ask('POST', '/api/v1/me/tokens', { name: 'laptop', role: 'admin', cidrs: ['10.0.0.0/8'] })
  const eve = new Browser(engine)
  eve.address = '192.0.2.7'
  const answer = await eve.ask('GET', '/api/v1/alerts', undefined, { authorization: `Bearer ${String(body['token'])}` })
  expect(answer.status).toBe(403)
  expect(engine.audited.at(-1)).toMatchObject({ audit_event: 'refused', caller_address: '192.0.2.7', status: 403 })
  eve.address = '10.1.1.1'
  expect((await eve.ask('GET', '/api/v1/me', undefined, { authorization: `Bearer ${String(body['token'])}` })).body['name']).toBe(
    `${ANA}/laptop`,
  )
})

test('a viewer who tries every operation gets what the role allows', async () => {
  const response = await createApp(engine).request('/api/v1/openapi.json', { headers: { authorization: `Bearer ${TOKEN}` } })
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, object>> }
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(operations.length).toBeGreaterThan(40)
  const bo = await user('bo@example.com', 'viewer')
  for (const operation of operations.filter((one) => one !== 'POST /api/v1/sign-out')) {
    const [method, path] = operation.split(' ') as [string, string]
    const { needs } = OPERATIONS[operation]!
    const isAllowed = needs === 'nothing' || (PERMISSIONS[needs] as readonly string[]).includes('viewer')
    const { status } = await bo.call(method, path.replaceAll(/\{\w+\}/g, 'x'), method === 'GET' ? undefined : {})
    expect([operation, status === 403]).toEqual([operation, !isAllowed])
  }
  expect((await bo.ask('POST', '/api/v1/me/tokens', { name: 'more', role: 'analyst' })).status).toBe(403)
})

test('changes of a user take effect with the next call', async () => {
  const bo = await user('bo@example.com', 'analyst')
  const { body } = await bo.ask('POST', '/api/v1/me/tokens', { name: 'ci', role: 'analyst' })
  const token = { authorization: `Bearer ${String(body['token'])}` }
  await ana.ask('PATCH', '/api/v1/users/bo@example.com', { role: 'viewer', log_types: ['Nginx.*'] })
  for (const headers of [{}, token]) {
    const me = (await bo.ask('GET', '/api/v1/me', undefined, headers)).body
    expect(me).toMatchObject({ role: 'viewer', log_types: ['Nginx.*'] })
  }
  await ana.ask('PATCH', '/api/v1/users/bo@example.com', { disabled: true })
  for (const headers of [{}, token]) expect((await bo.ask('GET', '/api/v1/me', undefined, headers)).status).toBe(401)
  expect((await bo.signIn('bo@example.com', PASSWORD)).status).toBe(401)
  for (const change of [{ role: 'viewer' }, { disabled: true }])
    expect((await ana.ask('PATCH', `/api/v1/users/${ANA}`, change)).status).toBe(409)
  expect((await ana.ask('DELETE', `/api/v1/users/${ANA}`)).status).toBe(409)
})

test('the sign-in page sends nobody to another site, and shows nothing that was not escaped', async () => {
  const bo = new Browser(engine)
  for (const [next, to] of [
    ['/alerts/1?x=2', './alerts/1?x=2'],
    ['//evil.example', './'],
    ['/\\evil.example', './'],
    ['https://evil.example', './'],
    ['/a//evil.example', './'],
    ['/a\r\nset-cookie: a=b', './'],
    ['/../..', './'],
    ['javascript:alert(1)', './'],
  ] as const) {
    const response = await bo.call('POST', '/sign-in', form({ email: ANA, password: PASSWORD, next }))
    expect([next, response.status, response.headers.get('location')]).toEqual([next, 303, to])
    await bo.call('POST', '/account', form({ do: 'sign-out' }))
  }
  const evil = '"><script>alert(1)</script>'
  const refused = await bo.call('POST', '/sign-in', form({ email: evil, password: evil, next: evil }))
  const text = await refused.text()
  expect([refused.status, text.includes('<script')]).toEqual([400, false])
  expect(await (await bo.call('GET', `/setup?code=${encodeURIComponent(evil)}`)).text()).not.toContain('<script')
  expect(refused.headers.get('content-security-policy')).toMatch(/default-src 'none'.*base-uri 'none'/)
  expect((await bo.call('GET', '/account')).headers.get('location')).toBe('./sign-in?next=/account')
})

test('bodies that are too long or not a form are refused', async () => {
  const eve = new Browser(engine)
  const long = 'x'.repeat(300_000)
  expect((await eve.call('POST', '/api/v1/sign-in', { email: ANA, password: long })).status).toBe(413)
  expect((await eve.call('POST', '/sign-in', form({ email: ANA, password: long }))).status).toBe(413)
  expect((await eve.call('POST', '/sign-in', { email: ANA, password: PASSWORD })).status).toBe(415)
  expect((await eve.ask('POST', '/api/v1/sign-in', { email: ANA, password: 'x'.repeat(2100) })).status).toBe(400)
})
