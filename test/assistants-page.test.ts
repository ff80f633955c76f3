import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { until } from './support/until.ts'

/** docs/assistants.md, with the command that it configures, as a program starts it. */
const page = readFileSync(join(packageRoot(), 'docs/assistants.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'caracal-assistants-'))
let caracal: Caracal

beforeAll(async () => {
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: 'data',
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Netstat'] }],
    destinations: [],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
})
afterAll(async () => {
  await caracal.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

async function assistant(...more: string[]): Promise<Client> {
  const [, json] = /```json\n(\{"mcpServers": \{"caracal": \{"command".*)\n```/.exec(page)!
  const { command, args } = (JSON.parse(json!) as { mcpServers: { caracal: { command: string; args: string[] } } }).mcpServers
    .caracal
  expect(command).toBe('caracal')
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(packageRoot(), 'bin/caracal.js'), ...args, ...more],
    cwd: folder,
  })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(transport)
  return client
}

const textOf = async (client: Client, name: string, input: Record<string, unknown>) =>
  ((await client.callTool({ name, arguments: input })).content as { text: string }[])[0]!.text

test('the command of the page gives the tools of the page, and an alert is read and closed with them', async () => {
  const event = { protocol: 'tcp', local_address: '0.0.0.0:21', foreign_address: '0.0.0.0:*', state: 'LISTEN' }
  const sent = await caracal.fetch('/ingest/web', { method: 'POST', body: `${JSON.stringify(event)}\n` })
  expect(sent.status).toBe(202)
  const client = await assistant('--write')
  const described = [...page.slice(page.indexOf('## The tools')).matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names]) =>
    [...names!.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  )
  const tools = (await client.listTools()).tools.map(({ name }) => name)
  expect(tools.sort()).toEqual(described.sort())
  const id = await until(async () => {
    const { results } = JSON.parse(await textOf(client, 'list_alerts', {})) as { results: { alert_id: string }[] }
    return results[0]?.alert_id
  })
  expect(await textOf(client, 'get_alert', { id })).toContain('Unexpected Port Opened')
  expect(JSON.parse(await textOf(client, 'change_alert', { id, status: 'CLOSED' }))).toMatchObject({ status: 'CLOSED' })
  const rows = await textOf(client, 'query', { sql: 'SELECT count() AS n FROM logs.custom_netstat' })
  expect(JSON.parse(rows)).toMatchObject({ rows: [[1]] })
  await client.close()
})

test('without --write nothing can be changed', async () => {
  const client = await assistant()
  const tools = (await client.listTools()).tools
  expect(tools.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true)
  await expect(client.callTool({ name: 'change_alert', arguments: { id: '0000', status: 'CLOSED' } })).rejects.toThrow(
    'not found',
  )
  await client.close()
})
