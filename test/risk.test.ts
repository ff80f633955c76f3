import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { seeded } from './support/random.ts'
import { until } from './support/until.ts'

/** The real program with two threads that make batches, killed while matches arrive: each entity's risk is what its rules add up to. */
const LIMIT_MS = 300_000
const folder = mkdtempSync(join(tmpdir(), 'caracal-risk-'))
const before = process.cwd()
let caracal: Caracal

/** Rule → what it adds: by its `RiskScore`, or by its severity. */
const RULES = { Low: 5, Medium: 15, High: 40, Own: 47, None: 0, Silent: 46 } as const
type RuleName = keyof typeof RULES
const NAMES = Object.keys(RULES) as RuleName[]

function ruleFile(name: RuleName): string {
  const severity = name === 'Low' || name === 'Medium' || name === 'High' ? name : 'Critical'
  const own =
    { Own: 'RiskScore: 47\n', None: 'RiskScore: 0\n', Silent: 'RiskScore: 46\nCreateAlert: false\n' }[name as string] ?? ''
  return `AnalysisType: rule\nRuleID: Shop.${name}\nEnabled: true\nLogTypes: [Shop.Login]\nSeverity: ${severity}\nDedupPeriodMinutes: 600\n${own}Detection:\n  - {Key: what, Condition: Equals, Value: ${name}}\n`
}

const random = seeded(5)
const USERS = Array.from({ length: 40 }, (_, i) => `user${i}`)
/** Which rules an event of the user matches, sometimes the same one again. */
const sent = Array.from({ length: 600 }, () => {
  const user = USERS[Math.floor(random() * USERS.length)]!
  // Few users do everything.
  const most = 1 + (USERS.indexOf(user) % NAMES.length)
  return { user, what: NAMES[Math.floor(random() * most)]! }
})

interface Alert {
  readonly alert_id: string
  readonly dedup: string
  readonly severity: string
  readonly title: string
  readonly log_types: readonly string[]
}
const alerts = async (query = '') =>
  ((await (await caracal.fetch(`/api/v1/alerts?limit=200&rule=Caracal.Risk${query}`)).json()) as { results: Alert[] }).results

const stored = async () => Number((await caracal.query('SELECT count() FROM logs.all'))[0]![0])

async function send(events: readonly object[]): Promise<void> {
  const body = events.map((event) => JSON.stringify(event)).join('\n')
  expect((await caracal.fetch('/ingest/web', { method: 'POST', body })).status).toBe(202)
}

beforeAll(async () => {
  mkdirSync(join(folder, 'content'))
  for (const name of NAMES) writeFileSync(join(folder, `content/${name}.yml`), ruleFile(name))
  writeFileSync(
    join(folder, 'content/login.yml'),
    'schema: Shop.Login\nfields:\n  - {name: user, type: string, indicators: [username]}\n  - {name: what, type: string}\n',
  )
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    workers: 2,
    risk: {},
    sources: [{ type: 'http', id: 'web', log_types: ['Shop.Login'] }],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
  process.chdir(folder)
  for (let at = 0; at < sent.length; at += 10) {
    // Users are written in any case.
    await send(sent.slice(at, at + 10).map(({ user, what }, i) => ({ what, user: i % 2 === 0 ? user : user.toUpperCase() })))
    if (at % 200 === 190) {
      await caracal.end('SIGKILL')
      await caracal.start()
    }
  }
  await until(async () => ((await stored()) === sent.length ? true : undefined))
}, LIMIT_MS)
afterAll(async () => {
  process.chdir(before)
  await caracal.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
}, LIMIT_MS)

const riskOf = (user: string) => {
  const rules = new Set(sent.filter((one) => one.user === user).map(({ what }) => what))
  return { rules, risk: [...rules].reduce((sum, name) => sum + RULES[name], 0) }
}

test('each entity at the threshold has one alert, and no other has', { timeout: LIMIT_MS }, async () => {
  const risky = USERS.filter((user) => riskOf(user).risk >= 100)
  expect(risky.length).toBeGreaterThan(5)
  expect(risky.length).toBeLessThan(USERS.length - 5)
  const found = await alerts()
  expect(found.map(({ dedup }) => dedup).sort()).toEqual(risky.map((user) => `user:${user}`).sort())
  expect(new Set(found.map(({ severity }) => severity))).toEqual(new Set(['HIGH']))
})

test('the alert says what each rule contributed, and has the event that reached the threshold', {
  timeout: LIMIT_MS,
}, async () => {
  for (const { alert_id, dedup } of (await alerts()).slice(0, 5)) {
    const alert = (await (await caracal.fetch(`/api/v1/alerts/${alert_id}`)).json()) as {
      context: { entity: string; score: number; rules: { rule_id: string; points: number }[] }
      sample_event: { user: string }
    }
    const { entity, score, rules } = alert.context
    expect(`user:${entity}`).toBe(dedup)
    expect(alert.sample_event.user.toLowerCase()).toBe(entity)
    for (const { rule_id, points } of rules) {
      const name = rule_id.replace('Shop.', '') as RuleName
      expect(riskOf(entity).rules).toContain(name)
      // Minutes of decay at most.
      expect(points).toBeGreaterThan(RULES[name] - 2)
      expect(points).toBeLessThanOrEqual(RULES[name])
    }
    expect(score).toBeGreaterThanOrEqual(98)
    const { results } = (await (await caracal.fetch(`/api/v1/alerts/${alert_id}/events`)).json()) as { results: object[] }
    expect(results).toHaveLength(1)
  }
})

test('the alert has no log type, and its match is only among the signals, so that limited tokens see neither', {
  timeout: LIMIT_MS,
}, async () => {
  const all = await alerts()
  expect(all.map(({ log_types }) => log_types)).toEqual(all.map(() => []))
  const matches = (table: string) =>
    caracal.query(`SELECT count(), count(p_log_type) FROM ${table} WHERE p_rule_id = 'Caracal.Risk'`)
  expect(await matches('signals.correlation_signals')).toEqual([[all.length, 0]])
  expect(await matches('matches.all')).toEqual([[0, 0]])
  expect((await caracal.query("SELECT count() FROM matches.all WHERE p_rule_id = 'Shop.High'"))[0]![0]).toBeGreaterThan(0)
  const post = async (path: string, body: object, token?: string) =>
    (
      await caracal.fetch(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      })
    ).json()
  const made = { name: 'shop', role: 'analyst', log_types: ['Shop.*'] }
  const { token } = (await post('/api/v1/tokens', made)) as { token: string }
  const get = async (path: string) => (await caracal.fetch(path, { headers: { authorization: `Bearer ${token}` } })).json()
  expect(await get('/api/v1/alerts?rule=Caracal.Risk')).toMatchObject({ results: [] })
  expect(await get('/api/v1/alerts?rule=Shop.High')).toMatchObject({ results: [{ rule_id: 'Shop.High' }] })
  for (const table of ['signals.correlation_signals', 'matches.all']) {
    const sql = `SELECT DISTINCT p_rule_id FROM ${table} ORDER BY p_rule_id`
    const { rows } = (await post('/api/v1/query', { sql }, token)) as { rows: string[][] }
    expect(rows.flat()).toEqual(NAMES.map((name) => `Shop.${name}`).sort())
  }
})

test('a replay changes no risk', { timeout: LIMIT_MS }, async () => {
  const had = await alerts()
  const body = JSON.stringify({ kind: 'events', log_types: ['Shop.Login'], from: '2024-01-01T00:00:00Z' })
  const headers = { 'content-type': 'application/json' }
  const { id } = (await (await caracal.fetch('/api/v1/replays', { method: 'POST', body, headers })).json()) as { id: string }
  await until(async () => {
    const { state } = (await (await caracal.fetch(`/api/v1/replays/${id}`)).json()) as { state: string }
    return state === 'done' ? true : undefined
  })
  expect(await alerts()).toEqual(had)
})

test('risk is listed as it adds up, and one entity with its rules', { timeout: LIMIT_MS }, async () => {
  const all = USERS.filter((user) => riskOf(user).risk > 0)
  const { out } = await runWith({}, ['risk', '--json', '--limit', '100'])
  const listed = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { entity: string; score: number; alerted: boolean })
  expect(listed.map(({ entity }) => entity).sort()).toEqual(all.sort())
  for (const { entity, score, alerted } of listed) {
    const { risk } = riskOf(entity)
    // Minutes of decay at most.
    expect([entity, score > risk * 0.98 - 0.1 && score <= risk, alerted]).toEqual([entity, true, risk >= 100])
  }
  const scores = listed.map(({ score }) => score)
  expect(scores).toEqual([...scores].sort((a, b) => b - a))
  const [first] = listed
  const shown = await runWith({}, ['risk', first!.entity.toUpperCase(), '--kind', 'user'])
  expect(shown.out).toContain(`The risk of user ${first!.entity} is `)
  for (const name of riskOf(first!.entity).rules) if (RULES[name] > 0) expect(shown.out).toContain(`Shop.${name}`)
  expect(await runWith({}, ['risk', 'nobody', '--kind', 'user'])).toMatchObject({ code: 1 })
  expect(await runWith({}, ['risk', 'nobody'])).toMatchObject({ code: 2 })
})

const documented = readFileSync(join(before, 'docs/risk.md'), 'utf8')

test.each([...documented.matchAll(/^ {4}caracal (.*)$/gm)].map(([, call]) => call!))('docs/risk.md: caracal %s', async (call) => {
  const { code, out, err } = await runWith({}, call.split(' '))
  expect(code, err).toBe(0)
  expect(out).toContain(call.startsWith('risk') ? ' user ' : 'Risk of user')
})
