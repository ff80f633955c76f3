import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { until } from './support/until.ts'

/** Every operation of the API's own description, called on the real program: each answer is what the description says. */

interface Parameter {
  readonly in: 'path' | 'query' | 'header'
  readonly name: string
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
  return caracal.fetch(path, {
    method,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: token && `Bearer ${token}` }),
    },
  })
}

async function made<T>(path: string, body: object): Promise<T> {
  return (await (await request('POST', path, { body })).json()) as T
}

const later = () => new Date(Date.now() + 3_600_000).toISOString()
const mute = (body = {}) => ({ match: { rule: 'Nothing.*' }, owner: 'ana', reason: 'a test', expires: later(), ...body })
const day = { from: '2024-01-01T00:00:00Z', to: '2024-01-02T00:00:00Z' }
const idOf = async (path: string, body: object, key: string) => (await made<Record<string, string>>(path, body))[key]

/** One call of each operation that succeeds, or says why it cannot. */
const EXAMPLES: Readonly<Record<string, () => Call | Promise<Call>>> = {
  'GET /api/v1/health': () => ({ path: '/api/v1/health' }),
  'GET /api/v1/alerts': () => ({ path: '/api/v1/alerts?severity=HIGH&severity=INFO&status=OPEN&limit=5' }),
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
  'GET /api/v1/mutes': () => ({ path: '/api/v1/mutes?state=all' }),
  'POST /api/v1/mutes': () => ({ path: '/api/v1/mutes', body: mute() }),
  'GET /api/v1/mutes/{id}': async () => ({ path: `/api/v1/mutes/${await idOf('/api/v1/mutes', mute(), 'mute_id')}` }),
  'POST /api/v1/mutes/{id}/end': async () => ({ path: `/api/v1/mutes/${await idOf('/api/v1/mutes', mute(), 'mute_id')}/end` }),
  'POST /api/v1/query': () => ({ path: '/api/v1/query', body: { sql: 'SELECT count() FROM logs.custom_netstat' } }),
  'GET /api/v1/timeline': () => ({ path: '/api/v1/timeline?indicator=0.0.0.0' }),
  'POST /api/v1/explain': () => ({
    path: '/api/v1/explain',
    body: { rule: 'Netstat.UnexpectedPort', event: { p_log_type: 'Custom.Netstat', local_address: '0.0.0.0:21' } },
  }),
  'GET /api/v1/tables': () => ({ path: '/api/v1/tables' }),
  'GET /api/v1/tables/{name}': () => ({ path: '/api/v1/tables/hosts' }),
  'GET /api/v1/tables/{name}/row': () => ({ path: '/api/v1/tables/hosts/row?key=192.0.2.1' }),
  'GET /api/v1/tables/{name}/diff': () => ({ path: '/api/v1/tables/hosts/diff?before=now' }),
  'POST /api/v1/tables/{name}/refresh': () => ({ path: '/api/v1/tables/hosts/refresh' }),
  'GET /api/v1/sources': () => ({ path: '/api/v1/sources' }),
  // The source is still configured.
  'DELETE /api/v1/sources/{id}/data': () => ({ path: '/api/v1/sources/web/data', status: 409 }),
  'GET /api/v1/dead-letters': () => ({ path: '/api/v1/dead-letters?limit=5' }),
  'GET /api/v1/deliveries': () => ({ path: '/api/v1/deliveries?state=dead' }),
  'POST /api/v1/deliveries/resend': () => ({ path: '/api/v1/deliveries/resend', body: { destination: 'soc' } }),
  'GET /api/v1/rules': () => ({ path: '/api/v1/rules' }),
  'GET /api/v1/content': () => ({ path: '/api/v1/content' }),
  'POST /api/v1/content/reload': () => ({ path: '/api/v1/content/reload?by=ana' }),
  'GET /api/v1/content/history': () => ({ path: '/api/v1/content/history?limit=1' }),
  'GET /api/v1/content/history/{generation}': () => ({ path: '/api/v1/content/history/1' }),
  // There is only one generation.
  'POST /api/v1/content/undo': () => ({ path: '/api/v1/content/undo', body: {}, status: 400 }),
  'POST /api/v1/replays': () => ({ path: '/api/v1/replays', body: { kind: 'dead-letters', dry_run: true } }),
  'GET /api/v1/replays': () => ({ path: '/api/v1/replays' }),
  'GET /api/v1/replays/{id}': async () => ({ path: `/api/v1/replays/${await replay()}` }),
  'DELETE /api/v1/replays/{id}': async () => ({ path: `/api/v1/replays/${await replay()}` }),
  'POST /api/v1/backtests': () => ({ path: '/api/v1/backtests', body: { files: BACKTEST, ...day } }),
  'POST /api/v1/backups': () => ({ path: '/api/v1/backups', body: { folder: join(folder, `backup-${Date.now()}`) } }),
  'GET /api/v1/me': () => ({ path: '/api/v1/me' }),
  'GET /api/v1/tokens': () => ({ path: '/api/v1/tokens' }),
  'POST /api/v1/tokens': () => ({ path: '/api/v1/tokens', body: { name: 'more', role: 'analyst', cidrs: ['192.0.2.0/24'] } }),
  'POST /api/v1/tokens/{id}/revoke': async () => {
    await made('/api/v1/tokens', { name: 'revoked', role: 'viewer' })
    return { path: '/api/v1/tokens/revoked/revoke' }
  },
  'GET /api/v1/audit': () => ({ path: '/api/v1/audit?limit=5' }),
}

const BACKTEST = {
  'each.yml':
    'AnalysisType: rule\nRuleID: Try.Each\nFilename: each.py\nEnabled: true\nLogTypes: [Custom.Netstat]\nSeverity: Low\n',
  'each.py': 'def rule(event):\n    return True\n',
}

const replay = () => idOf('/api/v1/replays', { kind: 'dead-letters', dry_run: true }, 'id')

beforeAll(async () => {
  mkdirSync(join(folder, 'content'))
  writeFileSync(join(folder, 'content/hosts.csv'), 'address,owner\n192.0.2.1,ana\n')
  writeFileSync(
    join(folder, 'content/hosts.yml'),
    'AnalysisType: lookup_table\nLookupName: hosts\nFilename: hosts.csv\nLogTypeMap:\n  PrimaryKey: address\n  AssociatedLogTypes:\n    - { LogType: Custom.Netstat, Selectors: [local_address] }\n',
  )
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Netstat'] }],
    destinations: [{ type: 'stdout', id: 'soc' }],
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
  const text = await response.text()
  if (!described) return [`status ${response.status} is not described: ${text.slice(0, 300)}`]
  const [type, { schema }] = Object.entries(described.content ?? {})[0] ?? ['', { schema: {} }]
  if (!response.headers.get('content-type')?.startsWith(type)) return [`content type ${response.headers.get('content-type')}`]
  if (type !== 'application/json') return []
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  const isValid = ajv.compile(schema)
  const value = JSON.parse(text) as object
  if (isValid(value)) return []
  return (isValid.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}: ${text.slice(0, 300)}`)
}

const failure = async (response: Response) => ({
  status: response.status,
  body: (await response.json()) as { message: string; code: string },
})
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
    expect([response.status < 300 ? 200 : response.status, await breaches(operations[name]!, response.clone())]).toEqual([
      status ?? 200,
      [],
    ])
  })

  test('is refused without a token and to one that may only send logs', async () => {
    for (const [token, status, code] of [
      ['', 401, 'unauthorized'],
      ['wrong', 401, 'unauthorized'],
      [tokens.ingest, 403, 'forbidden'],
    ] as const) {
      const answer = await failure(await request(method, filled(path), { token }))
      expect(answer).toEqual({ status, body: { code, message: expect.stringMatching(/\S/) } })
    }
  })

  test('refuses parameters and bodies that it does not know', async () => {
    const { parameters = [], requestBody } = operations[name]!
    const required = path === '/api/v1/timeline' ? 'indicator=x&' : ''
    if (parameters.some((one) => one.in === 'query')) {
      const answer = await failure(await request(method, `${filled(path)}?${required}nonsense=1`))
      expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request', message: expect.stringContaining('nonsense') } })
    }
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
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found', message: expect.stringContaining('ffffffff') } })
  })
})
