import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine

beforeEach(async () => {
  engine = await fakeEngine()
  await engine.addAlert({ alertId: alertId(1) })
})

afterEach(() => engine.dispose())

async function call(method: string, path: string, body?: object | string, token = TOKEN): Promise<Response> {
  const init = {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  }
  return createApp(engine).request(path, init, { incoming: { socket: { remoteAddress: '192.0.2.9' } } })
}

test('a change is recorded with who made it, from where, and what it was', async () => {
  await call('PATCH', '/api/v1/alerts/0001', { status: 'CLOSED', reason: 'done' })
  await call('POST', '/api/v1/content/reload?by=ana')
  await call('PATCH', '/api/v1/alerts/ffff', { status: 'CLOSED' })
  const caller = { caller: 'cli', caller_kind: 'machine', caller_role: 'admin', caller_address: '192.0.2.9' }
  expect(engine.audited).toMatchObject([
    {
      audit_event: 'change',
      ...caller,
      operation: 'PATCH /api/v1/alerts/{id}',
      request_path: '/api/v1/alerts/0001',
      status: 200,
      detail: { body: { status: 'CLOSED', reason: 'done' } },
    },
    { audit_event: 'change', operation: 'POST /api/v1/content/reload', detail: { query: { by: 'ana' } } },
    { audit_event: 'change', status: 404, reason: expect.stringContaining("no alert 'ffff'"), detail: undefined },
  ])
})

test('reading is not recorded, queries included', async () => {
  await call('GET', '/api/v1/alerts')
  await call('POST', '/api/v1/query', { sql: 'SELECT 1' })
  await call('GET', '/api/v1/nothing')
  await call('GET', '/api/v1/tokens')
  expect(engine.audited).toEqual([])
})

test('refused calls are recorded, with the caller if it is known', async () => {
  const made = await call('POST', '/api/v1/tokens', { name: 'web', role: 'viewer' })
  const { token } = (await made.json()) as { token: string }
  await call('PATCH', '/api/v1/alerts/0001', { status: 'CLOSED' }, token)
  await call('GET', '/metrics', undefined, 'wrong')
  expect(engine.audited.slice(1)).toMatchObject([
    { audit_event: 'refused', caller: 'web', status: 403, reason: expect.stringContaining('alerts:change') },
    { audit_event: 'refused', caller: undefined, operation: 'GET /metrics', status: 401, caller_address: '192.0.2.9' },
  ])
  // Neither the secret that was created nor the wrong one.
  expect(JSON.stringify(engine.audited)).not.toMatch(new RegExp(`${token}|wrong"`))
})

test('what a body calls a secret is left out, and a long body is cut', async () => {
  const detailOf = async (body: object | string) => {
    await call('POST', '/api/v1/mutes', body)
    return engine.audited.at(-1)?.detail
  }
  const expires = new Date(Date.now() + 3_600_000).toISOString()
  const mute = { match: { rule: 'R' }, owner: 'ana', reason: 'x'.repeat(400), expires }
  expect(JSON.stringify(await detailOf(mute))).toContain('"rule":"R"')
  const many = { ids: Array.from({ length: 200 }, (_, i) => alertId(i)), change: { owner: 'x' } }
  await call('PATCH', '/api/v1/alerts', many)
  expect(JSON.stringify(engine.audited.at(-1)?.detail).length).toBeLessThan(6000)
  await call('POST', '/api/v1/alerts/0001/comments', { text: 'hi', key: 'mine' })
  expect(engine.audited.at(-1)?.detail).toEqual({ body: { text: 'hi', key: '(left out)' } })
})

test('a change that is not JSON is recorded as refused by the API, without a body', async () => {
  await call('PATCH', '/api/v1/alerts/0001', '{"status":')
  expect(engine.audited).toMatchObject([{ status: 400, detail: undefined }])
})

test.each([
  ['not JSON', 'x', '(1 characters that are not JSON)'],
  ['nested too deeply to be shown', '['.repeat(500), '(500 characters, nested too deeply to be shown)'],
])('a body that an operation does not want, %s, does not keep its change from being recorded', async (_, body, shown) => {
  await call('POST', '/api/v1/tokens', { name: 'web', role: 'viewer' })
  const response = await call('POST', '/api/v1/tokens/web/revoke', body)
  expect(response.status).toBe(200)
  expect(engine.audited.at(-1)).toMatchObject({
    operation: 'POST /api/v1/tokens/{id}/revoke',
    status: 200,
    detail: { body: shown },
  })
})

test('a body that is nested too deeply to be accepted is recorded as refused, and nothing has changed', async () => {
  await call('POST', '/api/v1/tokens', { name: 'web', role: 'viewer' })
  const response = await call('POST', '/api/v1/tokens/web/revoke', '['.repeat(100_000))
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, 'too_deep'])
  const last = engine.audited.at(-1)
  expect(last).toMatchObject({ operation: 'POST /api/v1/tokens/{id}/revoke', status: 400 })
  expect(JSON.stringify(last).length).toBeLessThan(2000)
})

test('a token in a path is not recorded', async () => {
  const made = await call('POST', '/api/v1/tokens', { name: 'web', role: 'viewer' })
  const { token } = (await made.json()) as { token: string }
  await call('POST', `/api/v1/tokens/${token}/revoke`)
  expect(engine.audited.at(-1)).toMatchObject({ request_path: '/api/v1/tokens/(token)/revoke', status: expect.any(Number) })
  expect(JSON.stringify(engine.audited)).not.toContain(token)
})

test('the audit cannot be deleted as the data of a source', async () => {
  engine.sources = async () => [{ id: 'caracal-audit' } as Awaited<ReturnType<FakeEngine['sources']>>[number]]
  const response = await call('DELETE', '/api/v1/sources/caracal-audit/data')
  expect([response.status, await response.text()]).toEqual([409, expect.stringContaining('audit')])
  expect(engine.removed).toEqual([])
  expect(engine.audited).toMatchObject([{ operation: 'DELETE /api/v1/sources/{id}/data', status: 409 }])
})

test('the audit is listed from the lake', async () => {
  const row = ['2024-01-01T00:00:00Z', 'change', 'cli', 'machine', 'admin', null, 'X', '/x', 200, null, '{"a":1}', null]
  engine.answer = async ({ sql }) => {
    const rows = [sql.includes('information_schema') ? '[1]' : JSON.stringify(row)]
    return { columns: [], rows, truncated: false, ms: 1 }
  }
  const answer = await call('GET', '/api/v1/audit?caller=cli&event=change&since=2024-01-01T00:00:00Z&limit=5')
  expect(await answer.json()).toMatchObject({ results: [{ caller: 'cli', detail: { a: 1 }, status: 200 }], next: null })
  expect(engine.queries.at(-1)).toMatchObject({
    sql: expect.stringMatching(/p_source_id = \{source:String\} AND audit_event = .* AND caller = .* AND p_event_time >= /),
    options: { params: { source: 'caracal-audit', caller: 'cli' }, maxRows: 6 },
  })
  engine.answer = async () => ({ columns: [], rows: ['[0]'], truncated: false, ms: 1 })
  expect(await (await call('GET', '/api/v1/audit')).json()).toEqual({ results: [], next: null })
})
