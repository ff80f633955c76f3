import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { inPages } from './support/pages.ts'
import { until } from './support/until.ts'

/** The real program: what docs/accounts.md says, and where secrets are. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-accounts-'))
const dataDir = join(folder, 'data')
const page = readFileSync(join(import.meta.dirname, '../docs/accounts.md'), 'utf8')
/** Every secret that was created. */
const secrets: string[] = []
let caracal: Caracal
let flags: string[]

const RULE = `AnalysisType: rule
RuleID: Token.Created
Filename: token_created.py
Enabled: true
Severity: High
LogTypes: [Caracal.Audit]
`

async function cli(...argv: string[]): Promise<string> {
  const { code, out, err } = await runWith({}, [...argv, ...flags])
  expect([argv, code, err.startsWith('error')]).toEqual([argv, 0, false])
  const secret = /caracal_[\w-]{43}/.exec(out)?.[0]
  if (secret) secrets.push(secret)
  return out
}

const as = (secret: string, path: string, body?: object) =>
  caracal.fetch(path, {
    headers: { authorization: `Bearer ${secret}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  })

beforeAll(async () => {
  const port = await freePort()
  mkdirSync(join(folder, 'content'))
  writeFileSync(join(folder, 'content/token_created.yml'), RULE)
  writeFileSync(join(folder, 'content/token_created.py'), /```python\n([\s\S]*?)```/.exec(page)![1]!)
  const config = { listen: `127.0.0.1:${port}`, data_dir: dataDir, destinations: [] }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir, cwd: folder, args: ['--no-demo'] })
  await caracal.start()
  flags = ['--config', join(folder, 'caracal.yml')]
}, 120_000)
afterAll(async () => {
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

describe('accounts', { shuffle: false, timeout: 120_000 }, () => {
  test('every command of docs/accounts.md runs', async () => {
    const commands = [...page.matchAll(/^ {4}caracal (.*?)(?: +#.*)?$/gm)].map(([, rest]) => words(rest!))
    expect(commands.length).toBeGreaterThan(4)
    // The lake has the audit's table once the first token has been created.
    for (const argv of commands) await cli(...argv)
    const token = readFileSync(join(dataDir, 'token'), 'utf8').trim()
    const calls = [...page.matchAll(/^ {4}(curl [\s\S]*?[^\\])$(?=\n {4}curl|\n\n|\n?$(?![\s\S]))/gm)].map(([, text]) => text!)
    expect(calls.length).toBeGreaterThan(3)
    for (const text of calls) {
      const command = text
        .replaceAll('127.0.0.1:4848', `127.0.0.1:${caracal.port}`)
        .replace('curl ', 'curl -sS --fail-with-body ')
      const { stdout } = await promisify(execFile)('bash', ['-c', command], { env: { ...process.env, TOKEN: token } })
      expect(() => JSON.parse(stdout)).not.toThrow()
      const secret = /caracal_[\w-]{43}/.exec(stdout)?.[0]
      if (secret) secrets.push(secret)
    }
  })

  test('a token for sending sends, and one for reading does not', async () => {
    const sender = (await cli('tokens', 'create', 'shipper', '--role', 'ingest')).trim()
    const reader = (await cli('tokens', 'create', 'reader', '--role', 'viewer')).trim()
    const send = async (secret: string, logType: string) => {
      const body = `${JSON.stringify({ p_log_type: logType, time: '2024-01-01T00:00:00Z' })}\n`
      return (await caracal.fetch('/ingest/default', { method: 'POST', body, headers: { authorization: `Bearer ${secret}` } }))
        .status
    }
    expect([await send(sender, 'Nginx.Access'), await send(reader, 'Nginx.Access'), await send('x', 'Nginx.Access')]).toEqual([
      202, 403, 401,
    ])
    const elsewhere = (await cli('tokens', 'create', 'elsewhere', '--role', 'ingest', '--cidr', '10.0.0.0/8')).trim()
    expect(await send(elsewhere, 'Nginx.Access')).toBe(403)
    // Some protocols have the token in a header of their own.
    const deliver = (secret: string) =>
      fetch(`http://127.0.0.1:${caracal.port}/ingest/default`, {
        method: 'POST',
        headers: {
          'x-amz-firehose-protocol-version': '1.0',
          'x-amz-firehose-access-key': secret,
          'x-amz-firehose-request-id': 'r',
          'content-type': 'application/json',
        },
        body: JSON.stringify({ requestId: 'r', timestamp: 1, records: [{ data: Buffer.from('{"a":1}').toString('base64') }] }),
      })
    expect([(await deliver(sender)).status, (await deliver(elsewhere)).status, (await deliver(reader)).status]).toEqual([
      200, 401, 401,
    ])
    expect((await as(sender, '/api/v1/alerts')).status).toBe(403)
    expect((await as(reader, '/api/v1/alerts')).status).toBe(200)
  })

  test('a narrowed token sees events of its log types only', async () => {
    const web = (await cli('tokens', 'create', 'web', '--role', 'viewer', '--log-type', 'Nginx.*')).trim()
    const ask = async (sql: string) => (await as(web, '/api/v1/query', { sql })).status
    expect(await ask('SELECT count() FROM logs.all')).toBe(200)
    expect(await ask('SELECT * FROM logs.caracal_audit')).toBe(400)
    expect(await ask('SELECT * FROM caracal_audit')).toBe(400)
    expect((await as(web, '/api/v1/sources')).status).toBe(403)
    expect((await as(web, '/api/v1/timeline?indicator=cli')).status).toBe(200)
    expect(await (await as(web, '/api/v1/timeline?indicator=cli&kind=user')).json()).toMatchObject({ results: [] })
  })

  test('what was done and refused is in the audit, and a rule watches it', async () => {
    const entries = async () => {
      const { results } = (await (await caracal.fetch('/api/v1/audit?limit=1000')).json()) as {
        results: { audit_event: string; caller: string | null; operation: string; detail: { body: { name: string } } }[]
      }
      return results
    }
    const created = await until(async () => {
      const all = (await entries()).filter(({ operation }) => operation === 'POST /api/v1/tokens')
      return all.some(({ detail }) => detail?.body.name === 'web') ? all : undefined
    })
    const pages = await inPages(caracal, '/api/v1/audit?limit=2&event=change')
    expect(pages).toEqual((await entries()).filter(({ audit_event }) => audit_event === 'change'))
    expect(created[0]).toMatchObject({ audit_event: 'change', caller: 'cli', detail: { body: { role: 'viewer' } } })
    expect((await entries()).filter(({ audit_event }) => audit_event === 'refused')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ caller: 'shipper', operation: 'GET /api/v1/alerts', status: 403 }),
        expect.objectContaining({ caller: 'web', operation: 'GET /api/v1/sources' }),
      ]),
    )
    const alert = await until(async () => {
      const { results } = (await (await caracal.fetch('/api/v1/alerts')).json()) as {
        results: { title: string; log_types: string[] }[]
      }
      return results.find(({ title }) => title === 'cli created a token')
    })
    expect(alert.log_types).toEqual(['Caracal.Audit'])
    expect((await caracal.fetch('/ingest/caracal-audit', { method: 'POST', body: '{}' })).status).toBe(404)
  })

  test('no secret is in a file of the data folder, a response or the log', async () => {
    expect(secrets.length).toBeGreaterThan(4)
    await caracal.query('SELECT 1')
    const texts = [caracal.output]
    for (const path of [
      'tokens',
      'audit?limit=1000',
      'me',
      'alerts',
      'sources',
      'health',
      'rules',
      'content/history',
      'dead-letters',
    ])
      texts.push(await (await caracal.fetch(`/api/v1/${path}`)).text())
    texts.push(await (await caracal.fetch('/metrics')).text())
    const machine = readFileSync(join(dataDir, 'token'), 'utf8').trim()
    for (const secret of [...secrets, machine]) expect(texts.filter((text) => text.includes(secret))).toEqual([])
    expect(await caracal.end('SIGTERM')).toBe(0)
    const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter((file) =>
      statSync(join(dataDir, file)).isFile(),
    )
    for (const file of files) {
      const bytes = readFileSync(join(dataDir, file))
      for (const secret of [...secrets, ...(file === 'token' ? [] : [machine])])
        expect([file, bytes.includes(secret)]).toEqual([file, false])
    }
  })
})

/** The words of a command line, without their quotes. */
function words(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare!)
}
