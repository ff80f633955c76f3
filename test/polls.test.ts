import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PRESETS } from '../src/stages/source/poll/presets.ts'
import { TestApi } from './support/api.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { until } from './support/until.ts'
import { SECRET, VendorApis, vendorSources } from './support/vendor-apis.ts'

/** The whole program with a source of each preset, and the services that they poll. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-polls-'))
let api: TestApi
let vendors: VendorApis
let caracal: Caracal
let secrets = 0

function secret(text: string): object {
  const file = join(folder, `secret-${secrets++}`)
  writeFileSync(file, text)
  return { file }
}

beforeAll(async () => {
  api = await TestApi.create()
  vendors = new VendorApis(api.server.url)
  api.answer = (request) => vendors.answer(request)
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    sources: vendorSources(api.server.url, secret),
    flush_ms: 200,
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
}, 60_000)
afterAll(async () => {
  await caracal.end('SIGKILL')
  await api.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Rows by source and log type: how many, and how many different ones. */
async function rows(): Promise<Map<string, readonly [number, number]>> {
  const sql = 'SELECT p_source_id, p_log_type, count(), uniqExact(p_row_id) FROM logs.all GROUP BY 1, 2'
  return new Map((await caracal.query(sql)).map(([source, type, n, ids]) => [`${source} ${type}`, [Number(n), Number(ids)]]))
}

/** What is stored once everything that happened so far is. */
const stored = (events: number) =>
  new Map([
    ['okta Okta.SystemLog', [events, events]],
    ['org GitHub.Audit', [events, events]],
    ['enterprise GitHub.Audit', [events, events]],
    ['google GSuite.ActivityEvent', [4 * events, 4 * events]],
    ['m365 Microsoft365.Audit.Exchange', [events, events]],
    ['m365 Microsoft365.Audit.General', [events, events]],
    ['entra Azure.Audit', [2 * events, 2 * events]],
    ['slack Slack.AuditLogs', [events, events]],
    ['onepassword OnePassword.SignInAttempt', [events, events]],
    ['onepassword OnePassword.ItemUsage', [events, events]],
    ['onepassword OnePassword.AuditEvent', [events, events]],
    ['cloudflare Cloudflare.Audit', [events, events]],
  ])

interface Shown {
  id: string
  records: { received: number; stored: number; dead_lettered: number }
  problems?: string[]
  notices?: string[]
}
const sources = async () => ((await (await caracal.fetch('/api/v1/sources')).json()) as { results: Shown[] }).results

async function settle(events: number): Promise<void> {
  const wanted = [...stored(events).values()].reduce((sum, [n]) => sum + n!, 0)
  await until(async () => {
    const found = await rows()
    return [...found.values()].reduce((sum, [n]) => sum + n, 0) >= wanted ? true : undefined
  })
  expect(await rows()).toEqual(stored(events))
}

describe('a source of each preset stores what its service has', { shuffle: false, timeout: 120_000 }, () => {
  test('there is a source of each preset', () => {
    const used = vendorSources('', () => ({})).map((source) => (source as { preset: string }).preset)
    expect(used.sort()).toEqual([...PRESETS])
  })

  test('page by page, after a first answer of 429', async () => {
    for (const list of Object.values(vendors.lists)) list.add(8)
    await caracal.start()
    await settle(8)
    const dead = (await sources()).filter(({ records }) => records.dead_lettered > 0)
    expect(dead).toEqual([])
  })

  test('in the form that the schemas describe', async () => {
    const text = (column: string, member: string) => `JSONExtractString(toString(${column}), '${member}')`
    const [google] = await caracal.query(
      `SELECT ipAddress, ${text('id', 'applicationName')}, ${text('actor', 'email')}, toString(parameters) FROM logs.gsuite_activityevent
       WHERE name = 'login_failure' LIMIT 1`,
    )
    expect(google!.slice(0, 3)).toEqual(['192.0.2.44', 'login', 'alice@example.com'])
    expect(JSON.parse(String(google![3]))).toEqual({
      login_type: 'google_password',
      is_suspicious: false,
      login_challenge_method: ['password'],
    })
    const azure = `SELECT DISTINCT category, operationName, callerIpAddress, identity, ${text('properties', 'userPrincipalName')}
      FROM logs.azure_audit ORDER BY 1`
    expect(await caracal.query(azure)).toEqual([
      ['AuditLogs', 'Add user', '192.0.2.44', 'Alice', ''],
      ['SignInLogs', 'Sign-in activity', '192.0.2.44', 'Alice Example', 'alice@example.com'],
    ])
    expect(await caracal.query('SELECT DISTINCT ActionType, ActorEmail, ResourceType FROM logs.cloudflare_audit')).toEqual([
      ['rec_add', 'alice@example.com', 'DNS_record'],
    ])
  })

  test('again and again, while polls overlap and tokens are revoked', async () => {
    vendors.token = 2
    for (const list of Object.values(vendors.lists)) list.add(4)
    await settle(12)
  })

  test('once each, although it is killed in the middle', async () => {
    for (const list of Object.values(vendors.lists)) list.add(40)
    const total = async () => [...(await rows()).values()].reduce((sum, [n]) => sum + n, 0)
    const before = [...stored(12).values()].reduce((sum, [n]) => sum + n!, 0)
    await until(async () => ((await total()) > before ? true : undefined))
    expect(await caracal.end('SIGKILL')).toBe('SIGKILL')
    for (const list of Object.values(vendors.lists)) list.add(4)
    await caracal.start()
    await settle(56)
  })

  test('and shows why if it cannot, without the secret', async () => {
    const { answer } = api
    api.answer = (request) =>
      request.path.startsWith('/slack') ? { status: 403, json: { ok: false, error: 'missing_scope' } } : answer(request)
    const found = await until(async () => {
      const slack = (await sources()).find(({ id }) => id === 'slack')!
      return JSON.stringify(slack).includes('missing_scope') ? JSON.stringify(slack) : undefined
    })
    expect(found).toContain('answered 403 (missing_scope): check what the credentials may read')
    expect(found + caracal.output).not.toContain(SECRET)
  })
})
