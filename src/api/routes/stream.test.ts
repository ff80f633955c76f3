import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Browser } from '../../../test/support/browser.ts'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { MAX_KEPT } from '../../engine/news/news-board.ts'
import { createApp } from '../app.ts'
import { type LiveLimits, LiveStreams } from '../live/live-streams.ts'

let engine: FakeEngine
let live: LiveStreams
let app: ReturnType<typeof createApp>

beforeEach(async () => {
  engine = await fakeEngine()
  begin()
})
afterEach(async () => {
  vi.useRealTimers()
  live.close()
  await engine.dispose()
})

function begin(limits: Partial<LiveLimits> = {}): void {
  live = new LiveStreams(limits)
  app = createApp(engine, undefined, live)
}

interface Received {
  readonly id?: string
  readonly event?: string
  readonly data?: { readonly kind: string; readonly subject: string; readonly alert: { alert_id: string } | null }
  readonly comment?: true
}

/** Reads a stream event by event; `undefined`: it has ended. */
async function open(query = '', { token = TOKEN, since = '', cookie = '' } = {}) {
  const headers = { ...(cookie ? { cookie } : { authorization: `Bearer ${token}` }), ...(since && { 'last-event-id': since }) }
  const response = await app.request(`/api/v1/stream${query}`, { headers })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<Received | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const block = text.slice(0, end)
        text = text.slice(end + 2)
        if (block.startsWith('retry:')) continue
        if (block === ':') return { comment: true }
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]))
        return { ...fields, data: JSON.parse(fields['data']!) as NonNullable<Received['data']> }
      }
      const { done, value } = await reader.read()
      if (done) return undefined
      text += value
    }
  }
  return { response, next, stop: () => reader.cancel() }
}

const subject = (received: Received | undefined) => received?.data?.subject
const rule = (n: number | string) => engine.board.publish({ kind: 'rule.off', subject: `R${n}`, message: 'It is off.' })
async function tokenFor(role: 'viewer' | 'analyst', logTypes: string[] = [], name: string = role) {
  const made = await engine.tokens.add({ name, role, logTypes, cidrs: [], createdBy: 'cli', expiresMs: null })
  return (made as { secret: string }).secret
}

test('events arrive as they happen, with the alert as it is, in a form that proxies pass on', async () => {
  const stream = await open()
  expect(Object.fromEntries(stream.response.headers)).toMatchObject({
    'content-type': 'text/event-stream',
    'x-accel-buffering': 'no',
    'cache-control': 'no-store, no-transform',
  })
  await engine.addAlert({ alertId: alertId(1) })
  engine.board.publish({ kind: 'alert.created', subject: alertId(1), message: 'Alert 1' })
  rule(1)
  expect(await stream.next()).toMatchObject({
    event: 'alert.created',
    data: { kind: 'alert.created', subject: alertId(1), message: 'Alert 1', alert: { alert_id: alertId(1), status: 'OPEN' } },
  })
  expect(await stream.next()).toMatchObject({ event: 'rule.off', data: { subject: 'R1', message: 'It is off.', alert: null } })
})

test('only the kinds asked for arrive, and others are refused', async () => {
  const stream = await open('?kind=rule.on&kind=content.swapped')
  rule(1)
  engine.board.publish({ kind: 'content.swapped', subject: 'abc' })
  expect((await stream.next())?.event).toBe('content.swapped')
  expect((await open('?kind=nonsense')).response.status).toBe(400)
})

describe('Last-Event-ID', () => {
  test('continues after that event, without a gap or a repetition', async () => {
    const first = await open()
    for (const n of [1, 2, 3]) rule(n)
    const { id } = (await first.next())!
    await first.stop()
    const second = await open('', { since: id! })
    rule(4)
    expect([await second.next(), await second.next(), await second.next()].map(subject)).toEqual(['R2', 'R3', 'R4'])
  })

  test.each<[string, () => string]>([
    ['too old', () => ''],
    ['of another run', () => 'abc-1'],
    ['of the future', () => 'later'],
    ['nonsense', () => "1' OR 1"],
  ])('that is %s begins with a reset', async (what, given) => {
    const before = await open()
    rule(0)
    const id = (await before.next())!.id!
    if (what === 'too old') for (let n = 0; n < MAX_KEPT * 2; n++) rule(n)
    const future = `${id.split('-')[0]}-999999999`
    const stream = await open('', { since: what === 'too old' ? id : what === 'of the future' ? future : given() })
    rule('last')
    expect((await stream.next())?.event).toBe('reset')
    expect(subject(await stream.next())).toBe('Rlast')
  })
})

test('who may only see some log types gets their alerts and nothing else, also of what was missed', async () => {
  await engine.addAlert({ alertId: alertId(1) }, { logTypes: ['Nginx.Access'] })
  await engine.addAlert({ alertId: alertId(2) }, { logTypes: ['Zeek.SSH'] })
  const publish = () => {
    for (const kind of ['alert.created', 'alert.updated', 'alert.delivered'] as const)
      for (const n of [2, 1]) engine.board.publish({ kind, subject: alertId(n) })
    for (const kind of ['source.silent', 'table.failing', 'rule.off', 'content.swapped', 'health.changed'] as const)
      engine.board.publish({ kind, subject: 'Zeek' })
  }
  const token = await tokenFor('viewer', ['Nginx.*'])
  const all = await open()
  rule(0)
  const { id } = (await all.next())!
  publish()
  const stream = await open('', { token, since: id! })
  publish()
  engine.board.publish({ kind: 'alert.created', subject: alertId(1) })
  const seen = []
  for (let n = 0; n < 7; n++) seen.push(subject(await stream.next()))
  expect(seen).toEqual(Array.from({ length: 7 }, () => alertId(1)))
})

test('a stream ends at once when its token is revoked, and nothing that follows is sent', async () => {
  const token = await tokenFor('viewer')
  const [stream, other] = [await open('', { token }), await open()]
  rule(1)
  expect(subject(await stream.next())).toBe('R1')
  const end = stream.next()
  await app.request('/api/v1/tokens/viewer/revoke', { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } })
  rule(2)
  expect(await end).toBeUndefined()
  expect([subject(await other.next()), subject(await other.next()), live.size]).toEqual(['R1', 'R2', 1])
})

test('a token that was revoked in another way ends its stream by the next heartbeat', async () => {
  begin({ heartbeatMs: 5 })
  const stream = await open('', { token: await tokenFor('viewer') })
  await engine.tokens.revoke('viewer', 'cli')
  let last = await stream.next()
  while (last?.comment) last = await stream.next()
  expect(last).toBeUndefined()
})

/** A person who has signed in: the cookie of the session, and when that ends. */
async function person(role: 'admin' | 'viewer') {
  const { users, signIn } = engine.accounts
  const made = await users.create({ email: 'ana@example.com', name: 'Ana', role, logTypes: [], createdBy: 'test' })
  const { userId } = made as { userId: string }
  await users.setPassword(userId, 'four words in a row')
  const browser = new Browser(engine)
  await browser.signIn('ana@example.com', 'four words in a row')
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
  return { userId, cookie, browser, session: async () => (await signIn.sessions(userId))[0] }
}

test('a stream ends when the rights of its caller change, and the next one has the new rights', async () => {
  await engine.addAlert({ alertId: alertId(1) }, { logTypes: ['Nginx.Access'] })
  await engine.addAlert({ alertId: alertId(2) }, { logTypes: ['Zeek.SSH'] })
  const { userId, cookie } = await person('viewer')
  const before = await open('', { cookie })
  engine.board.publish({ kind: 'alert.created', subject: alertId(2) })
  expect(subject(await before.next())).toBe(alertId(2))
  const end = before.next()
  await app.request(`/api/v1/users/${userId}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ log_types: ['Nginx.*'] }),
  })
  engine.board.publish({ kind: 'alert.updated', subject: alertId(2) })
  expect(await end).toBeUndefined()
  const after = await open('', { cookie })
  for (const n of [2, 1]) engine.board.publish({ kind: 'alert.updated', subject: alertId(n) })
  expect(subject(await after.next())).toBe(alertId(1))
})

test('a stream is no use of a session: one that is not used otherwise ends', async () => {
  begin({ heartbeatMs: 5 })
  vi.useFakeTimers({ toFake: ['Date'] })
  const { cookie, browser, session } = await person('viewer')
  const stream = await open('', { cookie })
  const { expiresMs } = (await session())!
  vi.setSystemTime(Date.now() + 3_600_000)
  for (let n = 0; n < 3; n++) expect(await stream.next()).toEqual({ comment: true })
  expect((await session())!.expiresMs).toBe(expiresMs)
  await browser.call('GET', '/api/v1/alerts')
  expect((await session())!.expiresMs).toBe(expiresMs + 3_600_000)
  vi.setSystemTime(expiresMs + 3_600_001)
  let last = await stream.next()
  while (last?.comment) last = await stream.next()
  expect(last).toBeUndefined()
})

test('a stream does not move a session back to the address that it was opened from', async () => {
  begin({ heartbeatMs: 5 })
  const { cookie, browser, session } = await person('viewer')
  const stream = await open('', { cookie })
  browser.address = '192.0.2.7'
  await browser.call('GET', '/api/v1/alerts')
  for (let n = 0; n < 3; n++) expect(await stream.next()).toEqual({ comment: true })
  expect((await session())!.address).toBe('192.0.2.7')
  await stream.stop()
})

test.each([null, 'ana'])('a token that expires ends its stream then, not at the next heartbeat: token of %s', async (owner) => {
  begin({ heartbeatMs: 3_600_000 })
  const made = { name: 'brief', role: 'viewer', logTypes: [], cidrs: [], createdBy: 'cli' } as const
  const userId = owner && (await person('viewer')).userId
  const { secret } = (await engine.tokens.add({ ...made, userId, expiresMs: Date.now() + 300 })) as { secret: string }
  const stream = await open('', { token: secret })
  rule(1)
  expect(await stream.next()).toMatchObject({ event: 'rule.off' })
  expect(await stream.next()).toBeUndefined()
  expect(live.size).toBe(0)
})

test('a token that is valid for longer than a timer can wait does not end its stream', async () => {
  const { add } = engine.tokens
  const made = { name: 'long', role: 'viewer', logTypes: [], cidrs: [], createdBy: 'cli', expiresMs: Date.now() + 1e11 } as const
  const { secret } = (await add.call(engine.tokens, made)) as { secret: string }
  const stream = await open('', { token: secret })
  rule(1)
  expect(subject(await stream.next())).toBe('R1')
  await stream.stop()
})

test('an idle stream has heartbeats', async () => {
  begin({ heartbeatMs: 5 })
  const stream = await open()
  expect([await stream.next(), await stream.next()]).toEqual([{ comment: true }, { comment: true }])
})

test('a caller that does not read is cut off, and the others are not', async () => {
  begin({ maxWaiting: 10 })
  const [slow, quick] = [await open(), await open()]
  for (let n = 0; n < 11; n++) {
    rule(n)
    expect(subject(await quick.next())).toBe(`R${n}`)
  }
  await expect(slow.next()).rejects.toThrow('reads too slowly')
  expect(live.size).toBe(1)
})

test('streams are limited in number, for each caller and for all, and those that are closed do not count', async () => {
  begin({ maxPerCaller: 2, maxStreams: 3 })
  const first = await open()
  await open()
  expect((await open()).response.status).toBe(429)
  const [one, two] = [await tokenFor('viewer', [], 'one'), await tokenFor('viewer', [], 'two')]
  await open('', { token: one })
  expect((await open('', { token: two })).response.status).toBe(429)
  await first.stop()
  expect((await open('', { token: two })).response.status).toBe(200)
})

test('every stream ends when the server stops', async () => {
  const stream = await open()
  const end = stream.next()
  live.close()
  expect([await end, live.size]).toEqual([undefined, 0])
})

test('HEAD opens no stream', async () => {
  const headers = { authorization: `Bearer ${TOKEN}` }
  expect((await app.request('/api/v1/stream', { method: 'HEAD', headers })).status).toBe(200)
  expect(live.size).toBe(0)
})
