import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../test/support/fake-engine.ts'
import { KEPT_CALL_MS } from '../model/answered-call.ts'
import { openState } from '../state/db.ts'
import { createApp } from './app.ts'
import { isKeyed, SECRET_ANSWERS } from './keyed-calls.ts'

let engine: FakeEngine
let app: ReturnType<typeof createApp>

beforeEach(async () => {
  engine = await fakeEngine()
  app = createApp(engine)
  await engine.addAlert({})
})
afterEach(() => engine.dispose())

async function call(path: string, body: object | undefined, { key = 'k1', token = TOKEN, method = 'POST' } = {}) {
  const response = await app.request(`/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'idempotency-key': key, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: (text ? JSON.parse(text) : {}) as Record<string, unknown>, headers: response.headers }
}

const comments = async () =>
  (await engine.read.timeline(alertId(1), { limit: 100 })).filter(({ happening }) =>
    JSON.stringify(happening).includes('comment'),
  ).length
const path = `alerts/${alertId(1)}/comments`

test('a repeated call is answered again and changes nothing', async () => {
  const first = await call(path, { text: 'seen' })
  const again = await call(path, { text: 'seen' })
  expect(first.status).toBe(200)
  expect([again.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([200, first.body, 'true'])
  expect([await comments(), engine.audited.filter(({ operation }) => operation?.includes('comments')).length]).toEqual([1, 1])
  expect((await call(path, { text: 'seen' }, { key: 'k2' })).status).toBe(200)
  expect(await comments()).toBe(2)
})

test('the ETag of an answer is repeated with it', async () => {
  const change = () => call(`alerts/${alertId(1)}`, { status: 'TRIAGED' }, { method: 'PATCH' })
  const [first, again] = [await change(), await change()]
  expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
  expect(first.headers.get('etag')).toBe('"2"')
})

test('a key belongs to one call of one caller', async () => {
  const { body } = await call('tokens', { name: 'other', role: 'analyst' }, { key: 'make' })
  await call(path, { text: 'seen' })
  for (const [to, text] of [
    [path, 'something else'],
    [`${path}?x=1`, 'seen'],
    [`alerts/${alertId(2)}/comments`, 'seen'],
  ] as const)
    expect([to, await call(to, { text })]).toMatchObject([to, { status: 422, body: { code: 'key_reused' } }])
  expect((await call(path, { text: 'mine' }, { token: String(body['token']) })).status).toBe(200)
  expect(await comments()).toBe(2)
})

test('of two calls at once, one is carried out and the other says that it is in progress', async () => {
  const both = await Promise.all([call(path, { text: 'seen' }), call(path, { text: 'seen' })])
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
  expect(both.find(({ status }) => status === 409)!.body).toMatchObject({ code: 'in_progress' })
  expect(await comments()).toBe(1)
})

test('a call that failed has changed nothing, and is tried again', async () => {
  const later = `alerts/${alertId(7)}/comments`
  expect((await call(later, { text: 'seen' })).status).toBe(404)
  await engine.addAlert({ alertId: alertId(7) })
  expect((await call(later, { text: 'seen' })).status).toBe(200)
})

test('an answer with a secret is not kept, and the call is not made twice', async () => {
  const make = () => call('tokens', { name: 'ci', role: 'viewer' })
  const { body } = await make()
  const secret = String(body['token'])
  expect(secret).toMatch(/^caracal_/)
  expect(await make()).toMatchObject({ status: 409, body: { code: 'answer_not_kept' } })
  const db = await openState(engine.config.data_dir)
  const rows = await db.selectFrom('answered_calls').selectAll().execute()
  await db.destroy()
  expect(rows).toHaveLength(1)
  expect(JSON.stringify(rows)).not.toContain(secret.slice(-20))
})

test('every operation whose answer has a secret is known as such', async () => {
  const { paths } = (await (
    await app.request('/api/v1/openapi.json', { headers: { authorization: `Bearer ${TOKEN}` } })
  ).json()) as {
    paths: Record<string, Record<string, { responses: Record<string, { content?: object }> }>>
  }
  const secret =
    /"(?:token|secret|link|password|recovery_codes|otpauth_url|[a-z_]*secret|[a-z_]*link)":\{[^}]*"type":"(?:string|array)"/
  const found = Object.entries(paths).flatMap(([of, methods]) =>
    Object.entries(methods)
      .filter(([, { responses }]) => secret.test(JSON.stringify(responses['200']?.content ?? {})))
      .map(([method]) => `${method.toUpperCase()} ${of}`),
  )
  expect(found.filter(isKeyed).sort()).toEqual([...SECRET_ANSWERS].sort())
})

test('a call whose end nobody knows is not made again', async () => {
  const { desk } = engine
  let isLost = true
  Object.assign(engine, {
    desk: (ask: Parameters<typeof desk>[0]) => {
      if (ask.do === 'key' && ask.key.step === 'keep' && isLost) return Promise.reject(new Error('the disk is full'))
      return desk(ask)
    },
  })
  app = createApp(engine)
  expect((await call(path, { text: 'seen' })).status).toBe(200)
  isLost = false
  expect(await call(path, { text: 'seen' })).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } })
  expect(await comments()).toBe(1)
})

test.each(['', ' ', 'a\u00e9', 'x'.repeat(256)])('a key that cannot be used is refused: %s', async (key) => {
  expect(await call(path, { text: 'seen' }, { key })).toMatchObject({ status: 400, body: { code: 'bad_request' } })
  expect(await comments()).toBe(0)
})

test('calls that only answer do not use keys up', async () => {
  const query = (sql: string) => call('query', { sql })
  expect([(await query('SELECT 1')).status, (await query('SELECT 2')).status]).toEqual([200, 200])
  expect(KEPT_CALL_MS).toBe(86_400_000)
})
