import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { alertId, type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { Refused } from '../../util/errors.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine
const clients: Client[] = []
const [web, conn] = [alertId(1), alertId(2)]

beforeEach(async () => {
  engine = await fakeEngine()
  await engine.addAlert({ alertId: web }, { logTypes: ['Nginx.Access'], title: 'a scan' })
  await engine.addAlert({ alertId: conn }, { logTypes: ['Zeek.Conn'], title: 'a zeek secret' })
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  await engine.dispose()
})

/** The official client, which speaks to the app without a port. */
async function connected(path: string, token = TOKEN, mode: 'auto' | 'legacy' = 'auto'): Promise<Client> {
  const app = createApp(engine)
  const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:4848${path}`), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    fetch: async (url, init) => app.request(String(url), init as RequestInit),
  })
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  clients.push(client)
  await client.connect(transport)
  return client
}

async function asked(client: Client, name: string, input: Record<string, unknown>): Promise<{ text: string; isError: boolean }> {
  const { content, isError = false } = await client.callTool({ name, arguments: input })
  const [first] = content as { text: string }[]
  return { text: first!.text, isError }
}

async function tokenFor(role: string, logTypes?: string[]): Promise<string> {
  const response = await createApp(engine).request('/api/v1/tokens', {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: role, role, ...(logTypes && { log_types: logTypes }) }),
  })
  return ((await response.json()) as { token: string }).token
}

const READS = ['list_alerts', 'get_alert', 'query', 'explain', 'indicator_timeline', 'list_rules', 'list_tables', 'get_health']
const WRITES = ['comment_on_alert', 'change_alert']

describe.each(['auto', 'legacy'] as const)('clients of the protocol, %s', (mode) => {
  test('see the tools that read at /mcp, and those that change alerts at /mcp/write', async () => {
    const [reader, writer] = [await connected('/mcp', TOKEN, mode), await connected('/mcp/write', TOKEN, mode)]
    const read = (await reader.listTools()).tools
    expect(read.map(({ name }) => name)).toEqual(expect.arrayContaining(READS))
    expect(read.filter(({ annotations }) => annotations?.readOnlyHint !== true)).toEqual([])
    const all = (await writer.listTools()).tools.map(({ name }) => name)
    expect(all).toEqual([...read.map(({ name }) => name), ...WRITES])
    expect((await asked(reader, 'list_alerts', { severity: ['HIGH', 'INFO', 'LOW', 'MEDIUM', 'CRITICAL'] })).text).toContain(
      'a scan',
    )
  })
})

test('an alert is read, commented and closed, under the name of the token', async () => {
  const client = await connected('/mcp/write', await tokenFor('analyst'))
  expect(JSON.parse((await asked(client, 'get_alert', { id: web })).text)).toMatchObject({ alert_id: web, title: 'a scan' })
  expect(await asked(client, 'comment_on_alert', { id: web, text: 'seen' })).toMatchObject({ isError: false })
  const changed = await asked(client, 'change_alert', { id: web, status: 'CLOSED', reason: 'a test', quality: 'NOISE' })
  expect(JSON.parse(changed.text)).toMatchObject({ status: 'CLOSED', reason: 'a test' })
  const history = JSON.parse((await asked(client, 'get_alert_history', { id: web })).text) as { results: { by: string | null }[] }
  const who = new Set(history.results.map(({ by }) => by))
  // The alert itself was opened by nobody.
  expect(who).toEqual(new Set([null, 'analyst']))
})

test('nobody gets more than by the API itself', async () => {
  const viewer = await connected('/mcp/write', await tokenFor('viewer', ['Nginx.*']))
  const listed = await asked(viewer, 'list_alerts', {})
  expect(listed.text).toContain('a scan')
  expect(listed.text).not.toContain('zeek secret')
  expect(await asked(viewer, 'get_alert', { id: conn })).toMatchObject({ isError: true })
  const refused = await asked(viewer, 'change_alert', { id: web, status: 'CLOSED' })
  expect(refused).toEqual({ isError: true, text: expect.stringContaining('has the role viewer') })
  expect((await engine.read.alert(web))?.status).toBe('OPEN')
})

test('each tool with an example is a call that the API understands', async () => {
  engine.explain = async () => {
    throw new Refused('no such event')
  }
  const client = await connected('/mcp/write')
  const examples: Record<string, Record<string, unknown>> = {
    get_alert: { id: web },
    get_alert_events: { id: web },
    get_alert_history: { id: web },
    related_alerts: { id: web },
    indicator_timeline: { indicator: '192.0.2.1', since: '2024-01-01T00:00:00Z', until: '2024-01-02T00:00:00Z' },
    explain: { rule: 'R', row_id: '00112233445566778899' },
    query: { sql: 'SELECT 1' },
    look_up: { table: 'none', key: 'a b', as_of: '2024-01-01T00:00:00Z' },
    comment_on_alert: { id: web, text: 'x' },
    change_alert: { id: web, status: 'TRIAGED' },
  }
  for (const { name } of (await client.listTools()).tools) {
    const { text } = await asked(client, name, examples[name] ?? {})
    expect([name, text]).toEqual([
      name,
      expect.not.stringMatching(/cannot be used|there is nothing at|internal error|this server|token/),
    ])
  }
})

test('calls without a token, or with a wrong one, are refused before anything is read', async () => {
  for (const path of ['/mcp', '/mcp/write'])
    for (const authorization of ['', 'Bearer wrong']) {
      const response = await createApp(engine).request(path, { method: 'POST', headers: { authorization }, body: '{' })
      expect(response.status).toBe(401)
    }
})

test('tokens that may only send logs get nothing, and nobody gets a stream that stays open', async () => {
  const call = (token: string, body: object) =>
    createApp(engine).request('/mcp', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
    })
  expect((await call(await tokenFor('ingest'), { method: 'tools/list', params: {} })).status).toBe(403)
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const listening = await call(TOKEN, {
    method: 'subscriptions/listen',
    params: { notifications: { toolsListChanged: true }, _meta: envelope },
  })
  expect(await listening.text()).toContain('error')
  expect((await createApp(engine).request('/mcp', { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(405)
})

test('arguments that do not fit are said to be so, and a path cannot leave its place', async () => {
  const client = await connected('/mcp')
  for (const [name, input] of [
    ['get_alert', { id: '../tokens' }],
    ['look_up', { table: '../../tokens', key: 'x' }],
    ['list_alerts', { sverity: ['HIGH'] }],
  ] as const)
    expect(await asked(client, name, input)).toMatchObject({ isError: true })
  expect(await asked(client, 'look_up', { table: 'x', key: 'a&as_of=now#' })).toMatchObject({ isError: true })
})
