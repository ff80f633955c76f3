import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeEngine, fakeEngine, TOKEN } from '../../test/support/fake-engine.ts'
import { createApp } from './app.ts'

let engine: FakeEngine
let app: ReturnType<typeof createApp>
beforeEach(async () => {
  engine = await fakeEngine()
  app = createApp(engine)
})
afterEach(() => engine.dispose())

async function call(method: string, path: string, { etag, body }: { etag?: string; body?: object } = {}) {
  const response = await app.request(`/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body && { 'content-type': 'application/json' }),
      ...(etag !== undefined && { 'if-match': etag }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as { etag: string; code: string; detail: string; results: { etag: string }[] }
  return { ...answer, status: response.status, header: response.headers.get('etag') }
}

const user = { email: 'ana@example.com', role: 'viewer' }
const mute = {
  match: { rule: 'A.Rule' },
  owner: 'ana',
  reason: 'maintenance',
  expires: new Date(Date.now() + 3_600_000).toISOString(),
}

test('of two people who change a user as they have seen them, the second one is refused and shown the ETag as it is', async () => {
  await call('POST', 'users', { body: user })
  const { etag } = (await call('GET', 'users')).results[0]!
  const [first, second] = await Promise.all([
    call('PATCH', 'users/ana@example.com', { etag, body: { role: 'analyst' } }),
    call('PATCH', 'users/ana@example.com', { etag, body: { disabled: true } }),
  ])
  expect([first.status, second.status]).toEqual([200, 412])
  expect(second).toMatchObject({ code: 'precondition_failed', header: first.etag })
  expect(second.detail).toMatch(/the user ana@example\.com was changed since you read it: its ETag is now "[0-9a-f]{16}"/)
  expect((await call('GET', 'users')).results[0]).toMatchObject({ role: 'analyst', state: 'invited', etag: first.etag })
  for (const [method, path] of [
    ['DELETE', 'users/ana@example.com'],
    ['POST', 'users/ana@example.com/reset'],
  ] as const)
    expect([path, (await call(method, path, { etag })).status]).toEqual([path, 412])
  expect((await call('DELETE', 'users/ana@example.com', { etag: first.etag })).status).toBe(200)
})

test('a user who signs in or sets a password is not changed by another person', async () => {
  await call('POST', 'users', { body: user })
  const { etag } = (await call('GET', 'users')).results[0]!
  await engine.accounts.users.setPassword(engine.accounts.users.find(user.email)!.userId, 'four words in a row')
  expect((await call('PATCH', 'users/ana@example.com', { etag, body: { disabled: true } })).status).toBe(200)
})

test('a token that was revoked and a mute that was ended meanwhile are not changed again', async () => {
  await call('POST', 'tokens', { body: { name: 'ci', role: 'viewer' } })
  const token = (await call('GET', 'tokens')).results[0]!
  const { etag } = await call('POST', 'mutes', { body: { ...mute, id: 'abcdef01' } })
  for (const [path, seen] of [
    ['tokens/ci', token.etag],
    ['mutes/abcdef01', etag],
  ] as const) {
    const end = path.startsWith('tokens') ? 'revoke' : 'end'
    expect((await call('POST', `${path}/${end}`, { etag: '"0123456789abcdef"' })).status).toBe(412)
    const done = await call('POST', `${path}/${end}`, { etag: seen })
    expect([done.status, done.etag === seen]).toEqual([200, false])
  }
  expect((await call('POST', 'mutes/abcdef01/end', { etag })).status).toBe(412)
  // Without a condition, and with one that anything meets, it stays as it is.
  for (const any of [undefined, '*'])
    expect((await call('POST', 'mutes/abcdef01/end', any === undefined ? {} : { etag: any })).status).toBe(200)
})

test('the ETag in the header of an answer and the one in its body are the same condition', async () => {
  await call('POST', 'mutes', { body: { ...mute, id: 'abcdef01' } })
  const { etag, header } = await call('GET', 'mutes/abcdef01')
  expect(header!.slice(0, 17)).toBe(etag.slice(0, 17))
  expect((await call('POST', 'mutes/abcdef01/end', { etag: header! })).status).toBe(200)
})

test.each(['7', 'W/"0123456789abcdef"', '"7"', '"0123456789abcdef", "x"'])('%s is refused as no ETag of ours', async (etag) => {
  await call('POST', 'users', { body: user })
  expect(await call('PATCH', 'users/ana@example.com', { etag, body: { role: 'analyst' } })).toMatchObject({ status: 400 })
})
