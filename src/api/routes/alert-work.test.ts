import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine
const ID = alertId(1)

beforeEach(async () => {
  engine = await fakeEngine()
  await engine.addAlert({ alertId: ID })
})

afterEach(() => engine.dispose())

interface Answer {
  readonly status: number
  readonly etag: string | null
  readonly body: Record<string, unknown>
}

async function call(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await createApp(engine).request(`/api/v1/alerts/${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, etag: response.headers.get('etag'), body: (await response.json()) as Answer['body'] }
}

test('an alert is worked on: assigned, tagged, commented and resolved, and its timeline says by whom', async () => {
  const seen = await call('GET', '0001')
  expect(seen).toMatchObject({
    etag: expect.stringMatching(/^"1-/),
    body: { status: 'OPEN', owner: null, quality: null, reason: null, version: 1 },
  })
  const owned = await call('PATCH', '0001', { owner: 'Ana Ito', add_tags: ['ssh', 'false-alarm'] }, { 'if-match': '"1"' })
  expect(owned).toMatchObject({ status: 200, etag: '"2"', body: { owner: 'Ana Ito', context_tags: ['false-alarm', 'ssh'] } })
  expect((await call('POST', '0001/comments', { text: 'asked the\nowner' })).body).toMatchObject({
    kind: 'comment',
    by: 'cli',
    detail: { text: 'asked the\nowner' },
  })
  const end = { status: 'RESOLVED', reason: 'known host', quality: 'USEFUL', remove_tags: ['ssh'] }
  expect((await call('PATCH', '0001', end)).body).toMatchObject({
    ...{ status: 'RESOLVED', reason: 'known host', quality: 'USEFUL', context_tags: ['false-alarm'], version: 3 },
  })
  const { results, next } = (await call('GET', '0001/timeline')).body as { results: Record<string, unknown>[]; next: null }
  expect(next).toBeNull()
  expect(results.map(({ kind, by, detail }) => [kind, by, (detail as { field?: string }).field])).toEqual([
    ['opened', null, undefined],
    ['changed', 'cli', 'owner'],
    ['changed', 'cli', 'context_tags'],
    ['comment', 'cli', undefined],
    ['changed', 'cli', 'status'],
    ['changed', 'cli', 'reason'],
    ['changed', 'cli', 'quality'],
    ['changed', 'cli', 'context_tags'],
  ])
  const first = (await call('GET', '0001/timeline?limit=3')).body
  expect((await call('GET', `0001/timeline?limit=3&cursor=${first['next']}`)).body).toMatchObject({
    results: results.slice(3, 6),
  })
})

test('an edit of an alert that has changed since is refused, with its present ETag', async () => {
  await call('PATCH', '0001', { owner: 'ana' }, { 'if-match': '"1"' })
  const late = await call('PATCH', '0001', { owner: 'bo' }, { 'if-match': '"1"' })
  expect(late).toMatchObject({ status: 412, etag: '"2"', body: { code: 'precondition_failed' } })
  expect(late.body['detail']).toContain('now "2"')
  expect(await call('PATCH', '0001', { owner: 'bo' }, { 'if-match': late.etag! })).toMatchObject({ status: 200, etag: '"3"' })
  expect(await call('PATCH', '0001', { owner: null }, { 'if-match': '*' })).toMatchObject({ status: 200, body: { owner: null } })
})

test('a repeated edit or comment changes nothing more', async () => {
  for (let i = 0; i < 3; i++) {
    expect(await call('PATCH', '0001', { status: 'CLOSED', reason: 'x' })).toMatchObject({ status: 200, etag: '"2"' })
    expect((await call('POST', '0001/comments', { text: 'once', key: 'k1' })).status).toBe(200)
  }
  const { results } = (await call('GET', '0001/timeline')).body as { results: { kind: string }[] }
  expect(results.map(({ kind }) => kind)).toEqual(['opened', 'changed', 'changed', 'comment'])
})

test('an alert that is open again has no reason for its end any more', async () => {
  await call('PATCH', '0001', { status: 'CLOSED', reason: 'x' })
  expect((await call('PATCH', '0001', { status: 'OPEN', reason: 'y' })).body).toMatchObject({ status: 'OPEN', reason: null })
})

test.each<[string, string, object | undefined, Record<string, string>, number, RegExp]>([
  ['PATCH', '0001', {}, {}, 400, /nothing to change/],
  ['PATCH', '0001', { status: 'DONE' }, {}, 400, /status/],
  ['PATCH', '0001', { state: 'OPEN' }, {}, 400, /state/],
  ['PATCH', '0001', { quality: 'noise' }, {}, 400, /quality/],
  ['PATCH', '0001', { owner: '' }, {}, 400, /owner/],
  ['PATCH', '0001', { owner: 'a\nb' }, {}, 400, /one line/],
  ['PATCH', '0001', { reason: 'a\0' }, {}, 400, /NUL/],
  ['PATCH', '0001', { add_tags: ['Upper'] }, {}, 400, /lower-case/],
  ['PATCH', '0001', { owner: 'x' }, { 'if-match': '7' }, 400, /ETag/],
  ['PATCH', 'ffff', { owner: 'x' }, {}, 404, /no alert 'ffff'/],
  ['GET', 'ffff/timeline', undefined, {}, 404, /no alert 'ffff'/],
  ['GET', '0001/timeline?limit=0', undefined, {}, 400, /limit/],
  ['POST', 'ffff/comments', { text: 'x' }, {}, 404, /no alert 'ffff'/],
  ['POST', '0001/comments', { text: ' \n' }, {}, 400, /needs some text/],
  ['POST', '0001/comments', { text: 'x'.repeat(10_001) }, {}, 400, /text/],
  ['POST', '0001/comments', { text: 'x', by: 'root' }, {}, 400, /by/],
])('%s %s with %j and %j is refused with %i', async (method, path, body, headers, status, why) => {
  const answer = await call(method, path, body, headers)
  expect([answer.status, answer.body['detail']]).toEqual([status, expect.stringMatching(why)])
})

test('alerts are listed by owner, quality, tag, log type, indicator, text and time', async () => {
  await engine.addAlert({ alertId: alertId(2), createdMs: 5000 }, { logTypes: ['Nginx.Access'], tags: ['Web'], title: 'Scan' })
  await call('PATCH', '0001', { owner: 'ana', quality: 'NOISE', add_tags: ['known'] })
  await call('PATCH', '0002', { status: 'CLOSED' })
  const list = async (query: string) =>
    ((await call('GET', `../alerts?${query}`)).body as { results: { alert_id: string }[] }).results.map(({ alert_id }) =>
      Number.parseInt(alert_id.slice(0, 4), 16),
    )
  expect(await list('')).toEqual([1, 2])
  for (const [query, expected] of [
    ['owner=ana', [1]],
    ['owner=', [2]],
    ['quality=NOISE', [1]],
    ['tag=known', [1]],
    ['tag=Web', [2]],
    ['log_type=Nginx.Access', [2]],
    ['indicator=45.139.122.241', [1, 2]],
    ['indicator=45.139.122.2', []],
    ['text=sCAN', [2]],
    ['since=1970-01-01T00:00:06Z', [1]],
    ['until=1970-01-01T00:00:06%2B00:00', [2]],
    ['status=OPEN&status=CLOSED', [1, 2]],
    ['muted=only', []],
  ] as const)
    expect([query, await list(query)]).toEqual([query, expected])
})
