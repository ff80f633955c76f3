import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROBLEM_TYPE, type Problem, problemOf } from '../src/api/problem.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { textOf } from './support/text-of.ts'
import { until } from './support/until.ts'

/** Every operation of the API's own description, called on the real program: each answer is what the description says. */

interface Parameter {
  readonly in: 'path' | 'query' | 'header'
  readonly name: string
  readonly required?: boolean
}
interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: object
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>>
}
interface Call {
  readonly path: string
  readonly body?: object
  /** If it does not succeed here, and why. */
  readonly status?: number
}

const folder = mkdtempSync(join(tmpdir(), 'caracal-contract-'))
const tokens = { viewer: '', ingest: '' }
let caracal: Caracal
let alerts: string[] = []
let operations: Readonly<Record<string, Operation>> = {}

async function request(method: string, path: string, init: { body?: object | string; token?: string } = {}): Promise<Response> {
  const { body, token } = init
  const isPersonal = token === undefined && path.startsWith('/api/v1/me/')
  const response = await caracal.fetch(path, {
    method,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: token && `Bearer ${token}` }),
      ...(isPersonal && { authorization: '', cookie, 'sec-fetch-site': 'same-origin' }),
    },
  })
  if (isPersonal) cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
  return response
}

/** The session of a person, who calls what is only for people. */
let cookie = ''
const PASSWORD = 'four words in a row'
const person = { email: 'ana@example.com', password: PASSWORD }
/** Examples are made more than once. */
let count = 0
const another = () => `user${++count}@example.com`
const signIn = async () => (await request('POST', '/api/v1/sign-in', { body: person })).headers.getSetCookie()[0]!.split(';')[0]!

async function linkFor(email: string, role = 'viewer'): Promise<string> {
  const { link } = await made<{ link: string }>('/api/v1/users', { email, role })
  return new URL(link).searchParams.get('code')!
}

/** Operations that anyone may call: that is how they become known. */
const OPEN = ['GET /api/v1/sign-in', 'POST /api/v1/sign-in', 'POST /api/v1/sign-in/code', 'POST /api/v1/sign-in/link']

async function made<T>(path: string, body: object): Promise<T> {
  return (await (await request('POST', path, { body })).json()) as T
}

const later = () => new Date(Date.now() + 3_600_000).toISOString()
const mute = (body = {}) => ({ match: { rule: 'Nothing.*' }, owner: 'ana', reason: 'a test', expires: later(), ...body })
const savedSearch = () => ({
  name: `Saved ${++count}`,
  search: { log_types: ['Custom.Netstat'], filters: [{ field: 'state', op: 'equals', values: ['LISTEN'] }] },
})
const dashboard = () => ({
  name: `Ports ${++count}`,
  panels: [
    { title: 'Open', kind: 'table', search: 'Open ports' },
    {
      title: 'Events',
      kind: 'number',
      sql: "SELECT count() FROM logs.custom_netstat WHERE p_event_time >= toDateTime64({since:String}, 9, 'UTC')",
    },
  ],
})
const madeDashboard = async () => {
  const body = dashboard()
  await made('/api/v1/dashboards', body)
  return encodeURIComponent(body.name)
}
const day = { from: '2024-01-01T00:00:00Z', to: '2024-01-02T00:00:00Z' }
const idOf = async (path: string, body: object, key: string) => (await made<Record<string, string>>(path, body))[key]

/** One call of each operation that succeeds, or says why it cannot. */
const EXAMPLES: Readonly<Record<string, () => Call | Promise<Call>>> = {
  'GET /api/v1/health': () => ({ path: '/api/v1/health' }),
  'GET /api/v1/alerts': () => ({ path: '/api/v1/alerts?severity=HIGH&severity=INFO&status=OPEN&limit=5' }),
  'GET /api/v1/alerts/counts': () => ({ path: '/api/v1/alerts/counts?severity=HIGH&text=tor' }),
  'PATCH /api/v1/alerts': () => ({ path: '/api/v1/alerts', body: { ids: [alerts[0]], change: { owner: 'ana' } } }),
  'GET /api/v1/alerts/{id}': () => ({ path: `/api/v1/alerts/${alerts[0]}` }),
  'PATCH /api/v1/alerts/{id}': () => ({ path: `/api/v1/alerts/${alerts[0]}`, body: { status: 'TRIAGED' } }),
  'GET /api/v1/alerts/{id}/events': () => ({ path: `/api/v1/alerts/${alerts[0]}/events?limit=1` }),
  'GET /api/v1/alerts/{id}/timeline': () => ({ path: `/api/v1/alerts/${alerts[0]}/timeline` }),
  'GET /api/v1/alerts/{id}/related': () => ({ path: `/api/v1/alerts/${alerts[0]}/related?days=7` }),
  'GET /api/v1/alerts/{id}/bundle': () => ({ path: `/api/v1/alerts/${alerts[0]}/bundle` }),
  'POST /api/v1/alerts/{id}/comments': () => ({ path: `/api/v1/alerts/${alerts[0]}/comments`, body: { text: 'seen' } }),
  'POST /api/v1/alerts/{id}/merge': () => ({ path: `/api/v1/alerts/${alerts[0]}/merge`, body: { ids: [alerts[1]] } }),
  'POST /api/v1/alerts/{id}/unmerge': async () => {
    await made(`/api/v1/alerts/${alerts[0]}/merge`, { ids: [alerts[2]] })
    return { path: `/api/v1/alerts/${alerts[2]}/unmerge` }
  },
  'POST /api/v1/alerts/{id}/snooze': () => {
    const { match: _, ...body } = mute()
    return { path: `/api/v1/alerts/${alerts[3]}/snooze`, body }
  },
  'POST /api/v1/alerts/{id}/hold': () => ({ path: `/api/v1/alerts/${alerts[0]}/hold`, body: { reason: 'case 7' } }),
  'POST /api/v1/alerts/{id}/release': () => ({ path: `/api/v1/alerts/${alerts[0]}/release`, body: { reason: 'closed' } }),
  'GET /api/v1/stream': () => ({ path: '/api/v1/stream?kind=alert.created' }),
  'GET /api/v1/mutes': () => ({ path: '/api/v1/mutes?state=all' }),
  'POST /api/v1/mutes': () => ({ path: '/api/v1/mutes', body: mute() }),
  'GET /api/v1/mutes/{id}': async () => ({ path: `/api/v1/mutes/${await idOf('/api/v1/mutes', mute(), 'mute_id')}` }),
  'POST /api/v1/mutes/{id}/end': async () => ({ path: `/api/v1/mutes/${await idOf('/api/v1/mutes', mute(), 'mute_id')}/end` }),
  'POST /api/v1/query': () => ({ path: '/api/v1/query', body: { sql: 'SELECT count() FROM logs.custom_netstat' } }),
  'POST /api/v1/queries': () => ({ path: '/api/v1/queries', body: { sql: 'SELECT 1' } }),
  'GET /api/v1/queries': () => ({ path: '/api/v1/queries?limit=5' }),
  'GET /api/v1/queries/{id}': async () => ({ path: `/api/v1/queries/${await query()}?wait_ms=10000` }),
  'GET /api/v1/queries/{id}/rows': async () => ({ path: `/api/v1/queries/${await query()}/rows?limit=10` }),
  'GET /api/v1/queries/{id}/export': async () => ({ path: `/api/v1/queries/${await query()}/export?format=csv` }),
  'POST /api/v1/queries/{id}/cancel': async () => ({ path: `/api/v1/queries/${await query()}/cancel` }),
  'DELETE /api/v1/queries/{id}': async () => ({ path: `/api/v1/queries/${await query()}` }),
  'POST /api/v1/search': () => ({
    path: '/api/v1/search',
    body: { log_types: ['Custom.Netstat'], filters: [{ field: 'state', op: 'equals', values: ['LISTEN'] }], text: 'tcp' },
  }),
  'POST /api/v1/search/fields': () => ({
    path: '/api/v1/search/fields',
    body: { log_types: ['Custom.Netstat'], field: 'state' },
  }),
  'GET /api/v1/searches': () => ({ path: '/api/v1/searches' }),
  'GET /api/v1/searches/{name}': () => ({ path: '/api/v1/searches/Open%20ports' }),
  'POST /api/v1/searches': () => ({ path: '/api/v1/searches', body: savedSearch() }),
  'PUT /api/v1/searches/{name}': async () => {
    const { name, ...body } = savedSearch()
    const { revision } = await made<{ revision: string }>('/api/v1/searches', { name, ...body })
    return { path: `/api/v1/searches/${encodeURIComponent(name)}`, body: { ...body, revision, description: 'changed' } }
  },
  'DELETE /api/v1/searches/{name}': async () => {
    const body = savedSearch()
    await made('/api/v1/searches', body)
    return { path: `/api/v1/searches/${encodeURIComponent(body.name)}` }
  },
  'POST /api/v1/searches/{name}/run': () => ({ path: '/api/v1/searches/Open%20ports/run', body: {} }),
  // No rule judges its rows.
  'POST /api/v1/searches/{name}/judge': () => ({ path: '/api/v1/searches/Open%20ports/judge', status: 400 }),
  'GET /api/v1/dashboards': () => ({ path: '/api/v1/dashboards' }),
  'POST /api/v1/dashboards': () => ({ path: '/api/v1/dashboards', body: dashboard() }),
  'GET /api/v1/dashboards/{name}': async () => ({ path: `/api/v1/dashboards/${await madeDashboard()}` }),
  'PUT /api/v1/dashboards/{name}': async () => {
    const { name, ...body } = dashboard()
    const { revision } = await made<{ revision: string }>('/api/v1/dashboards', { name, ...body })
    return { path: `/api/v1/dashboards/${encodeURIComponent(name)}`, body: { ...body, revision, hours: 48 } }
  },
  'DELETE /api/v1/dashboards/{name}': async () => ({ path: `/api/v1/dashboards/${await madeDashboard()}` }),
  'POST /api/v1/dashboards/{name}/run': async () => ({
    path: `/api/v1/dashboards/${await madeDashboard()}/run`,
    body: { panel: 1, since: day.from, until: day.to },
  }),
  'GET /api/v1/timeline': () => ({ path: '/api/v1/timeline?indicator=0.0.0.0' }),
  'GET /api/v1/risk': () => ({ path: '/api/v1/risk?kind=user&prefix=a&limit=5' }),
  // Risk is off.
  'GET /api/v1/risk/entity': () => ({ path: '/api/v1/risk/entity?kind=user&entity=ana', status: 404 }),
  'POST /api/v1/explain': () => ({
    path: '/api/v1/explain',
    body: { rule: 'Netstat.UnexpectedPort', event: { p_log_type: 'Custom.Netstat', local_address: '0.0.0.0:21' } },
  }),
  'GET /api/v1/tables': () => ({ path: '/api/v1/tables' }),
  'GET /api/v1/tables/{name}': () => ({ path: '/api/v1/tables/hosts' }),
  'GET /api/v1/tables/{name}/row': () => ({ path: '/api/v1/tables/hosts/row?key=192.0.2.1' }),
  'GET /api/v1/tables/{name}/diff': () => ({ path: '/api/v1/tables/hosts/diff?before=now' }),
  'POST /api/v1/tables': () => ({
    path: '/api/v1/tables',
    body: { name: `table ${++count}`, content: 'ip,owner\n192.0.2.1,ada\n' },
  }),
  'PUT /api/v1/tables/{name}/content': () => ({
    path: `/api/v1/tables/allowed_ports/content`,
    body: { content: 'port,note\n22,SSH\n' },
  }),
  'PATCH /api/v1/tables/{name}/content': () => ({
    path: '/api/v1/tables/allowed_ports/content',
    body: { set: [{ port: '8443', note: 'admin page' }] },
  }),
  'GET /api/v1/packs': () => ({ path: '/api/v1/packs?limit=5' }),
  'PATCH /api/v1/packs/{id}': () => ({ path: '/api/v1/packs/Caracal.Nginx', body: { on: true } }),
  'POST /api/v1/tables/{name}/refresh': () => ({ path: '/api/v1/tables/hosts/refresh' }),
  'GET /api/v1/sources': () => ({ path: '/api/v1/sources' }),
  // The source is still configured.
  'POST /api/v1/sources': () => ({
    path: '/api/v1/sources',
    body: { source: { type: 'http', id: another().split('@')[0] }, token: {} },
  }),
  'PATCH /api/v1/sources/{id}': async () => ({ path: `/api/v1/sources/${await source()}`, body: { set: { label: 'Ours' } } }),
  'DELETE /api/v1/sources/{id}': async () => ({ path: `/api/v1/sources/${await source()}` }),
  'GET /api/v1/sources/{id}/shippers': () => ({ path: '/api/v1/sources/web/shippers' }),
  'GET /api/v1/shippers': () => ({ path: '/api/v1/shippers' }),
  'DELETE /api/v1/sources/{id}/data': () => ({ path: '/api/v1/sources/web/data', status: 409 }),
  'GET /api/v1/dead-letters': () => ({ path: '/api/v1/dead-letters?limit=5' }),
  'GET /api/v1/deliveries': () => ({ path: '/api/v1/deliveries?state=dead' }),
  'POST /api/v1/deliveries/resend': () => ({ path: '/api/v1/deliveries/resend', body: { destination: 'soc' } }),
  'GET /api/v1/rules': () => ({ path: '/api/v1/rules' }),
  'GET /api/v1/rules/{id}': () => ({ path: '/api/v1/rules/Netstat.UnexpectedPort?days=7' }),
  'POST /api/v1/rules/{id}/test': () => ({ path: '/api/v1/rules/Netstat.UnexpectedPort/test' }),
  'POST /api/v1/rules/test': () => ({
    path: '/api/v1/rules/test',
    body: { yaml: BACKTEST['each.yml'], code: BACKTEST['each.py'] },
  }),
  'POST /api/v1/rules': () => ({ path: '/api/v1/rules', body: { yaml: BACKTEST['each.yml'], code: BACKTEST['each.py'] } }),
  // The revision is an old one.
  'PUT /api/v1/rules/{id}': () => ({
    path: '/api/v1/rules/Netstat.UnexpectedPort',
    body: { yaml: 'RuleID: Netstat.UnexpectedPort\n', revision: '0' },
    status: 409,
  }),
  'PATCH /api/v1/rules/{id}': () => ({ path: '/api/v1/rules/Netstat.UnexpectedPort', body: { enabled: true } }),
  // It is in a shipped pack.
  'DELETE /api/v1/rules/{id}': () => ({ path: '/api/v1/rules/Netstat.UnexpectedPort', status: 400 }),
  'GET /api/v1/rules/{id}/versions': () => ({ path: '/api/v1/rules/Netstat.UnexpectedPort/versions?limit=1' }),
  'GET /api/v1/rules/{id}/versions/{number}': () => ({ path: '/api/v1/rules/Netstat.UnexpectedPort/versions/1' }),
  // It is like this already.
  'POST /api/v1/rules/{id}/versions/{number}/restore': () => ({
    path: '/api/v1/rules/Netstat.UnexpectedPort/versions/1/restore',
    body: { revision: '0' },
    status: 400,
  }),
  'GET /api/v1/schemas': () => ({ path: '/api/v1/schemas?limit=5' }),
  'GET /api/v1/schemas/{name}': () => ({ path: '/api/v1/schemas/Custom.Netstat' }),
  'GET /api/v1/schemas/{name}/unknown-fields': () => ({ path: '/api/v1/schemas/Custom.Netstat/unknown-fields' }),
  // No event has such a field.
  'POST /api/v1/schemas/{name}/unknown-fields': () => ({
    path: '/api/v1/schemas/Custom.Netstat/unknown-fields',
    body: { fields: ['nothing'] },
    status: 400,
  }),
  'POST /api/v1/schemas/infer': () => ({
    path: '/api/v1/schemas/infer',
    body: { name: 'Custom.Door', sample: '{"door": "front", "n": 7}\n{"door": "back", "n": "x"}\n' },
  }),
  'POST /api/v1/schemas/test': () => ({
    path: '/api/v1/schemas/test',
    body: {
      yaml: DOOR,
      tests: 'name: reads\ninput: \'{"door": "front"}\'\nresult: {door: front}\n',
      sample: '{"door": 1}\n',
    },
  }),
  'POST /api/v1/schemas': () => ({ path: '/api/v1/schemas', body: { yaml: DOOR } }),
  // The revision is an old one.
  'PUT /api/v1/schemas/{name}': () => ({
    path: '/api/v1/schemas/Custom.Netstat',
    body: { yaml: DOOR.replace('Door', 'Netstat'), revision: '0' },
    status: 409,
  }),
  'GET /api/v1/destinations': () => ({ path: '/api/v1/destinations' }),
  'GET /api/v1/destinations/kinds': () => ({ path: '/api/v1/destinations/kinds' }),
  'POST /api/v1/destinations/{id}/test': () => ({ path: '/api/v1/destinations/soc/test?severity=LOW' }),
  'GET /api/v1/sources/{id}': () => ({ path: '/api/v1/sources/web' }),
  'GET /api/v1/coverage': () => ({ path: '/api/v1/coverage' }),
  'GET /api/v1/content': () => ({ path: '/api/v1/content' }),
  'POST /api/v1/content/reload': () => ({ path: '/api/v1/content/reload?by=ana' }),
  'GET /api/v1/content/history': () => ({ path: '/api/v1/content/history?limit=1' }),
  'GET /api/v1/content/history/{generation}': () => ({ path: '/api/v1/content/history/1' }),
  'POST /api/v1/content/undo': async () => {
    const yaml = BACKTEST['each.yml'].replace(/RuleID: .*/, 'RuleID: Contract.Undone').replace('each.py', 'undone.py')
    const saved = await request('POST', '/api/v1/rules', { body: { yaml, code: BACKTEST['each.py'] } })
    expect(saved.status).toBe(200)
    return { path: '/api/v1/content/undo', body: {} }
  },
  'POST /api/v1/replays': () => ({ path: '/api/v1/replays', body: { kind: 'dead-letters', dry_run: true } }),
  'GET /api/v1/replays': () => ({ path: '/api/v1/replays' }),
  'GET /api/v1/replays/{id}': async () => ({ path: `/api/v1/replays/${await replay()}` }),
  'DELETE /api/v1/replays/{id}': async () => ({ path: `/api/v1/replays/${await replay()}` }),
  'POST /api/v1/backtests': () => ({ path: '/api/v1/backtests', body: { files: BACKTEST, ...day } }),
  'POST /api/v1/backups': () => ({ path: '/api/v1/backups', body: { folder: join(folder, `backup-${Date.now()}`) } }),
  'GET /api/v1/retention': () => ({ path: '/api/v1/retention' }),
  'GET /api/v1/archive': () => ({ path: '/api/v1/archive?log_type=Custom.Netstat&from=2024-01-01&to=2024-01-02' }),
  'GET /api/v1/archive/restores': () => ({ path: '/api/v1/archive/restores' }),
  // Nothing is archived yet.
  'POST /api/v1/archive/restores': () => ({
    path: '/api/v1/archive/restores',
    body: { log_type: 'Custom.Netstat', from: '2024-01-01', to: '2024-01-02' },
    status: 409,
  }),
  'GET /api/v1/archive/restores/{id}': () => ({ path: '/api/v1/archive/restores/none', status: 404 }),
  'POST /api/v1/deletions': () => ({
    path: '/api/v1/deletions',
    body: { indicator: 'nobody.at.all', reason: 'a test', dry_run: true },
  }),
  'GET /api/v1/deletions/{id}': async () => {
    const body = { indicator: 'nobody.at.all', reason: 'a test', dry_run: true }
    const path = `/api/v1/deletions/${await until(() => idOf('/api/v1/deletions', body, 'id'))}`
    // One runs at a time, and the next example is one, too.
    await until(async () => ((await (await request('GET', path)).json()) as { state: string }).state !== 'running' || undefined)
    return { path }
  },
  'GET /api/v1/me': () => ({ path: '/api/v1/me' }),
  'GET /api/v1/tokens': () => ({ path: '/api/v1/tokens' }),
  'POST /api/v1/tokens': () => ({ path: '/api/v1/tokens', body: { name: 'more', role: 'analyst', cidrs: ['192.0.2.0/24'] } }),
  'POST /api/v1/tokens/{id}/revoke': async () => {
    await made('/api/v1/tokens', { name: 'revoked', role: 'viewer' })
    return { path: '/api/v1/tokens/revoked/revoke' }
  },
  'GET /api/v1/sign-in': () => ({ path: '/api/v1/sign-in' }),
  'POST /api/v1/sign-in': () => ({ path: '/api/v1/sign-in', body: person }),
  // No password came before.
  'POST /api/v1/sign-in/code': () => ({ path: '/api/v1/sign-in/code', body: { code: '123456' }, status: 401 }),
  'POST /api/v1/sign-in/link': async () => ({
    path: '/api/v1/sign-in/link',
    body: { code: await linkFor(another()), password: PASSWORD },
  }),
  'POST /api/v1/sign-out': () => ({ path: '/api/v1/sign-out' }),
  'GET /api/v1/me/sessions': () => ({ path: '/api/v1/me/sessions' }),
  'DELETE /api/v1/me/sessions': async () => {
    await signIn()
    return { path: '/api/v1/me/sessions' }
  },
  'DELETE /api/v1/me/sessions/{id}': async () => {
    await signIn()
    const { results } = (await (await request('GET', '/api/v1/me/sessions')).json()) as {
      results: { session_id: string; is_current: boolean }[]
    }
    return { path: `/api/v1/me/sessions/${results.find(({ is_current }) => !is_current)!.session_id}` }
  },
  'POST /api/v1/me/password': () => ({
    path: '/api/v1/me/password',
    body: { current_password: PASSWORD, new_password: PASSWORD },
  }),
  'POST /api/v1/me/second-factor': () => ({ path: '/api/v1/me/second-factor', body: { password: PASSWORD } }),
  // The code is wrong.
  'POST /api/v1/me/second-factor/confirm': () => ({
    path: '/api/v1/me/second-factor/confirm',
    body: { code: '12' },
    status: 403,
  }),
  'POST /api/v1/me/second-factor/remove': () => ({ path: '/api/v1/me/second-factor/remove', body: { password: PASSWORD } }),
  'GET /api/v1/me/tokens': () => ({ path: '/api/v1/me/tokens' }),
  'POST /api/v1/me/tokens': () => ({ path: '/api/v1/me/tokens', body: { name: 'laptop', role: 'viewer' } }),
  'POST /api/v1/me/tokens/{id}/revoke': async () => {
    await made('/api/v1/me/tokens', { name: 'phone', role: 'viewer' })
    return { path: '/api/v1/me/tokens/phone/revoke' }
  },
  'GET /api/v1/users': () => ({ path: '/api/v1/users' }),
  'POST /api/v1/users': () => ({
    path: '/api/v1/users',
    body: { email: another(), role: 'viewer', log_types: ['Nginx.*'] },
  }),
  // There are users.
  'POST /api/v1/users/first-link': () => ({ path: '/api/v1/users/first-link', status: 409 }),
  'PATCH /api/v1/users/{id}': async () => {
    const email = another()
    await linkFor(email)
    return { path: `/api/v1/users/${email}`, body: { role: 'analyst' } }
  },
  'DELETE /api/v1/users/{id}': async () => {
    const email = another()
    await linkFor(email)
    return { path: `/api/v1/users/${email}` }
  },
  'POST /api/v1/users/{id}/reset': async () => {
    const email = another()
    await linkFor(email)
    return { path: `/api/v1/users/${email}/reset`, body: { second_factor: true } }
  },
  'DELETE /api/v1/users/{id}/sessions': async () => {
    const email = another()
    await linkFor(email)
    return { path: `/api/v1/users/${email}/sessions` }
  },
  'GET /api/v1/audit': () => ({ path: '/api/v1/audit?limit=5' }),
}

const DOOR = 'schema: Custom.Door\nfields:\n  - name: door\n    type: string\n'

const BACKTEST = {
  'each.yml':
    'AnalysisType: rule\nRuleID: Try.Each\nFilename: each.py\nEnabled: true\nLogTypes: [Custom.Netstat]\nSeverity: Low\n',
  'each.py': 'def rule(event):\n    return True\n',
}

/** The id of a query that has ended. */
const query = async () => {
  const id = await idOf('/api/v1/queries', { sql: 'SELECT 1 AS one' }, 'id')
  await request('GET', `/api/v1/queries/${id}?wait_ms=30000`)
  return id
}

/** The id of a new source. */
const source = async () => {
  const id = another().split('@')[0]
  await made('/api/v1/sources', { source: { type: 'http', id } })
  return id
}

const replay = () => idOf('/api/v1/replays', { kind: 'dead-letters', dry_run: true }, 'id')

beforeAll(async () => {
  mkdirSync(join(folder, 'content'))
  writeFileSync(join(folder, 'content/hosts.csv'), 'address,owner\n192.0.2.1,ana\n')
  writeFileSync(
    join(folder, 'content/hosts.yml'),
    'AnalysisType: lookup_table\nLookupName: hosts\nFilename: hosts.csv\nLogTypeMap:\n  PrimaryKey: address\n  AssociatedLogTypes:\n    - { LogType: Custom.Netstat, Selectors: [local_address] }\n',
  )
  writeFileSync(
    join(folder, 'content/open-ports.yml'),
    "AnalysisType: saved_query\nQueryName: Open ports\nQuery: SELECT local_address FROM custom_netstat WHERE p_occurs_since('1 day')\n",
  )
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Netstat'] }],
    destinations: [{ type: 'stdout', id: 'soc' }],
    retention: { archive: { folder: join(folder, 'archive') } },
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
  const events = [21, 6667, 31337, 4444].map((listening) => {
    const event = { protocol: 'tcp', local_address: `0.0.0.0:${listening}`, foreign_address: '0.0.0.0:*', state: 'LISTEN' }
    return JSON.stringify(event)
  })
  await caracal.fetch('/ingest/web', { method: 'POST', body: `${events.join('\n')}\n` })
  alerts = await until(async () => {
    const { results } = (await (await request('GET', '/api/v1/alerts')).json()) as { results: { alert_id: string }[] }
    return results.length >= events.length ? results.map(({ alert_id }) => alert_id) : undefined
  })
  for (const role of ['viewer', 'ingest'] as const)
    tokens[role] = (await made<{ token: string }>('/api/v1/tokens', { name: role, role })).token
  await made('/api/v1/sign-in/link', { code: await linkFor(person.email, 'admin'), password: PASSWORD })
  cookie = await signIn()
  const { paths } = (await (await request('GET', '/api/v1/openapi.json')).json()) as {
    paths: Record<string, Record<string, Operation>>
  }
  operations = Object.fromEntries(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation]),
    ),
  )
})
afterAll(async () => {
  expect(await caracal.end('SIGTERM')).toBe(0)
  rmSync(folder, { recursive: true, force: true })
})

/** What the description says about an answer, and the answer does not do. */
async function breaches(operation: Operation, response: Response): Promise<string[]> {
  const described = operation.responses[response.status]
  const text = await textOf(response)
  if (!described) return [`status ${response.status} is not described: ${text.slice(0, 300)}`]
  const [type, { schema }] = Object.entries(described.content ?? {})[0] ?? ['', { schema: {} }]
  if (!response.headers.get('content-type')?.startsWith(type)) return [`content type ${response.headers.get('content-type')}`]
  if (!/^application\/(problem\+)?json$/.test(type)) return []
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  const isValid = ajv.compile(schema)
  const value = JSON.parse(text) as object
  if (isValid(value)) return []
  return (isValid.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}: ${text.slice(0, 300)}`)
}

/** A failed call's answer, whose body must be problem details. */
async function failure(response: Response): Promise<{ status: number; body: Problem }> {
  const body = (await response.json()) as Problem
  expect(response.headers.get('content-type')).toBe(PROBLEM_TYPE)
  expect(body).toEqual(problemOf(response.status, body.code, body.detail))
  return { status: response.status, body }
}
const filled = (path: string) => path.replaceAll(/\{\w+\}/g, 'ffffffffffffffff')
const parts = (name: string) => name.split(' ') as [method: string, path: string]

test('there is an example of each operation, and of no other', () => {
  const described = Object.keys(operations)
  expect(Object.keys(EXAMPLES).sort()).toEqual(described.sort())
})

describe.each(Object.keys(EXAMPLES))('%s', (name) => {
  const [method, path] = parts(name)

  test('succeeds as it is described', async () => {
    const { path: called, body, status } = await EXAMPLES[name]!()
    const response = await request(method, called, { ...(body && { body }) })
    expect([response.status < 300 ? 200 : response.status, await breaches(operations[name]!, response)]).toEqual([
      status ?? 200,
      [],
    ])
  })

  test('is refused without a token and to one that may only send logs', async () => {
    if (OPEN.includes(name)) return
    for (const [token, status, code] of [
      ['', 401, 'unauthorized'],
      ['wrong', 401, 'unauthorized'],
      [tokens.ingest, 403, 'forbidden'],
    ] as const) {
      const answer = await failure(await request(method, filled(path), { token }))
      expect(answer).toMatchObject({ status, body: { code, detail: expect.stringMatching(/\S/) } })
    }
  })

  test('refuses parameters and bodies that it does not know', async () => {
    const { parameters = [], requestBody } = operations[name]!
    const required = parameters.filter((one) => one.in === 'query' && one.required).map((one) => `${one.name}=x&`)
    const answer = await failure(await request(method, `${filled(path)}?${required.join('')}nonsense=1`))
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request', detail: expect.stringContaining('nonsense') } })
    if (requestBody) {
      for (const body of [{ nonsense: 1 }, [], '{"broken":', 'null'])
        expect(await failure(await request(method, filled(path), { body }))).toMatchObject({ status: 400 })
      const form = await caracal.fetch(filled(path), { method, body: new URLSearchParams({ a: 'b' }) })
      expect((await failure(form)).status).toBe(415)
    }
  })

  test('says so if what its path names does not exist', async () => {
    if (!path.includes('{')) return
    const { body } = await EXAMPLES[name]!()
    const query = path.endsWith('/row') ? '?key=x' : path.endsWith('/diff') ? '?before=1' : ''
    const answer = await failure(await request(method, filled(path) + query, { ...(body && { body }) }))
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found', detail: expect.stringContaining('ffffffff') } })
  })
})
