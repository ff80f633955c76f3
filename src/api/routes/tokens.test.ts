import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { textOf } from '../../../test/support/text-of.ts'
import { OPERATIONS, PERMISSIONS } from '../access/operations.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine

beforeEach(async () => {
  engine = await fakeEngine()
})

afterEach(() => engine.dispose())

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> & { detail?: string; token?: string }
}

async function call(method: string, path: string, body?: object, token = TOKEN, from = '192.0.2.1'): Promise<Answer> {
  const init = {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  }
  const response = await createApp(engine).request(path, init, { incoming: { socket: { remoteAddress: from } } })
  const text = await textOf(response)
  return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : {} }
}

async function token(role: string, more: object = {}): Promise<string> {
  const made = await call('POST', '/api/v1/tokens', { name: `${role} one`, role, ...more })
  expect(made.status).toBe(200)
  return made.body.token!
}

test('a token is created, used, listed without its secret, and revoked', async () => {
  const secret = await token('viewer', { cidrs: ['192.0.2.0/24'], expires: '2999-01-01T00:00:00Z' })
  expect((await call('GET', '/api/v1/me', undefined, secret)).body).toMatchObject({
    ...{ kind: 'token', name: 'viewer one', role: 'viewer', log_types: null },
    permissions: expect.not.arrayContaining(['alerts:change']),
  })
  const list = await call('GET', '/api/v1/tokens')
  expect(list.body['results']).toMatchObject([
    { name: 'viewer one', state: 'active', created_by: 'cli', cidrs: ['192.0.2.0/24'] },
  ])
  expect(JSON.stringify(list.body)).not.toContain(secret)
  expect(await call('GET', '/api/v1/alerts', undefined, secret, '203.0.113.1')).toMatchObject({
    status: 403,
    body: { code: 'forbidden', detail: expect.stringContaining("'viewer one' must not be used from 203.0.113.1") },
  })
  expect((await call('POST', '/api/v1/tokens/viewer%20one/revoke')).body).toMatchObject({ state: 'revoked', revoked_by: 'cli' })
  expect(await call('GET', '/api/v1/alerts', undefined, secret)).toMatchObject({
    status: 401,
    body: { detail: expect.stringMatching(/'viewer one' was revoked at/) },
  })
  expect((await call('POST', '/api/v1/tokens/nobody/revoke')).status).toBe(404)
})

test.each<[object, RegExp]>([
  [{ name: 'cli', role: 'viewer' }, /data folder's token/],
  [{ name: 'ana@example.com', role: 'viewer' }, /name: letters/],
  [{ name: '', role: 'viewer' }, /name/],
  [{ name: 'x', role: 'root' }, /role/],
  [{ name: 'x', role: 'viewer', cidrs: ['10.0.0.0/33'] }, /network/],
  [{ name: 'x', role: 'viewer', cidrs: ['host'] }, /network/],
  [{ name: 'x', role: 'viewer', expires: '2020-01-01T00:00:00Z' }, /in the past/],
  [{ name: 'x', role: 'admin', log_types: ['A'] }, /the role admin sees everything/],
  [{ name: 'x', role: 'ingest', log_types: ['A'] }, /the role ingest sees nothing/],
  [{ name: 'x', role: 'viewer', log_types: ["A'; DROP"] }, /log_types/],
  [{ name: 'x', role: 'viewer', more: 1 }, /more/],
])('the token %j is refused: %s', async (body, message) => {
  expect(await call('POST', '/api/v1/tokens', body)).toMatchObject({
    status: 400,
    body: { detail: expect.stringMatching(message) },
  })
})

test('a name in use is refused with 409', async () => {
  await token('viewer')
  expect(await call('POST', '/api/v1/tokens', { name: 'Viewer ONE', role: 'admin' })).toMatchObject({
    status: 409,
    body: { code: 'conflict' },
  })
})

/** A call of each operation; whatever it answers, it is not 403 unless the role lacks the permission. */
const calls = Object.entries(OPERATIONS).map(([operation, { needs }]) => {
  const [method, path] = operation.split(' ') as [string, string]
  return { operation, method, path: path.replaceAll(/\{\w+\}/g, 'x'), needs }
})

test.each(['admin', 'analyst', 'viewer', 'ingest'] as const)(
  '%s may do what its permissions say, and nothing else',
  async (role) => {
    const secret = await token(role)
    for (const { operation, method, path, needs } of calls) {
      const { status, body } = await call(method, path, undefined, secret)
      if (method === 'GET') expect([operation, (await call('HEAD', path, undefined, secret)).status]).toEqual([operation, status])
      const isAllowed = needs === 'nothing' || (PERMISSIONS[needs] as readonly string[]).includes(role)
      expect([operation, status === 403]).toEqual([operation, !isAllowed])
      if (!isAllowed)
        expect(body.detail).toContain(`'${role} one' has the role ${role}, and ${operation} needs the permission ${needs}`)
    }
  },
)

test('a call is checked as the operation that answers it, however its path is written', async () => {
  const secret = await token('viewer')
  for (const path of [
    '/api/v1/tokens/',
    '//api/v1/tokens',
    '/api//v1/tokens',
    '/api/v1/./tokens',
    '/api/v1/%74okens',
    '/API/v1/tokens',
  ])
    for (const method of ['GET', 'HEAD', 'POST'])
      expect([path, method, (await call(method, path, undefined, secret)).status]).not.toContain(200)
})

test('changes are attributed to the token, whatever the call says', async () => {
  await engine.addAlert({ alertId: '0001'.padEnd(32, '0') })
  const secret = await token('analyst')
  await call('PATCH', '/api/v1/alerts/0001', { owner: 'bo' }, secret)
  await call('POST', '/api/v1/alerts/0001/comments', { text: 'seen' }, secret)
  const { body } = await call('GET', '/api/v1/alerts/0001/timeline')
  expect((body['results'] as { by: string | null }[]).map(({ by }) => by)).toEqual([null, 'analyst one', 'analyst one'])
  const admin = await token('admin')
  await call('POST', '/api/v1/content/reload?by=ana', undefined, admin)
  await call('POST', '/api/v1/content/reload?by=ana')
  expect(engine.reloads).toEqual([
    ['reload', 'admin one'],
    ['reload', 'ana'],
  ])
})

test('only tokens with the role ingest, and from their networks, send logs', async () => {
  const send = (secret: string, from?: string) => call('POST', '/ingest/default', undefined, secret, from)
  expect(await send(await token('analyst'))).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining('only tokens with the role ingest send logs') },
  })
  const secret = await token('ingest', { cidrs: ['10.0.0.0/8'] })
  expect((await send(secret, '10.0.0.1')).status).toBe(202)
  expect((await send(secret, '192.0.2.1')).status).toBe(403)
  await call('POST', '/api/v1/tokens/ingest%20one/revoke')
  expect((await send(secret, '10.0.0.1')).status).toBe(401)
})
