import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'

/** The whole program with a table that a query over the lake fills, in Panther's form. */

const FILES: Readonly<Record<string, string>> = {
  'login.schema.yml': `schema: Custom.Login
fields:
  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }
  - { name: account, type: string }
  - { name: device, type: json }
  - { name: n, type: int }
`,
  'devices.yml': `AnalysisType: lookup_table
LookupName: devices
Enabled: true
Refresh:
  PeriodMinutes: 1440
Query: |
  SELECT account, MAX_BY(device, p_event_time) AS details, COUNT(*) AS logins
  FROM panther_logs.public.custom_login
  WHERE p_occurs_since('10d') AND device IS NOT NULL
  GROUP BY account
LogTypeMap:
  PrimaryKey: account
  AssociatedLogTypes:
    - LogType: Custom.Login
      Selectors:
        - account
`,
  'later.yml': `AnalysisType: lookup_table
LookupName: later
Enabled: true
Refresh:
  CronExpression: 0 6 * * *
SnowflakeQuery: SELECT aid, MAX(ComputerName) AS name FROM panther_logs.public.crowdstrike_aidmaster GROUP BY aid
LogTypeMap:
  PrimaryKey: aid
`,
}

let folder: string
let caracal: Caracal

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-query-'))
  const port = await freePort()
  mkdirSync(join(folder, 'content'))
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, 'content', name), text)
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Login'] }],
    table_first_refresh_ms: 100,
    flush_ms: 100,
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
})
afterEach(async () => {
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Waits for an expected result; the test's time limit ends the wait. */
async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 50))
}

interface Shown {
  readonly name: string
  readonly state: string
  readonly rows: number
  readonly problem: string | null
}

async function table(name: string): Promise<Shown> {
  const { results } = (await (await caracal.fetch('/api/v1/tables')).json()) as { results: Shown[] }
  return results.find((one) => one.name === name)!
}

async function send(events: readonly object[]): Promise<void> {
  const body = events.map((event) => JSON.stringify({ at: new Date().toISOString(), ...event })).join('\n')
  expect((await caracal.fetch('/ingest/web', { method: 'POST', body })).ok).toBe(true)
}

async function refresh(name: string): Promise<void> {
  expect((await caracal.fetch(`/api/v1/tables/${name}/refresh`, { method: 'POST' })).ok).toBe(true)
}

function command(...args: string[]): string {
  const run = spawnSync(process.execPath, [join(packageRoot(), 'bin/caracal.js'), ...args], { cwd: folder, encoding: 'utf8' })
  expect(run.status, run.stdout + run.stderr).toBe(0)
  return run.stdout
}

test('a query fills a table from events, and later events have its rows', { timeout: 240_000 }, async () => {
  expect(command('validate')).toMatch(/later\.yml: lookup_table 'later' cannot run: the table logs\.crowdstrike_aidmaster/)
  await caracal.start()
  const isMissing = async (name: string, why: RegExp) => {
    const { state, problem } = await table(name)
    return state === 'missing' && why.test(problem ?? '')
  }
  await until(() => isMissing('devices', /no rows/))
  await until(() => isMissing('later', /waits for log types: .*crowdstrike_aidmaster/))
  await send([
    { account: 'ann', device: { os: 'Linux', disks: [1, 2] }, n: 1 },
    { account: 'ann', n: 2 },
  ])
  await until(async () => (await caracal.query('SELECT count() FROM logs.custom_login'))[0]![0] === 2)
  await refresh('devices')
  expect(await table('devices')).toMatchObject({ state: 'ok', rows: 1, problem: null })
  await send([
    { account: 'ann', n: 3 },
    { account: 'bob', n: 4 },
  ])
  const stored = 'SELECT n, toString(p_enrichment) FROM logs.custom_login WHERE n > 2 ORDER BY n'
  await until(async () => (await caracal.query(stored)).length === 2)
  const [ann, bob] = await caracal.query(stored)
  expect(JSON.parse(ann![1] as string)).toMatchObject({
    devices: { account: { account: 'ann', logins: 1, details: { os: 'Linux', disks: [1, 2] }, p_match: 'ann' } },
  })
  expect(String(bob![1])).not.toContain('devices')
  // The stored version is in force again at once after a restart.
  await caracal.end('SIGTERM')
  await caracal.start()
  expect(await table('devices')).toMatchObject({ rows: 1 })
})
