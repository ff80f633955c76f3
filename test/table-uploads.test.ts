import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { until } from './support/until.ts'

/** Versions of tables that are uploaded to the real program, and single rows that are changed. */

const folder = mkdtempSync(join(tmpdir(), 'caracal-uploads-'))
const content = join(folder, 'own')
let caracal: Caracal

interface Change {
  readonly version: string
  readonly rows: number
  readonly counts: Record<string, number>
  readonly added: { readonly key: string }[]
  readonly written: { readonly files: string[]; readonly commit: string | null } | null
}

async function call<T = Change>(method: string, path: string, body?: object): Promise<{ status: number; body: T }> {
  const response = await caracal.fetch(`/api/v1/${path}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, body: (await response.json()) as T }
}

const rowOf = async (table: string, key: string) =>
  (await call<{ row: unknown }>('GET', `tables/${table}/row?key=${encodeURIComponent(key)}`)).body.row
const versions = async (table: string) =>
  (await call<{ versions: { by: string | null; rows: number }[] }>('GET', `tables/${table}`)).body.versions
const git = (...args: string[]) => execFileSync('git', ['-C', content, ...args], { encoding: 'utf8' })

const HOSTS = '# our hosts\nip,owner\n192.0.2.1,ada\n192.0.2.2,"grace, the second"\n'

beforeAll(async () => {
  mkdirSync(join(content, 'tables'), { recursive: true })
  writeFileSync(join(content, 'tables/hosts.csv'), HOSTS)
  const hosts = { AnalysisType: 'lookup_table', LookupName: 'hosts', Filename: 'hosts.csv', LogTypeMap: { PrimaryKey: 'ip' } }
  writeFileSync(join(content, 'tables/hosts.yml'), JSON.stringify(hosts))
  writeFileSync(
    join(content, 'tables/fed.yml'),
    JSON.stringify({ ...hosts, LookupName: 'fed', Filename: undefined, Inline: [{ ip: '192.0.2.9' }] }),
  )
  git('init', '-q')
  git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'add', '-A')
  git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '-qm', 'first')
  const config = join(folder, 'caracal.yml')
  writeFileSync(config, 'sources: [{ type: http, id: door, log_types: [Custom.Netstat] }]\n')
  const [port, dataDir] = [await freePort(), join(folder, 'data')]
  const args = ['--no-demo', '--data-dir', dataDir, '--listen', `127.0.0.1:${port}`, '--content', content, '--config', config]
  caracal = new Caracal({ port, dataDir, cwd: folder, args })
  await caracal.start()
})
afterAll(async () => {
  await caracal?.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

/** Tests run in any order. */
beforeEach(async () => {
  if (readFileSync(join(content, 'tables/hosts.csv'), 'utf8') === HOSTS) return
  expect((await call('PUT', 'tables/hosts/content', { content: HOSTS, accept: true })).status).toBe(200)
})

/** Everything that is written, besides data and what git writes. */
const files = () =>
  (readdirSync(folder, { recursive: true, encoding: 'utf8' }) as string[]).filter((path) => !/^data\b|\.git\b/.test(path)).sort()

test('an uploaded version is in force at once, is a version by its uploader, and is a commit', async () => {
  const next = 'ip,owner\n192.0.2.1,ada\n192.0.2.3,mary\n'
  const dry = await call('PUT', 'tables/hosts/content', { content: next, dry_run: true })
  expect(dry).toMatchObject({ status: 200, body: { written: null, rows: 2, counts: { added: 1, removed: 1, changed: 0 } } })
  expect(await rowOf('hosts', '192.0.2.3')).toBeNull()

  const bytes = gzipSync(next).toString('base64')
  const done = await call('PUT', 'tables/hosts/content', { content_base64: bytes, message: 'Mary has a host' })
  expect(done.status).toBe(200)
  expect(await rowOf('hosts', '192.0.2.3')).toEqual({ ip: '192.0.2.3', owner: 'mary' })
  expect(readFileSync(join(content, 'tables/hosts.csv'), 'utf8')).toBe(next)
  const past = await versions('hosts')
  expect(past[0]).toMatchObject({ rows: 2, by: expect.stringMatching(/./) })
  expect(past.at(-1)).toMatchObject({ rows: 2, by: null })
  expect(done.body.written!.commit).toBe(git('rev-parse', 'HEAD').trim())
  expect(git('log', '-1', '--format=%s').trim()).toBe('Mary has a host')
  await until(async () => {
    const sql = "SELECT count() FROM logs.caracal_audit WHERE operation = 'PUT /api/v1/tables/{name}/content'"
    return Number((await caracal.query(sql))[0]![0]) >= 1 ? true : undefined
  })
})

test.each([
  ['no column with the key', 'name,owner\nx,y\n', /has no column 'ip'/],
  ['a page instead of rows', '<html><body>not found</body></html>', /ip/],
  ['another format than that of the file', '{"ip":"192.0.2.1"}\n', /hosts\.csv is csv, and this is jsonl/],
  ['lines of another width', 'ip,owner\n192.0.2.1\n192.0.2.2\n192.0.2.3,x\n', /2 of 3 rows cannot be used/],
  ['not text', Buffer.from([0xff, 0xfe, 0x00, 0x01]), /UTF-8/],
  ['a small file that becomes too large', gzipSync(Buffer.alloc(80 * 1024 * 1024)), /times its size/],
])('%s is refused, and the table stays as it was', async (_, bad, why) => {
  const before = readFileSync(join(content, 'tables/hosts.csv'), 'utf8')
  const body = { content_base64: Buffer.from(bad).toString('base64') }
  const { status, body: problem } = await call<{ detail: string }>('PUT', 'tables/hosts/content', body)
  expect(status).toBe(422)
  expect(problem.detail).toMatch(why)
  expect(readFileSync(join(content, 'tables/hosts.csv'), 'utf8')).toBe(before)
  expect(await rowOf('hosts', '192.0.2.1')).toEqual({ ip: '192.0.2.1', owner: 'ada' })
})

test('a table that would shrink by more than its checks allow needs to be accepted', async () => {
  const rows = Array.from({ length: 200 }, (_, i) => `198.51.100.${i},o${i}`)
  const long = await call('PUT', 'tables/hosts/content', { content: `ip,owner\n${rows.join('\n')}\n` })
  expect(long.status).toBe(200)
  const short = { content: `ip,owner\n${rows.slice(0, 20).join('\n')}\n` }
  const refused = await call<{ detail: string; content: unknown }>('PUT', 'tables/hosts/content', short)
  expect(refused).toMatchObject({ status: 422, body: { content: { rows: 20, skipped: 0 } } })
  expect(refused.body.detail).toMatch(/MaxShrinkPercent/)
  expect(await call('PUT', 'tables/hosts/content', { ...short, accept: true })).toMatchObject({ status: 200, body: { rows: 20 } })
})

test('single rows are written and removed, and everything else stays as it is written', async () => {
  const set = [
    { ip: '192.0.2.2', owner: 'grace' },
    { ip: '192.0.2.7', owner: 'a "quoted", name' },
  ]
  const { status, body } = await call('PATCH', 'tables/hosts/content', { set, remove: ['192.0.2.1'] })
  expect(status).toBe(200)
  expect(body.counts).toMatchObject({ added: 1, removed: 1, changed: 1 })
  const text = '# our hosts\nip,owner\n192.0.2.2,grace\n192.0.2.7,"a ""quoted"", name"\n'
  expect(readFileSync(join(content, 'tables/hosts.csv'), 'utf8')).toBe(text)
  expect(await rowOf('hosts', '192.0.2.7')).toEqual({ ip: '192.0.2.7', owner: 'a "quoted", name' })
  expect(await rowOf('hosts', '192.0.2.1')).toBeNull()
})

test.each([
  ['an unknown column', { set: [{ ip: '192.0.2.1', owners: 'x' }] }, /no column "owners"/],
  ['no key', { set: [{ owner: 'x' }] }, /no 'ip'/],
  ['a key of another kind', { set: [{ ip: 'not an address' }] }, /is not a key of this table/],
  ['a key that is not in the table', { remove: ['203.0.113.1'] }, /no row with the key/],
  ['a value that a CSV cannot have', { set: [{ ip: '192.0.2.1', owner: ['a'] }] }, /CSV cannot contain/],
])('an edit with %s is refused', async (_, edit, why) => {
  const { status, body } = await call<{ detail: string }>('PATCH', 'tables/hosts/content', edit)
  expect(status).toBe(422)
  expect(body.detail).toMatch(why)
})

test('a table of the shipped packs is copied into the content folder when it is changed, and the rule follows', async () => {
  const listen = (port: number) =>
    caracal.fetch('/ingest/door', {
      method: 'POST',
      body: `${JSON.stringify({ protocol: 'tcp', local_address: `0.0.0.0:${port}`, foreign_address: '0.0.0.0:*', state: 'LISTEN', host: 'web-1' })}\n`,
    })
  const alerted = async () =>
    (await call<{ results: { title: string }[] }>('GET', 'alerts')).body.results.map(({ title }) => title)
  await listen(8443)
  await until(async () => ((await alerted()).includes('Unexpected Port Opened: 8443') ? true : undefined))

  const { status, body } = await call('PATCH', 'tables/allowed_ports/content', { set: [{ port: '9443', note: 'admin page' }] })
  expect(status).toBe(200)
  expect(body.written!.files.map((file) => file.split('/').slice(-2).join('/'))).toEqual([
    'tables/allowed_ports.csv',
    'tables/allowed_ports.yml',
  ])
  await listen(9443)
  await listen(9444)
  await until(async () => ((await alerted()).includes('Unexpected Port Opened: 9444') ? true : undefined))
  expect(await alerted()).not.toContain('Unexpected Port Opened: 9443')
  expect(await rowOf('allowed_ports', '22')).toMatchObject({ note: 'SSH' })
})

test('a new table is written from rows, is in force, and survives a restart', async () => {
  const made = {
    name: 'vip users',
    content: '{"user":"ada","level":3}\n{"user":"grace","level":1}\n',
    match: 'ignore_case',
    indicators: { user: 'username' },
    log_types: [{ log_type: 'Custom.Auth', selectors: ['user'] }],
  }
  expect((await call('POST', 'tables', { ...made, dry_run: true })).body).toMatchObject({ written: null, rows: 2 })
  expect((await call('POST', 'tables', made)).status).toBe(200)
  expect(await rowOf('vip%20users', 'ADA')).toEqual({ user: 'ada', level: 3 })
  expect(readdirSync(join(content, 'tables'))).toEqual(expect.arrayContaining(['vip_users.yml', 'vip_users.jsonl']))
  expect((await call('POST', 'tables', made)).status).toBe(409)
  await caracal.end('SIGTERM')
  await caracal.start()
  expect(await rowOf('vip%20users', 'grace')).toEqual({ user: 'grace', level: 1 })
})

test.each(['../out', '..', '/etc/passwd', '.hidden', 'a/b', 'a\\b', 'p_any_x', '__proto__', 'x\n', '', 'x'.repeat(300)])(
  'a table called %j is refused, and nothing is written',
  async (name) => {
    const before = files()
    const { status } = await call('POST', 'tables', { name, content: 'a,b\n1,2\n' })
    expect([400, 422]).toContain(status)
    expect(files()).toEqual(before)
    expect(existsSync('/etc/passwd.yml')).toBe(false)
  },
)

test('the rows of a table that come from elsewhere are not uploaded, and it is said where they are changed', async () => {
  const { status, body } = await call<{ detail: string }>('PUT', 'tables/fed/content', { content: 'ip\n192.0.2.1\n' })
  expect(status).toBe(400)
  expect(body.detail).toMatch(/Inline/)
  const tor = await call<{ detail: string }>('PATCH', 'tables/tor_exit_nodes/content', { remove: ['192.0.2.1'] })
  expect(tor.status).toBe(400)
  expect(tor.body.detail).toMatch(/provider 'url'/)
  expect((await call('PUT', 'tables/nothing/content', { content: 'x\n' })).status).toBe(404)
})
