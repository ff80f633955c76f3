import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { textOf } from '../../../test/support/text-of.ts'
import { createApp } from '../app.ts'
import { OPERATIONS } from './operations.ts'

let engine: FakeEngine
let secret: string
const [web, conn, both, none] = [1, 2, 3, 4].map(alertId) as [string, string, string, string]

beforeEach(async () => {
  engine = await fakeEngine()
  await engine.addAlert({ alertId: web }, { logTypes: ['Nginx.Access'], title: 'web' })
  await engine.addAlert({ alertId: conn }, { logTypes: ['Zeek.Conn'], title: 'zeek secret' })
  await engine.addAlert({ alertId: both }, { logTypes: ['Nginx.Access', 'Zeek.Conn'], title: 'zeek secret' })
  await engine.addAlert({ alertId: none }, { type: 'SYSTEM', logTypes: [], title: 'zeek secret' })
  const made = await call('POST', '/api/v1/tokens', { name: 'web', role: 'analyst', log_types: ['Nginx.*'] }, TOKEN)
  secret = (JSON.parse(made.text) as { token: string }).token
})

afterEach(() => engine.dispose())

async function call(method: string, path: string, body?: object, token = secret): Promise<{ status: number; text: string }> {
  const response = await createApp(engine).request(path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await textOf(response) }
}

/** It judges Zeek.SSH. */
const HIDDEN_RULE = 'Tor.SSH.Login'

/** What a call of each operation must contain that is not refused: one about everything that the caller may not see. */
const BODIES: Readonly<Record<string, object>> = {
  'PATCH /api/v1/alerts': { ids: [conn, both, none, web], change: { owner: 'me' } },
  'PATCH /api/v1/alerts/{id}': { owner: 'me' },
  'POST /api/v1/alerts/{id}/comments': { text: 'seen' },
  'POST /api/v1/alerts/{id}/hold': { reason: 'case 7' },
  'POST /api/v1/alerts/{id}/merge': { ids: [web] },
  'POST /api/v1/query': { sql: 'SELECT 1' },
  'POST /api/v1/search': { log_types: ['Zeek.Conn'] },
  'POST /api/v1/search/fields': { field: 'p_log_type' },
  'POST /api/v1/queries': { sql: 'SELECT 1' },
}

/** Tools of assistants are calls of these operations (`src/api/mcp/mcp.test.ts`). */
const OF_API = Object.entries(OPERATIONS).filter(([operation]) => !operation.startsWith('POST /mcp'))

test.each(OF_API)('%s shows nothing about other log types', async (operation, { narrowed }) => {
  const [method, path] = operation.split(' ') as [string, string]
  const isOfOther = /\/(?:alerts|queries|rules)\/\{id\}/.test(path)
  const other = await call('POST', '/api/v1/queries', { sql: "SELECT 'zeek secret'" }, TOKEN)
  const queryId = (JSON.parse(other.text) as { id: string }).id
  const ids = path.includes('/alerts/{id}')
    ? [conn, both, none]
    : [path.includes('/queries/{id}') ? queryId : path.includes('/rules/{id}') ? HIDDEN_RULE : 'x']
  for (const id of ids) {
    const query = operation === 'GET /api/v1/timeline' ? '?indicator=192.0.2.1' : ''
    const { status, text } = await call(method, path.replaceAll(/\{\w+\}/g, id) + query, BODIES[operation])
    if (narrowed === 'closed') expect([status, text]).toEqual([403, expect.stringMatching(/Nginx\.\*|needs the permission/)])
    else if (isOfOther) expect(status).toBe(404)
    // These need a session or a body, and know nothing of events.
    else if (/^\/api\/v1\/(?:me\/|sign-in)/.test(path)) expect([200, 400, 409]).toContain(status)
    else expect(status).toBeLessThan(300)
    expect(text).not.toContain('zeek secret')
    if (narrowed !== 'all') expect(text).not.toMatch(/Zeek/)
  }
  for (const id of [conn, both, none]) expect(await engine.read.alert(id)).toMatchObject({ owner: null, mergedInto: null })
})

test('an alert is seen if each of its log types is', async () => {
  const { results } = JSON.parse((await call('GET', '/api/v1/alerts')).text) as { results: { alert_id: string }[] }
  expect(results.map(({ alert_id }) => alert_id)).toEqual([web])
  expect((await call('GET', `/api/v1/alerts/${web}`)).status).toBe(200)
  expect((await call('PATCH', `/api/v1/alerts/${web}`, { status: 'CLOSED' })).status).toBe(200)
  expect((await call('POST', `/api/v1/alerts/${web}/merge`, { ids: [conn] })).status).toBe(404)
})

test('alerts that were merged into a seen one, or share an indicator with it, are shown only if they are seen', async () => {
  expect((await call('POST', `/api/v1/alerts/${web}/merge`, { ids: [conn] }, TOKEN)).status).toBe(200)
  expect((await call('GET', `/api/v1/alerts/${web}`)).text).not.toContain('zeek secret')
  expect((await call('GET', `/api/v1/alerts/${web}/related`)).text).toBe('{"results":[],"next":null}')
})

test('an alert with an unseen one merged into it keeps its status, and other values can be changed', async () => {
  await engine.addAlert({ alertId: alertId(5) }, { logTypes: ['Nginx.Error'] })
  await call('POST', `/api/v1/alerts/${web}/merge`, { ids: [conn, alertId(5)] }, TOKEN)
  expect(await call('PATCH', `/api/v1/alerts/${web}`, { status: 'CLOSED', owner: 'me' })).toMatchObject({
    status: 403,
    text: expect.stringMatching(/may not see are merged into 0001/),
  })
  const bulk = await call('PATCH', '/api/v1/alerts', { ids: [web], change: { status: 'CLOSED' } })
  expect(JSON.parse(bulk.text)).toMatchObject({ results: [{ outcome: 'hidden', message: expect.stringMatching(/may not see/) }] })
  for (const id of [web, conn, alertId(5)]) expect(await engine.read.alert(id)).toMatchObject({ status: 'OPEN', owner: null })
  expect((await call('PATCH', `/api/v1/alerts/${web}`, { status: 'OPEN', owner: 'me' })).status).toBe(200)
  await call('POST', `/api/v1/alerts/${conn}/unmerge`, undefined, TOKEN)
  expect((await call('PATCH', `/api/v1/alerts/${web}`, { status: 'CLOSED' })).status).toBe(200)
  const statuses = await Promise.all([web, alertId(5), conn].map(async (id) => (await engine.read.alert(id))!.status))
  expect(statuses).toEqual(['CLOSED', 'CLOSED', 'OPEN'])
})

test('an alert that was merged into an unseen one stays in it, and does not say which', async () => {
  await call('POST', `/api/v1/alerts/${conn}/merge`, { ids: [web] }, TOKEN)
  await engine.addAlert({ alertId: alertId(5) }, { logTypes: ['Nginx.Error'] })
  const calls: [method: string, path: string, body?: object][] = [
    ['POST', `/${web}/unmerge`],
    ['PATCH', `/${web}`, { status: 'CLOSED' }],
    ['POST', `/${alertId(5)}/merge`, { ids: [web] }],
    ['PATCH', '', { ids: [web], change: { status: 'CLOSED' } }],
  ]
  const answers = await Promise.all(calls.map(([method, path, body]) => call(method, `/api/v1/alerts${path}`, body)))
  expect(answers.map(({ status }) => status)).toEqual([403, 409, 409, 200])
  for (const { text } of answers) expect(text).toMatch(/one that you may not see/)
  for (const { text } of answers) expect(text).not.toContain(conn)
  expect(await engine.read.alert(web)).toMatchObject({ status: 'OPEN', mergedInto: conn })
})

test('neither alerts nor their timelines contain the ids of unseen alerts', async () => {
  await engine.addAlert({ alertId: alertId(5) }, { logTypes: ['Nginx.Error'] })
  await call('POST', `/api/v1/alerts/${web}/merge`, { ids: [conn, alertId(5)] }, TOKEN)
  const merged = await call('GET', `/api/v1/alerts/${web}/timeline`)
  const of = (text: string) => (JSON.parse(text) as { results: { kind: string; detail: object }[] }).results
  expect(of(merged.text).filter(({ kind }) => kind === 'merged')).toMatchObject([
    { detail: { alert_id: 'hidden' } },
    { detail: { alert_id: alertId(5) } },
  ])
  expect((await call('GET', `/api/v1/alerts/${alertId(5)}`)).text).toContain(`"merged_into":"${web}"`)
  await call('POST', `/api/v1/alerts/${conn}/unmerge`, undefined, TOKEN)
  await call('POST', `/api/v1/alerts/${alertId(5)}/unmerge`, undefined, TOKEN)
  await call('POST', `/api/v1/alerts/${conn}/merge`, { ids: [web] }, TOKEN)
  for (const path of [`/${web}`, `/${web}/timeline`, '?merged=only']) {
    const { status, text } = await call('GET', `/api/v1/alerts${path}`)
    expect([status, text]).toEqual([200, expect.stringContaining('hidden')])
    expect(text).not.toContain(conn)
  }
})

test('an alert can be changed neither by a filter nor by its id', async () => {
  const body = { filter: { severity: 'CRITICAL' }, change: { status: 'CLOSED' } }
  const { results } = JSON.parse((await call('PATCH', '/api/v1/alerts', body)).text) as { results: { id: string }[] }
  expect(results.map(({ id }) => id)).toEqual([web])
})

test('queries are limited to the log types, whoever makes them', async () => {
  await call('POST', '/api/v1/query', { sql: 'SELECT 1' })
  await call('GET', `/api/v1/alerts/${web}/events`)
  await call('POST', '/api/v1/query', { sql: 'SELECT 1' }, TOKEN)
  await call('POST', '/api/v1/queries', { sql: 'SELECT 1' })
  expect(engine.queries.map(({ options }) => options.logTypes)).toEqual([['Nginx.*'], ['Nginx.*'], undefined, ['Nginx.*']])
})

test('a rule is seen if each of its log types is, with its source', async () => {
  const [hidden] = engine.content.rules
  const own = { ...hidden!, logTypes: ['Nginx.Access'] }
  const both = { ...hidden!, id: 'Both', logTypes: ['Nginx.Access', 'Zeek.SSH'] }
  const scheduled = { ...hidden!, id: 'Scheduled', logTypes: [] }
  engine.content = { ...engine.content, rules: [own, both, scheduled] }
  const { results, problems } = JSON.parse((await call('GET', '/api/v1/rules')).text) as {
    results: { id: string }[]
    problems: []
  }
  expect([results.map(({ id }) => id), problems]).toEqual([[HIDDEN_RULE], []])
  expect(JSON.parse((await call('GET', `/api/v1/rules/${HIDDEN_RULE}`)).text)).toMatchObject({
    source: { path: 'tor.yml' },
    problems: [],
  })
  for (const id of ['Both', 'Scheduled']) expect((await call('GET', `/api/v1/rules/${id}`)).status).toBe(404)
  const { tactics, without } = JSON.parse((await call('GET', '/api/v1/coverage')).text) as {
    tactics: { tactic: string; rules_on: number }[]
    without: []
  }
  expect([tactics.filter(({ rules_on }) => rules_on > 0), without]).toMatchObject([[{ tactic: 'TA0011', rules_on: 1 }], []])
  for (const method of ['PUT', 'PATCH', 'DELETE'])
    expect((await call(method, `/api/v1/rules/${HIDDEN_RULE}`, method === 'DELETE' ? undefined : {})).status).toBe(403)
})
