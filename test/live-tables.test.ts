import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { TestServer } from './support/servers.ts'
import { RESPONSES } from './support/service-answers.ts'
import { addresses } from './support/service-world.ts'

/** The whole program with a table that fills itself from a service on this machine. */

const PER_DAY = 250
const isBad = (address: string) => address.endsWith('7')

const CONTENT: Readonly<Record<string, string>> = {
  'login.schema.yml': `schema: Custom.Login
fields:
  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }
  - { name: ip, type: string, indicators: [ip] }
  - { name: n, type: int }
`,
  'bad.yml': `AnalysisType: rule
RuleID: Bad.Address
Enabled: true
LogTypes: [Custom.Login]
Severity: High
Filename: bad.py
`,
  'bad.py': `def rule(event):
    return event.deep_get("p_enrichment", "verdicts") is not None


def dedup(event):
    return event.get("ip")
`,
}

let folder: string
let server: TestServer
let caracal: Caracal
/** Answers that are held back until they are let go. */
let held: (() => void)[] | undefined
let asked: string[]

async function start(workers: number): Promise<void> {
  const port = await freePort()
  writeFileSync(join(folder, 'secret'), 's3cr3t')
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Login'] }],
    http: { allow_private: ['127.0.0.1'] },
    keys: { abuseipdb: { value: { file: join(folder, 'secret') }, hosts: [server.url] } },
    flush_ms: 100,
    workers,
  }
  const table = {
    AnalysisType: 'lookup_table',
    LookupName: 'verdicts',
    Indicators: { ip: 'ip' },
    Verdict: { Column: 'abuse_confidence_score' },
    Retro: { Days: 30 },
    Provider: { type: 'live', service: 'abuseipdb', url: server.url, per_minute: 10_000, per_day: PER_DAY },
    LogTypeMap: { PrimaryKey: 'ip' },
  }
  mkdirSync(join(folder, 'content'), { recursive: true })
  for (const [name, text] of Object.entries(CONTENT)) writeFileSync(join(folder, 'content', name), text)
  writeFileSync(join(folder, 'content/verdicts.yml'), JSON.stringify(table))
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-live-'))
  server = await new TestServer().listen()
  held = []
  asked = []
  server.answer = (response: ServerResponse, received) => {
    const { addressesOf, answer, keyRefused } = RESPONSES['abuseipdb']!
    const some = addressesOf(received)
    asked.push(...some)
    const send = () => {
      const { status, body } = received.headers['key'] === 's3cr3t' ? answer(some, isBad) : keyRefused
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    }
    if (held) held.push(send)
    else send()
  }
})
afterEach(async () => {
  await caracal.end('SIGKILL')
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Waits for an expected result; the test's time limit ends the wait. */
async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 50))
}

let n = 0
async function send(all: readonly string[]): Promise<void> {
  const at = new Date().toISOString()
  const lines = all.map((ip) => JSON.stringify({ at, ip, n: n++ })).join('\n')
  const response = await caracal.fetch('/ingest/web', { method: 'POST', body: lines })
  expect(response.ok).toBe(true)
}

/** 0 until the first events are stored, which create the lake's table. */
async function countOf(where = 'true'): Promise<number> {
  const rows = await caracal.query(`SELECT count() FROM logs.custom_login WHERE ${where}`).catch((error: Error) => {
    if (error.message.includes('UNKNOWN_TABLE')) return [[0]]
    throw error
  })
  return Number(rows[0]![0])
}

async function table() {
  const { results } = (await (await caracal.fetch('/api/v1/tables')).json()) as {
    results: { name: string; rows: number; live: Record<string, number | string | null> }[]
  }
  return results.find(({ name }) => name === 'verdicts')!
}

/** Addresses with an alert about an event that was judged before the table learned of them. */
async function learned(): Promise<string[]> {
  const { results } = (await (await caracal.fetch('/api/v1/alerts?limit=200')).json()) as {
    results: { alert_id: string; dedup: string; retroactive: boolean }[]
  }
  const found = results.filter(({ retroactive }) => retroactive)
  for (const { alert_id: id, dedup } of found.slice(0, 1)) {
    const alert = (await (await caracal.fetch(`/api/v1/alerts/${id}`)).json()) as { learned: object }
    expect(alert.learned).toMatchObject({ table: 'verdicts', value: dedup })
  }
  return found.map(({ dedup }) => dedup).sort()
}

/** The output of `caracal tables`. */
function tablesCommand(): string {
  const run = spawnSync(process.execPath, [join(packageRoot(), 'bin/caracal.js'), 'tables'], { cwd: folder, encoding: 'utf8' })
  expect(run.status, run.stderr).toBe(0)
  return run.stdout
}

const ENRICHED = `p_enrichment LIKE '%abuse_confidence_score%'`

test.each([1, 3])('no event waits for an answer, and later ones have it (%i workers)', { timeout: 240_000 }, async (workers) => {
  await start(workers)
  const all = addresses(200)
  const bad = all.filter(isBad)
  // Private addresses are never sent.
  await send([...all, '10.0.0.7', '192.168.1.7'])
  await until(async () => (await countOf()) === 202)
  await until(async () => (await table()).live['waiting'] === 200)
  expect(asked.length).toBeLessThanOrEqual(4)
  expect(await countOf(ENRICHED)).toBe(0)
  const waiting = held!
  held = undefined
  for (const answer of waiting) answer()
  await until(async () => (await table()).rows === bad.length)
  await until(async () => (await table()).live['waiting'] === 0)
  // The first event of each bad address, which was judged without the answer.
  await until(async () => (await learned()).length === bad.length)
  expect(await learned()).toEqual(bad.toSorted())
  expect([...asked].sort()).toEqual([...all].sort())
  await send(all)
  await until(async () => (await countOf()) === 402)
  expect(await countOf(`${ENRICHED} AND n >= ${n - 200}`)).toBe(bad.length)
  expect((await table()).live).toMatchObject({ asked_today: 200, left_today: PER_DAY - 200, answers: 200, breaker: 'closed' })

  expect(tablesCommand()).toContain(
    `verdicts: asked abuseipdb for 200 addresses today, ${PER_DAY - 200} left; 0 wait, 0 passed over\n`,
  )

  await caracal.end('SIGKILL')
  await start(workers)
  expect(await table()).toMatchObject({ rows: bad.length, live: { asked_today: 200, answers: 200 } })
  await send([...all, ...addresses(100, 1000)])
  await until(async () => (await table()).live['left_today'] === 0 && (await table()).live['waiting'] === 50)
  expect(asked).toHaveLength(PER_DAY)
  await until(async () => {
    const { system_problems: problems } = (await (await caracal.fetch('/api/v1/health')).json()) as {
      system_problems: { what: string; key: string }[]
    }
    return problems.some(({ what, key }) => what === 'TableBudgetSpent' && key === 'verdicts')
  })
})
