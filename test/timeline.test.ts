import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { commandsOf } from './support/page-commands.ts'
import { seeded } from './support/random.ts'
import { until } from './support/until.ts'

/** The real program, with events of three log types whose indicators are spelled in many ways, and an oracle that reads them all. */
const LIMIT_MS = 300_000
const folder = mkdtempSync(join(tmpdir(), 'caracal-timeline-'))
const before = process.cwd()
let caracal: Caracal

interface Row {
  readonly log_type: string
  readonly time: string
  readonly row_id: string
  readonly summary: string
  readonly event: Record<string, unknown>
}

interface Page {
  readonly since: string
  readonly until: string
  readonly overview: {
    readonly values: string[]
    readonly counted_by: string
    readonly counts: { log_type: string; start: string; events: number }[]
    readonly alerts: { title: string; matches: number; alert_id: string }[]
  } | null
  readonly results: Row[]
  readonly next: string | null
}

const SCHEMAS = {
  'Shop.Login': ['user: username', 'ip: ip', 'n: '],
  'Shop.Request': ['host: hostname', 'client: ip', 'path: ', 'n: '],
  'Shop.Upload': ['sha256: sha256', 'mail: email', 'n: '],
}

const USERS = ['ana', 'Ana', 'ANA', 'bob', 'EXAMPLE\\ana', 'анна', 'Анна']
const ADDRESSES = [
  '203.0.113.9',
  '::ffff:203.0.113.9',
  '::ffff:cb00:7109',
  '203.0.113.90',
  '2001:db8::9',
  '2001:0DB8:0:0::9',
  '2001:DB8::0009',
  '::1',
  '0:0:0:0:0:0:0:1',
  'fe80::1',
  'FE80:0::1',
]
const HOSTS = ['shop.example.com', 'Shop.Example.com', 'shop.example.com.', 'example.com', '203.0.113.9']
const MAILS = ['ana@example.com', 'Ana@Example.com', 'bob@example.com']
const HASHES = ['a'.repeat(64), 'A'.repeat(64), 'b'.repeat(64)]
const FIRST_MS = Date.parse('2024-04-19T08:00:00Z')

interface Sent {
  readonly n: number
  readonly ms: number
  readonly logType: string
  readonly values: readonly string[]
}
const sent: Sent[] = []

function makeEvents(): Map<string, object[]> {
  const random = seeded(7)
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const lines = new Map<string, object[]>()
  for (let n = 0; n < 600; n++) {
    const ms = FIRST_MS + Math.floor(random() * 4 * 3_600_000)
    const logType = one(Object.keys(SCHEMAS))
    const own =
      logType === 'Shop.Login'
        ? { user: one(USERS), ip: one(ADDRESSES) }
        : logType === 'Shop.Request'
          ? { host: one(HOSTS), client: one(ADDRESSES), path: "/it's <b>\u001b[31m" }
          : { sha256: one(HASHES), mail: one(MAILS) }
    const { path, ...named } = own as Record<string, string>
    sent.push({ n, ms, logType, values: Object.values(named) })
    lines.set(logType, [...(lines.get(logType) ?? []), { at: new Date(ms).toISOString(), n, ...own }])
  }
  return lines
}

beforeAll(async () => {
  const content = join(folder, 'content')
  mkdirSync(content)
  writeFileSync(
    join(content, 'logins.yml'),
    'AnalysisType: saved_query\nQueryName: Logins by user\nQuery: SELECT user, COUNT(*) AS n FROM panther_logs.public.shop_login GROUP BY user\n',
  )
  for (const [name, fields] of Object.entries(SCHEMAS)) {
    const own = fields.map((field) => {
      const [key, indicator] = field.split(': ') as [string, string]
      return `  - {name: ${key}, type: ${key === 'n' ? 'bigint' : 'string'}${indicator ? `, indicators: [${indicator}]` : ''}}`
    })
    const time = '  - {name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true, required: true}'
    writeFileSync(join(content, `${name}.yml`), [`schema: ${name}`, 'fields:', time, ...own, ''].join('\n'))
  }
  const rule = {
    AnalysisType: 'rule',
    RuleID: 'Shop.Ana',
    Enabled: true,
    LogTypes: ['Shop.Login'],
    Severity: 'High',
    Detection: [{ Key: 'user', Condition: 'Equals', Value: 'ana' }],
    AlertTitle: 'Login of {user}',
    GroupBy: [{ Key: 'user' }],
  }
  writeFileSync(join(content, 'ana.yml'), JSON.stringify(rule))
  const port = await freePort()
  const sources = Object.keys(SCHEMAS).map((name) => ({
    type: 'http',
    id: name.replace('.', '-').toLowerCase(),
    log_types: [name],
  }))
  const config = { listen: `127.0.0.1:${port}`, data_dir: join(folder, 'data'), sources }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
  for (const [logType, lines] of makeEvents()) {
    // In several inserts, so that the index has several rows of a value.
    for (let at = 0; at < lines.length; at += 60) {
      const body = lines
        .slice(at, at + 60)
        .map((line) => JSON.stringify(line))
        .join('\n')
      const path = `/ingest/${logType.replace('.', '-').toLowerCase()}`
      expect((await caracal.fetch(path, { method: 'POST', body })).status).toBe(202)
    }
  }
  await until(async () => {
    const [[n]] = (await caracal.query('SELECT count() FROM logs.all')) as [[number]]
    return Number(n) === sent.length ? true : undefined
  })
  process.chdir(folder)
}, LIMIT_MS)
afterAll(async () => {
  process.chdir(before)
  await caracal.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
}, LIMIT_MS)

async function page(query: Record<string, string>): Promise<Page> {
  const response = await caracal.fetch(`/api/v1/timeline?${new URLSearchParams(query)}`)
  expect(response.status, await response.clone().text()).toBe(200)
  return (await response.json()) as Page
}

/** What the events that were sent say, without the lake. */
function oracle(isNamed: (value: string) => boolean, since: string, until: string): Sent[] {
  const [from, to] = [Date.parse(since), Date.parse(until)]
  return sent.filter(({ ms, values }) => ms >= from && ms < to && values.some(isNamed)).sort((a, b) => b.ms - a.ms)
}

const among =
  (...values: string[]) =>
  (value: string) =>
    values.includes(value)
const inAnyCase = (text: string) => (value: string) => value.toLowerCase() === text

const CASES: [indicator: string, kind: string | undefined, named: (value: string) => boolean][] = [
  ['203.0.113.9', undefined, among('203.0.113.9', '::ffff:203.0.113.9', '::ffff:cb00:7109')],
  ['::ffff:203.0.113.9', 'ip', among('203.0.113.9', '::ffff:203.0.113.9', '::ffff:cb00:7109')],
  ['2001:DB8:0::9', undefined, among('2001:db8::9', '2001:0DB8:0:0::9', '2001:DB8::0009')],
  ['::1', undefined, among('::1', '0:0:0:0:0:0:0:1')],
  ['fe80::1', 'ip', among('fe80::1', 'FE80:0::1')],
  ['203.0.113.90', 'host', among('203.0.113.90')],
  ['Ana', undefined, inAnyCase('ana')],
  ['example\\ANA', 'user', inAnyCase('example\\ana')],
  ['АННА', 'user', inAnyCase('анна')],
  ['SHOP.example.com', undefined, among('shop.example.com', 'Shop.Example.com', 'shop.example.com.')],
  ['example.com.', 'domain', among('example.com')],
  ['ana@EXAMPLE.com', undefined, inAnyCase('ana@example.com')],
  ['ana@example.com', 'user', inAnyCase('ana@example.com')],
  ['Aa'.repeat(32), undefined, inAnyCase('a'.repeat(64))],
  ['nobody', undefined, () => false],
  ["o'brien\\", 'user', () => false],
]

const RANGES = [
  ['2024-04-19T00:00:00Z', '2024-04-20T00:00:00Z'],
  ['2024-04-19T09:30:00Z', '2024-04-19T09:50:00.500Z'],
  ['2023-06-01T00:00:00Z', '2024-06-01T00:00:00Z'],
] as const

test.each(CASES)(
  '%s (%s): every page, count and hour is what the events say',
  { timeout: LIMIT_MS },
  async (indicator, kind, named) => {
    for (const [since, end] of RANGES) {
      const expected = oracle(named, since, end)
      const ask = { indicator, since, until: end, ...(kind && { kind }) }
      const first = await page({ ...ask, limit: '200' })
      const rows = [...first.results]
      for (let next = first.next; next; ) {
        const more = await page({ ...ask, limit: '37', cursor: next })
        expect(more.overview).toBeNull()
        rows.push(...more.results)
        next = more.next
      }
      expect(rows.map(({ event }) => event['n']).sort()).toEqual(expected.map(({ n }) => n).sort())
      expect(rows.map(({ time }) => Date.parse(time))).toEqual(expected.map(({ ms }) => ms))
      const counts = new Map<string, number>()
      for (const { ms, logType } of expected) {
        const start = new Date(ms).toISOString().slice(0, first.overview!.counted_by === 'hour' ? 13 : 10)
        counts.set(`${start} ${logType}`, (counts.get(`${start} ${logType}`) ?? 0) + 1)
      }
      const seen = first.overview!.counts.map(({ start, log_type, events }) => [
        `${start.slice(0, first.overview!.counted_by === 'hour' ? 13 : 10)} ${log_type}`,
        events,
      ])
      expect(new Map(seen as [string, number][])).toEqual(counts)
      expect(first.overview!.values.every(named)).toBe(true)
    }
  },
)

test('the alerts that name it are those with a match in the time range', async () => {
  const { overview } = await page({ indicator: 'ana', kind: 'user', since: RANGES[0][0], until: RANGES[0][1] })
  const matches = sent.filter(({ values }) => values.includes('ana')).length
  expect(overview!.alerts.map(({ title, matches: n }) => [title, n])).toEqual([['Login of ana', matches]])
  const earlier = await page({ indicator: 'ana', kind: 'user', since: '2024-04-18T00:00:00Z', until: '2024-04-18T08:00:00Z' })
  expect(earlier.overview!.alerts).toEqual([])
  const other = await page({ indicator: 'bob', since: RANGES[0][0], until: RANGES[0][1] })
  expect(other.overview!.alerts).toEqual([])
})

test('callers who may only see some log types see nothing of others', async () => {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ name: 'uploads', role: 'viewer', log_types: ['Shop.Upload'] })
  const { token } = (await (await caracal.fetch('/api/v1/tokens', { method: 'POST', body, headers })).json()) as {
    token: string
  }
  const ask = { indicator: 'ana@example.com', kind: 'email', since: RANGES[0][0], until: RANGES[0][1] }
  const get = async (query: Record<string, string>) => {
    const authorization = `Bearer ${token}`
    const response = await caracal.fetch(`/api/v1/timeline?${new URLSearchParams(query)}`, { headers: { authorization } })
    expect(response.status, await response.clone().text()).toBe(200)
    return (await response.json()) as Page
  }
  expect((await get(ask)).results.map(({ log_type }) => log_type)).toContain('Shop.Upload')
  const { overview, results } = await get({ ...ask, indicator: 'ana', kind: 'user' })
  expect([overview!.values, overview!.counts, overview!.alerts, results].map((list) => list.length)).toEqual([0, 0, 0, 0])
})

describe('a call that cannot be answered', () => {
  test.each<[Record<string, string>, string]>([
    [{ indicator: '10.0.0.0/8', kind: 'ip' }, "'10.0.0.0/8' cannot be an address: for a network, query the lake with SQL"],
    [{ indicator: 'abc', kind: 'hash' }, "'abc' cannot be a hash"],
    [{ indicator: 'ana', since: '2024-04-19T00:00:00Z', until: '2024-04-19T00:00:00Z' }, 'the time range is empty'],
    [{ indicator: 'ana', cursor: '0_1_2024-99-19T00:00:00Z_61' }, 'does not come from this server'],
    [{ indicator: 'ana', kind: 'planet' }, 'kind'],
    [{ indicator: '' }, 'indicator'],
  ])('%j says why', async (query, reason) => {
    const response = await caracal.fetch(`/api/v1/timeline?${new URLSearchParams(query)}`)
    expect(response.status).toBe(400)
    expect(((await response.json()) as { detail: string }).detail).toContain(reason)
  })
})

describe('the command', () => {
  const run = (...argv: string[]) => runWith({}, ['timeline', ...argv])

  test('shows counts, alerts and a line for each event', async () => {
    const { code, out, err } = await run('ana', '--since', '2024-04-18', '--until', '2024-04-20', '--limit', '3')
    expect(code, err).toBe(0)
    const expected = oracle(inAnyCase('ana'), RANGES[0][0], RANGES[0][1])
    expect(out).toContain(`2024-04-18T00:00:00Z to 2024-04-20T00:00:00Z: ${expected.length} events of 1 log type, 1 alert.`)
    expect(out).toContain('Also spelled ANA, Ana.')
    expect(out).toMatch(/^HOUR +Shop\.Login\n2024-04-19T08:00:00Z +\d+$/m)
    expect(out).toMatch(/^[0-9a-f]{8} .*HIGH .*Login of ana$/m)
    expect(out).toMatch(/^2024-04-19T1\d:\S+Z +Shop\.Login +shop-login +user=(?:ana|Ana|ANA) ip=\S+ n=\d+$/m)
    expect(err).toContain('There are more events: --limit 6 shows them.')
  })

  test('makes hostile values harmless', async () => {
    const { out } = await run('shop.example.com', '--since', '2024-04-18', '--until', '2024-04-20')
    expect(out).toContain('path="/it\'s <b>\\u001b[31m"')
    expect(out).not.toContain('\u001b')
  })

  test('says so when nothing was found, and refuses what contradicts itself', async () => {
    expect((await run('nobody', '--since', '1h')).out).toMatch(/nothing was found\.\n$/)
    expect(await run('ana', '--around', '2024-04-19', '--since', '1h')).toMatchObject({
      code: 2,
      err: expect.stringContaining('not both'),
    })
    expect(await run('ana', '--around', '2024-04-19', '--window', 'x')).toMatchObject({
      code: 2,
      err: expect.stringContaining("--window 'x' is not a span"),
    })
  })

  test('says when it was last seen if that was at another time', async () => {
    const all = oracle(inAnyCase('ana'), RANGES[2][0], RANGES[2][1])
    const last = new Date(Math.max(...all.map(({ ms }) => ms))).toISOString().replace(/\.\d+Z$/, 'Z')
    const { out } = await run('ana', '--kind', 'user', '--since', '1h')
    expect(out).toContain(`nothing was found.\nIt was last seen at ${last} in Shop.Login: --around ${last} shows that time.`)
  })

  test('covers ten years of a longer time, and says so', async () => {
    const ask = { indicator: 'ana', since: '1990-04-19T00:00:00Z', until: '2024-04-20T00:00:00Z', limit: '1' }
    const cut = (await page(ask)) as Page & { notices: string[] }
    expect([cut.since, cut.notices]).toEqual(['2014-04-13T00:00:00.000Z', [expect.stringContaining('3660 days at most')]])
    const { next } = cut
    expect(await page({ ...ask, cursor: next! })).toMatchObject({ since: cut.since })
  })

  test('as JSON, a line with the counts and one for each event', async () => {
    const { out } = await run('ana', '--around', '2024-04-19T10:00:00Z', '--window', '3h', '--limit', '1000', '--json')
    const [overview, ...events] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(overview).toMatchObject({ since: '2024-04-19T07:00:00.000Z', counted_by: 'hour' })
    expect(events).toHaveLength(oracle(inAnyCase('ana'), '2024-04-19T07:00:00Z', '2024-04-19T13:00:00Z').length)
  })
})

test('a saved query of the content is listed, and runs on demand', async () => {
  const { out } = await runWith({}, ['searches', '--json'])
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object),
  ).toEqual([expect.objectContaining({ name: 'Logins by user', schedule: null, runs: false, last_time: null, next_time: null })])
  const ran = await runWith({}, ['searches', 'run', 'Logins by user'])
  expect(ran.err).toContain("translated from Snowflake's dialect")
  const rows = ran.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { user: string; n: number })
  const logins = sent.filter(({ logType }) => logType === 'Shop.Login').length
  expect(rows.reduce((sum, { n }) => sum + n, 0)).toBe(logins)
  expect(await runWith({}, ['searches', 'run', 'Nothing'])).toMatchObject({
    code: 1,
    err: expect.stringContaining("no query 'Nothing'"),
  })
})

const documented = readFileSync(join(before, 'docs/searching.md'), 'utf8')
const calls = [...documented.matchAll(/^ {4}caracal (.*)$/gm)].map(([, call]) => call!)

test.each(calls)('docs/searching.md: caracal %s', async (call) => {
  const argv = [...call.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare!)
  // Whichever test is the first: the history of queries has one.
  if (argv[0] === 'queries') await runWith({}, ['query', 'SELECT 1'])
  const { code, out, err } = await runWith({}, argv)
  expect(code, err).toBe(0)
  if (!call.includes('p_row_id =')) expect(out).not.toBe('')
})

test('docs/searching.md: the calls of the API answer', async () => {
  const calls = commandsOf('docs/searching.md').filter((command) => command.startsWith('curl'))
  expect(calls.length).toBeGreaterThan(1)
  const env = { ...process.env, TOKEN: readFileSync(join(folder, 'data/token'), 'utf8').trim() }
  for (const call of calls) {
    const command = call.replaceAll('127.0.0.1:4848', `127.0.0.1:${caracal.port}`).replace('curl ', 'curl -sS --fail-with-body ')
    const { stdout } = await promisify(execFile)('bash', ['-c', command], { env })
    expect(JSON.parse(stdout)).toBeTypeOf('object')
    const [, name] = /api\/v1\/searches \\\n.*"name": "([^"]+)"/.exec(call) ?? []
    // Another test lists the queries.
    if (name === undefined) continue
    const response = await caracal.fetch(`/api/v1/searches/${encodeURIComponent(name)}`, { method: 'DELETE' })
    expect(response.status, await response.text()).toBe(200)
  }
})
