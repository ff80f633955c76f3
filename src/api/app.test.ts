import { hostname } from 'node:os'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../test/support/fake-engine.ts'
import { configSchema } from '../config/config.ts'
import { createLog } from '../telemetry/log.ts'
import { Refused, RetryLater, StorageError } from '../util/errors.ts'
import { sha256 } from '../util/hash.ts'
import { OPERATIONS } from './access/operations.ts'
import { createApp } from './app.ts'

let engine: FakeEngine
let logged: string[]

beforeEach(async () => {
  engine = await fakeEngine()
  logged = []
})

afterEach(() => engine.dispose())

interface Call {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

async function call(path: string, { method, body, headers }: Call = {}): Promise<Response> {
  const app = createApp(engine, createLog({ isPretty: false, write: (text) => logged.push(text) }))
  return app.request(path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { authorization: `Bearer ${TOKEN}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

async function failure(path: string, given: Call = {}): Promise<{ status: number; code: string; detail: string }> {
  const response = await call(path, given)
  return { status: response.status, ...((await response.json()) as { code: string; detail: string }) }
}

const CLOSED = ['/metrics', '/api/v1/alerts', '/api/v1/health', '/api/v1/rules', '/api/v1/openapi.json', '/api/v1/nothing']

test.each(CLOSED)('%s answers 401 without the token, with a wrong one and with its beginning', async (path) => {
  for (const authorization of ['', 'Bearer wrong', `Bearer ${TOKEN.slice(0, -1)}`, `Basic ${TOKEN}`, TOKEN]) {
    const response = await call(path, { headers: { authorization } })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(await response.text()).not.toContain(TOKEN)
  }
})

test.each(['/', '/healthz'])('%s is open and reveals no secrets', async (path) => {
  const response = await call(path, { headers: { authorization: '' } })
  expect(response.status).toBe(200)
  expect(await response.text()).not.toContain(TOKEN)
})

const HOSTS: [listen: string, host: string, status: number][] = [
  ['127.0.0.1:4848', '127.0.0.1:4848', 200],
  ['127.0.0.1:4848', 'localhost:4848', 200],
  ['127.0.0.1:4848', 'LOCALHOST', 200],
  ['127.0.0.1:4848', '[::1]:4848', 200],
  ['[::1]:4848', '[::1]:4848', 200],
  ['localhost:4848', 'localhost:4848', 200],
  ['127.0.0.1:4848', 'evil.example:4848', 421],
  ['127.0.0.1:4848', 'localhost.evil.example', 421],
  ['127.0.0.1:4848', '127.0.0.1.evil.example:4848', 421],
  ['[::1]:4848', 'evil.example', 421],
  ['0.0.0.0:4848', 'siem.example:4848', 200],
  ['192.0.2.7:4848', 'siem.example', 200],
]

/** Host names at which the API of a server on the network answers. */
const NAMES: readonly [listen: string, host: string, status: number][] = [
  ['0.0.0.0:4848', 'evil.example:4848', 421],
  ['0.0.0.0:4848', '192.0.2.7:4848', 200],
  ['0.0.0.0:4848', '[2001:db8::1]:4848', 200],
  ['0.0.0.0:4848', 'localhost', 200],
  ['0.0.0.0:4848', hostname(), 200],
  ['siem.example:4848', 'siem.example:4848', 200],
  ['siem.example:4848', 'evil.example', 421],
]

test.each(NAMES)('the API on %s, called as %s, answers %i', async (listen, host, status) => {
  await engine.dispose()
  engine = await fakeEngine({ listen })
  expect((await call('/api/v1/health', { headers: { host } })).status).toBe(status)
  expect((await call('/metrics', { headers: { host } })).status).toBe(status)
})

test('the host of `public_url` is known too, and with TLS browsers check the name', async () => {
  await engine.dispose()
  engine = await fakeEngine({ public_url: 'https://siem.example/caracal' })
  expect((await call('/api/v1/health', { headers: { host: 'siem.example' } })).status).toBe(200)
  expect((await call('/api/v1/health', { headers: { host: 'other.example' } })).status).toBe(421)
  await engine.dispose()
  engine = await fakeEngine({ listen: '0.0.0.0:1', tls: { cert: { file: 'x' }, key: { file: 'x' } } })
  expect((await call('/api/v1/health', { headers: { host: 'other.example' } })).status).toBe(200)
})

test.each(HOSTS)('listening on %s, a call to the host %s answers %i', async (listen, host, status) => {
  await engine.dispose()
  engine = await fakeEngine({ listen })
  expect((await call('/healthz', { headers: { host } })).status).toBe(status)
})

test('no response can be read by another site', async () => {
  const response = await call('/api/v1/health', { headers: { origin: 'https://evil.example' } })
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
})

test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp'])(
  'a write with a body of type %s, as a form could send it, is refused',
  async (type) => {
    const answer = await failure('/api/v1/query', { body: '{"sql":"SELECT 1"}', headers: { 'content-type': type } })
    expect(answer).toMatchObject({ status: 415, code: 'unsupported_media_type' })
    expect(engine.queries).toEqual([])
  },
)

test.each([
  [262_144, 200],
  [262_145, 413],
])('a body of %i bytes, with or without a content length, gets %i', async (bytes, status) => {
  const body = JSON.stringify({ sql: 'SELECT 1' }).padEnd(bytes)
  for (const headers of [{ 'content-length': String(bytes) }, { 'transfer-encoding': 'chunked' }]) {
    const answer = await failure('/api/v1/query', { body, headers: headers as Record<string, string> })
    expect(answer).toMatchObject(status === 413 ? { status, code: 'too_large' } : { status })
  }
})

test.each<[Call & { path: string }, RegExp]>([
  [{ path: '/api/v1/query', body: '{"sql":' }, /JSON/],
  [{ path: '/api/v1/query', body: [] }, /body cannot be used/],
  [{ path: '/api/v1/query', body: { sql: '' } }, /sql: /],
  [{ path: '/api/v1/query', body: { sql: 'SELECT 1', sqll: 1 } }, /sqll/],
  [{ path: '/api/v1/query', body: { sql: 'SELECT 1', params: { 'a b': 1 } } }, /params/],
  [{ path: '/api/v1/query', body: { sql: 'SELECT 1', max_rows: 0 } }, /max_rows/],
  [{ path: '/api/v1/alerts?limit=201' }, /limit/],
  [{ path: '/api/v1/alerts?limit=ten' }, /limit/],
  [{ path: '/api/v1/alerts?severity=critical' }, /severity/],
  [{ path: '/api/v1/alerts?colour=red' }, /colour/],
  [{ path: '/api/v1/alerts?cursor=1;DROP' }, /cursor/],
  [{ path: '/api/v1/alerts?rule=a%00b' }, /rule/],
])('%j is refused with 400 and the reason', async ({ path, ...given }, reason) => {
  const answer = await failure(path, given)
  expect(answer).toMatchObject({ status: 400, code: 'bad_request' })
  expect(answer.detail).toMatch(reason)
})

test.each<[string, string, number, string]>([
  ['GET', '/api/v1/nothing', 404, 'not_found'],
  ['DELETE', '/api/v1/alerts', 405, 'method_not_allowed'],
  ['GET', '/api/v1/query', 405, 'method_not_allowed'],
  ['POST', '/ingest/nope', 404, 'not_found'],
  ['GET', '/ingest', 404, 'not_found'],
])('%s %s answers %i %s', async (method, path, status, code) => {
  expect(await failure(path, { method })).toMatchObject({ status, code })
})

test('a wrong source id lists the known ones only for callers with the token', async () => {
  await engine.dispose()
  engine = await fakeEngine({ sources: configSchema.parse({ sources: [{ type: 'http', id: 'shipper' }] }).sources })
  expect((await failure('/ingest/shiper', { method: 'POST' })).detail).toContain('Known: default, shipper.')
  expect((await failure('/ingest/shiper', { method: 'POST', headers: { authorization: 'Bearer x' } })).detail).not.toContain(
    'shipper.',
  )
})

test('a source handles the body and checks the token itself, whatever the content type', async () => {
  const response = await call('/ingest/default', { body: 'a line', headers: { authorization: '', 'content-type': 'text/plain' } })
  expect([response.status, await response.json()]).toEqual([202, { taken: 'a line' }])
})

test.each<[Error, number, string, RegExp]>([
  [new Refused('Unknown table x'), 400, 'refused', /Unknown table x/],
  [new RetryLater('the lake is not open', 2500), 503, 'retry_later', /not open/],
  [new StorageError('disk full'), 503, 'storage', /disk full/],
  [new Error('secret detail at /home/me'), 500, 'internal', /^an internal error occurred; see the server log$/],
])('a query that fails with %s answers %i %s', async (error, status, code, message) => {
  engine.answer = () => Promise.reject(error)
  const answer = await failure('/api/v1/query', { body: { sql: 'SELECT 1' } })
  expect(answer).toMatchObject({ status, code })
  expect(answer.detail).toMatch(message)
  expect(logged.join('').includes('secret detail')).toBe(status === 500)
})

test.each<[Error, string]>([
  [new Refused('Cannot open file /srv/caracal/lake/store/1a2/data.bin'), 'Cannot open file [path]'],
  [
    new RetryLater("the lake's process ended; it said: /opt/x/libchdb.so: killed"),
    "the lake's process ended; it said: [path]: killed",
  ],
  [
    new StorageError("ENOSPC: no space left on device, write '/srv/caracal/spool.db'"),
    "ENOSPC: no space left on device, write '[path]'",
  ],
])('%s hides local paths from the caller, but not in the log', async (error, message) => {
  engine.answer = () => Promise.reject(error)
  expect((await failure('/api/v1/query', { body: { sql: 'SELECT 1' } })).detail).toBe(message)
  expect(logged.join('')).toContain(JSON.stringify(error.message).slice(1, -1))
})

test('a busy or replaced lake says when to try again', async () => {
  engine.answer = () => Promise.reject(new RetryLater("the lake's process was replaced", 2500))
  const response = await call('/api/v1/query', { method: 'POST', body: '{"sql":"SELECT 1"}' })
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '3'])
})

test('healthz is 503 only when it is failing', async () => {
  const seen: [string, number][] = []
  for (const status of ['ok', 'degraded', 'failing'] as const) {
    engine.healthNow = { status, problems: ['the disk is full'], systemProblems: [], notices: [] }
    seen.push([status, (await call('/healthz', { headers: { authorization: '' } })).status])
  }
  expect(seen).toEqual([
    ['ok', 200],
    ['degraded', 200],
    ['failing', 503],
  ])
})

/** The description as a page. */
const AS_PAGES = ['GET /api/v1/docs', 'GET /api/v1/docs.css']

test('the API description has every operation of the table of permissions, and no other', async () => {
  const { paths } = (await (await call('/api/v1/openapi.json')).json()) as { paths: Record<string, object> }
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  // Figures in the format of Prometheus and the protocol of assistants have descriptions of their own; the others are the description itself.
  const others = [...AS_PAGES, 'GET /metrics', 'GET /api/v1/openapi.json', 'POST /mcp', 'POST /mcp/write']
  expect(described.sort()).toEqual(
    Object.keys(OPERATIONS)
      .filter((operation) => !others.includes(operation))
      .sort(),
  )
})

test('src/api/access/operations.ts says of every operation who may call it, and what callers get who see only some log types', async () => {
  const { paths } = (await (await call('/api/v1/openapi.json')).json()) as { paths: Record<string, object> }
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const others = [...AS_PAGES, 'GET /metrics', 'GET /api/v1/openapi.json', 'POST /mcp', 'POST /mcp/write']
  expect(Object.keys(OPERATIONS).sort()).toEqual([...described, ...others].sort())
})

test('metrics and rules are passed on', async () => {
  expect(await (await call('/metrics')).text()).toBe('caracal_spool_bytes 0\n')
  expect(await (await call('/api/v1/rules')).json()).toMatchObject({
    results: [
      {
        id: 'Tor.SSH.Login',
        enabled: true,
        log_types: ['Zeek.SSH'],
        state: 'waiting',
        since: '2023-11-14T22:13:20.000Z',
        matches: 1234,
        errors: 5,
        overrides: [{ key: 'Severity', file: '/rules/overrides.yml', line: 3 }],
        not_judged: [{ from: '2023-11-14T22:13:20.000Z', to: null, log_types: ['Zeek.SSH'], events: 12 }],
      },
    ],
    problems: [{ file: '/rules/x.yml', message: 'unknown key' }],
  })
})

test('rules and content are those in force at the time of the request', async () => {
  const app = createApp(engine, createLog({ isPretty: false, write: () => {} }))
  const ids = async () => {
    const answer = await app.request('/api/v1/rules', { headers: { authorization: `Bearer ${TOKEN}` } })
    return ((await answer.json()) as { results: { id: string }[] }).results.map(({ id }) => id)
  }
  expect(await ids()).toEqual(['Tor.SSH.Login'])
  engine.content = { ...engine.content, rules: engine.content.rules.map((rule) => ({ ...rule, id: 'Another' })) }
  expect(await ids()).toEqual(['Another'])
})

test('the history of content shows changes, and undo passes on who requested it', async () => {
  const texts = ['Severity: Low\n', 'Severity: High\n'].map((text) => Buffer.from(text))
  for (const [at, text] of texts.entries())
    await engine.record({
      generation: `${at}`.repeat(16),
      nowMs: 1_700_000_000_000 + at,
      cause: at === 0 ? 'start' : 'reload',
      actor: at === 0 ? '' : 'ann',
      commits: {},
      files: [{ root: 'content', path: 'rules/a.yml', hash: sha256(text) }],
      textOf: async () => text,
    })
  const { results } = (await (await call('/api/v1/content/history?limit=1')).json()) as { results: unknown[] }
  const changed = { root: 'content', path: 'rules/a.yml', change: 'changed', before: sha256(texts[0]!), after: sha256(texts[1]!) }
  const second = {
    number: 2,
    generation: '1'.repeat(16),
    time: '2023-11-14T22:13:20.001Z',
    cause: 'reload',
    by: 'ann',
    commits: {},
  }
  expect(results).toEqual([{ ...second, files: [changed] }])
  const diff = '@@ -1,1 +1,1 @@\n-Severity: Low\n+Severity: High\n'
  for (const name of ['2', '1111'])
    expect(await (await call(`/api/v1/content/history/${name}?file=rules/a.yml`)).json()).toEqual({
      ...second,
      files: [{ ...changed, diff }],
    })
  expect(await failure('/api/v1/content/history/9')).toMatchObject({
    status: 404,
    detail: expect.stringContaining("no generation '9'"),
  })
  expect(await failure('/api/v1/content/history/2?file=b.yml')).toMatchObject({ status: 404 })
  expect(await failure('/api/v1/content/history/%00')).toMatchObject({ status: 400 })
  expect(await failure('/api/v1/content/reload?by=%00', { method: 'POST' })).toMatchObject({ status: 400 })
  const asked: unknown[] = []
  engine.undo = async (...args) => {
    asked.push(args)
    return { ...engine.reloaded, outcome: 'swapped', number: 2 }
  }
  expect(await (await call('/api/v1/content/undo', { body: { generation: '2', by: 'bob' } })).json()).toMatchObject({ undone: 2 })
  expect((await call('/api/v1/content/undo', { method: 'POST' })).status).toBe(200)
  expect(asked).toEqual([
    ['2', 'bob'],
    [undefined, ''],
  ])
  engine.undo = () => Promise.reject(new Refused('rules/a.yml was changed after it'))
  expect(await failure('/api/v1/content/undo', { body: {} })).toMatchObject({ status: 400, code: 'refused' })
  await call('/api/v1/content/reload?by=ann', { method: 'POST' })
  await call('/api/v1/content/reload', { method: 'POST' })
  expect(engine.reloads).toEqual([
    ['reload', 'ann'],
    ['reload', undefined],
  ])
})

test('tables show their state, and a refresh returns the outcome', async () => {
  const { results } = (await (await call('/api/v1/tables')).json()) as { results: Record<string, unknown>[] }
  expect(results[0]).toMatchObject({
    name: 'tor_exit_nodes',
    rows: 1174,
    state: 'stale',
    refreshed_time: '1970-01-01T00:16:40.000Z',
  })
  expect(results[1]).toMatchObject({ name: 'allowed_ports', problem: null, refreshed_time: null, age_seconds: null })
  expect(await (await call('/api/v1/tables/tor_exit_nodes/refresh', { method: 'POST' })).json()).toMatchObject({
    state: 'ok',
    problem: null,
  })
  expect(await (await call('/api/v1/tables/tor_exit_nodes/refresh?accept=true', { method: 'POST' })).json()).toMatchObject({
    passed_over: ['the content is an old copy'],
  })
  expect(await failure('/api/v1/tables/nope/refresh', { method: 'POST' })).toMatchObject({
    status: 404,
    detail: expect.stringContaining('tor_exit_nodes'),
  })
})

test('a table shows its versions and refreshes, its rows then and now, and how versions differ', async () => {
  const detail = await (await call('/api/v1/tables/tor_exit_nodes')).json()
  expect(detail).toMatchObject({
    rows: 1174,
    primary_key: ['ip'],
    versions: [
      {
        version: '2024-03-12-0123456789ad',
        until: null,
        is_stored: true,
        changes: { removed: 28 },
        passed_over: [expect.any(String)],
      },
      { rows: 1200, until: '1970-01-01T00:50:00.000Z', changes: null },
      { is_stored: false, rows: null },
    ],
    refreshes: [
      { outcome: 'failed', times: 3, last_time: '1970-01-01T01:23:20.000Z', version: null },
      { outcome: 'swapped', message: null },
    ],
  })
  const row = await (await call('/api/v1/tables/tor_exit_nodes/row?key=192.0.2.1')).text()
  expect(row).toBe(
    '{"version":"2024-03-12-0123456789ad","since":"1970-01-01T00:50:00.000Z","row":{"ip":"192.0.2.1","seen":9007199254740993}}',
  )
  const then = '/api/v1/tables/tor_exit_nodes/row?key=x&as_of=0123456789ac'
  expect(await (await call(then)).json()).toMatchObject({ version: '2024-03-11-0123456789ac', row: null })
  const diff = '/api/v1/tables/tor_exit_nodes/diff?before=1970-01-01T00:40:00Z&limit=1'
  expect(await (await call(diff)).json()).toMatchObject({
    before: { version: '2024-03-11-0123456789ac' },
    after: { version: '2024-03-12-0123456789ad' },
    counts: { added: 2 },
    added: [{ key: '192.0.2.1', before: null, after: { score: 1 } }],
  })
  for (const [path, status, message] of [
    ['/api/v1/tables/nope', 404, /Known: tor_exit_nodes/],
    ['/api/v1/tables/tor_exit_nodes/row?key=x&as_of=1970-01-01T00:20:00Z', 400, /no longer kept/],
    ['/api/v1/tables/tor_exit_nodes/row?key=x&as_of=1970-01-01', 400, /no version from 1970-01-01T00:00:00.000Z.*first version/],
    ['/api/v1/tables/tor_exit_nodes/row?key=x&as_of=soon', 400, /is not a version .*, a time/],
    ['/api/v1/tables/tor_exit_nodes/row', 400, /key/],
    ['/api/v1/tables/tor_exit_nodes/diff?before=now&limit=x', 400, /limit/],
  ] as const)
    expect(await failure(path)).toMatchObject({ status, detail: expect.stringMatching(message) })
})

test("a source's data can only be deleted once nothing sends to it any more", async () => {
  await engine.dispose()
  engine = await fakeEngine({ sources: configSchema.parse({ sources: [{ type: 'file', id: 'zeek', paths: ['x'] }] }).sources })
  const answers: [string, number][] = []
  for (const id of ['demo', 'default', 'zeek', 'gone']) {
    answers.push([id, (await call(`/api/v1/sources/${id}/data`, { method: 'DELETE' })).status])
  }
  expect(answers).toEqual([
    ['demo', 200],
    ['default', 409],
    ['zeek', 409],
    ['gone', 404],
  ])
  expect(engine.removed).toEqual(['demo'])
})

test('an unknown alert returns 404 for every method', async () => {
  const id = alertId(77)
  expect((await failure(`/api/v1/alerts/${id}`)).status).toBe(404)
  expect((await failure(`/api/v1/alerts/${id}/events`)).status).toBe(404)
  expect((await failure(`/api/v1/alerts/${id}`, { method: 'PATCH', body: { status: 'CLOSED' } })).status).toBe(404)
})
