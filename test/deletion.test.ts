import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { configSchema } from '../src/config/config.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { until } from './support/until.ts'

/** A person's data, deleted from the whole program while it runs; killed in the middle of it. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-deletion-'))
const dataDir = join(folder, 'data')
let caracal: Caracal
let flags: string[] = []

/** Random, so that no file contains it by chance, and no compression splits its first occurrence in a block. */
const VALUE = 'qz7vkx0pwm3tj9hr'
const OTHER = 'b2w8ydn5cfu4gsla'

const CONTENT = {
  'login.yml': `schema: Custom.Login
fields:
  - { name: time, type: timestamp, timeFormats: [rfc3339], isEventTime: true }
  - { name: user, type: string, indicators: [username] }
  - { name: ip, type: string, indicators: [ip] }
`,
  'rule.yml': `AnalysisType: rule
RuleID: Each.Login
Filename: rule.py
Enabled: true
LogTypes: [Custom.Login]
Severity: Low
`,
  'rule.py': `def rule(event):
    return True


def title(event):
    return f"Login of {event.get('user')}"


def dedup(event):
    return event.get("user")


def alert_context(event):
    return {"user": event.get("user"), "note": event.get("note")}
`,
}

const send = (records: readonly (object | string)[]) =>
  caracal.fetch('/ingest/web', {
    method: 'POST',
    body: records.map((record) => `${typeof record === 'string' ? record : JSON.stringify(record)}\n`).join(''),
  })
const login = (user: string, n: number) => ({ time: new Date(Date.now() - n).toISOString(), user, ip: '192.0.2.1', n })

async function cli(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  return runWith({}, [...argv, ...flags])
}

/** The files of the data folder that contain the value's bytes. */
function filesWith(value: string): string[] {
  return readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .filter((file) => bytesOf(file).includes(value))
    .map((file) => relative(dataDir, file))
}

/** Files of the lake come and go. */
function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

interface Alert {
  readonly alert_id: string
  readonly title: string
  readonly event_count: number
}
const alerts = async () =>
  ((await (await caracal.fetch('/api/v1/alerts?limit=100')).json()) as { results: Alert[] }).results.filter(({ title }) =>
    title.startsWith('Login'),
  )

beforeAll(async () => {
  const port = await freePort()
  mkdirSync(join(folder, 'content'))
  for (const [name, text] of Object.entries(CONTENT)) writeFileSync(join(folder, 'content', name), text)
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: dataDir,
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Login'] }],
    destinations: [{ type: 'file', id: 'out', path: join(folder, 'alerts.ndjson') }],
    retention: { archive: { folder: join(folder, 'archive') } },
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir, cwd: folder, args: ['--no-demo'] })
  await caracal.start()
  flags = ['--config', join(folder, 'caracal.yml')]
}, 120_000)
afterAll(async () => {
  await caracal.end('SIGKILL')
  process.exitCode = 0
  rmSync(folder, { recursive: true, force: true })
})

describe('a deletion', { shuffle: false, timeout: 240_000 }, () => {
  test('is counted first, and nothing is changed', async () => {
    const records = Array.from({ length: 50 }, (_, n) => login(n % 2 === 0 ? VALUE : OTHER, n))
    expect((await send([...records, `{"user":"${VALUE}"`, { ...login('x', 1), note: VALUE, [VALUE]: 1 }])).status).toBe(202)
    // The table comes with its first rows.
    const stored = () => caracal.query('SELECT count() FROM logs.custom_login').catch(() => [])
    await until(async () => ((await stored())[0]?.[0] === 51 ? true : undefined))
    await until(async () => ((await alerts()).length === 3 ? true : undefined))
    expect(filesWith(VALUE).length).toBeGreaterThan(1)
    const { code, out } = await cli('delete', '--indicator', VALUE, '--reason', 'request 14', '--dry-run', '--json')
    expect(code).toBe(0)
    const { rows } = JSON.parse(out) as { rows: Record<string, number> }
    expect(rows).toMatchObject({
      'logs.custom_login': 26,
      'matches.custom_login': 26,
      'monitor.dead_letters': 1,
      'monitor.indicators': 1,
      'signals.correlation_signals': 26,
      'state.alerts': 2,
      'state.alert_evidence': expect.any(Number),
      'state.deliveries': 2,
      'state.unknown_fields': 1,
    })
    expect((await caracal.query('SELECT count() FROM logs.custom_login'))[0]).toEqual([51])
    expect((await cli('query', `SELECT '${VALUE}' AS user`)).code).toBe(0)
  })

  test('removes the value from every file, although it was killed on the way, and loses no other record', async () => {
    const body = { indicator: VALUE, type: 'user', reason: 'request 14' }
    const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const { id } = (await (await caracal.fetch('/api/v1/deletions', init)).json()) as { id: string }
    let sent = 25
    for (let n = 0; n < 5; n++) {
      expect((await send(Array.from({ length: 10 }, (_, i) => login(OTHER, i)))).status).toBe(202)
      sent += 10
    }
    await caracal.end('SIGKILL')
    await caracal.start()
    const finished = await until(async () => {
      const found = await caracal.fetch(`/api/v1/deletions/${id}`)
      const deletion = (await found.json()) as { state: string; sha256: string; rows: object; remaining: string[] }
      return deletion.state === 'running' ? undefined : deletion
    })
    expect(finished).toMatchObject({ state: 'done', remaining: [] })
    await until(async () =>
      (await caracal.query(`SELECT count() FROM logs.custom_login WHERE user = '${OTHER}'`))[0]?.[0] === sent ? true : undefined,
    )
    expect(await caracal.query("SELECT count() FROM logs.custom_login WHERE user != 'b2w8ydn5cfu4gsla'")).toEqual([[0]])
    expect(filesWith(VALUE)).toEqual([])
    expect((await alerts()).map(({ title }) => title).sort()).toEqual(['Login of [deleted]', `Login of ${OTHER}`, 'Login of x'])
    const audit = await until(async () => {
      const rows = await caracal.query("SELECT detail FROM logs.caracal_audit WHERE operation = 'deletion finished'")
      return rows.length > 0 ? JSON.stringify(rows) : undefined
    })
    expect(audit).toContain(finished.sha256)
    expect(await caracal.end('SIGTERM')).toBe(0)
    expect(filesWith(VALUE)).toEqual([])
    expect(filesWith(OTHER).length).toBeGreaterThan(1)
    await caracal.start()
  })

  test('keeps alerts on hold with their events, and says so', async () => {
    const held = (await alerts()).find(({ title }) => title.endsWith(OTHER))!
    expect((await cli('alerts', 'hold', held.alert_id, '--reason', 'case 7')).code).toBe(0)
    const before = (await caracal.query('SELECT count() FROM logs.custom_login'))[0]
    const { code, out } = await cli('delete', '--indicator', OTHER, '--reason', 'request 15')
    expect(code).toBe(1)
    expect(out).toContain(`Alerts on hold, which keep it:\n  ${held.alert_id}\n`)
    expect((await caracal.query('SELECT count() FROM logs.custom_login'))[0]).toEqual(before)
    expect((await cli('alerts', 'release', held.alert_id, '--reason', 'closed')).code).toBe(0)
    expect((await cli('backup', join(folder, 'backup'))).code).toBe(0)
    const again = await cli('delete', '--indicator', OTHER, '--reason', 'request 15')
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining(`not covered:\n  ${join(folder, 'backup')}\n`) })
    expect(filesWith(OTHER)).toEqual([])
  })

  test('every command of docs/retention.md works, and every configuration on it is accepted', async () => {
    const page = readFileSync(join(import.meta.dirname, '../docs/retention.md'), 'utf8')
    const [alert] = await alerts()
    // What was archived is restored in test/archive.test.ts.
    const lines = [...page.matchAll(/^ {4}caracal (?!archive restore)(.+)$/gm)].map(([, line]) =>
      line!.replace('61e3cd32', alert!.alert_id),
    )
    expect(lines.length).toBeGreaterThan(4)
    for (const line of [...lines, 'config retention']) {
      const argv = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
      expect([line, (await cli(...argv)).code]).toEqual([line, 0])
    }
    const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text]) => text!)
    expect(blocks.length).toBeGreaterThan(1)
    for (const block of blocks) expect(configSchema.safeParse(parse(block)).error?.issues).toBeUndefined()
  })

  test('is refused if the value is not one, if the reason contains it, and to everybody but admins', async () => {
    const refused = (...argv: string[]) => cli('delete', '--reason', `about ${VALUE}`, ...argv)
    expect(await refused('--indicator', VALUE)).toMatchObject({ code: 1, err: expect.stringContaining('the reason contains') })
    expect(await refused('--indicator', 'ana', '--type', 'ip')).toMatchObject({
      code: 1,
      err: expect.stringContaining('type ip'),
    })
    const token = (await cli('tokens', 'create', 'analyst', '--role', 'analyst')).out.trim()
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ indicator: VALUE, reason: 'x' })
    expect((await caracal.fetch('/api/v1/deletions', { method: 'POST', headers, body })).status).toBe(403)
  })
})
