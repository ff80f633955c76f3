import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'

/** The whole program, killed again and again while it judges stored events by what a table has learned. */

const BAD = 80
const EVENTS = 4000
/** Milliseconds from when the list is read, or from a start, to the kill. */
const KILLS = [0, 40, 150, 400, 900]

const CONTENT: Readonly<Record<string, string>> = {
  'login.schema.yml': `schema: Custom.Login
fields:
  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }
  - { name: ip, type: string, indicators: [ip] }
`,
  'bad_addresses.yml': `AnalysisType: lookup_table
LookupName: bad_addresses
Format: list
Match: ip
Indicators: { ip: ip }
Retro: { Days: 30 }
Checks: { MaxGrowthPercent: 1000000, MaxShrinkPercent: 100 }
Provider: { type: file, path: ../list.txt }
LogTypeMap: { PrimaryKey: ip }
`,
  'bad.yml': `AnalysisType: rule
RuleID: Bad.Address
Enabled: true
LogTypes: [Custom.Login]
Severity: High
Filename: bad.py
`,
  'bad.py': `def rule(event):
    return event.deep_get("p_enrichment", "bad_addresses") is not None


def dedup(event):
    return event.get("ip")
`,
}

let folder: string
let caracal: Caracal

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-retro-'))
  mkdirSync(join(folder, 'content'))
  for (const [name, text] of Object.entries(CONTENT)) writeFileSync(join(folder, 'content', name), text)
  writeFileSync(join(folder, 'list.txt'), '192.0.2.255\n')
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Login'] }],
    flush_ms: 100,
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
})
afterEach(async () => {
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Waits for an expected result; the test's time limit ends the wait. */
async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await pause(50)
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** 0 until the first rows create the table. */
async function countOf(sql: string): Promise<number> {
  const rows = await caracal.query(sql).catch((error: Error) => {
    if (/UNKNOWN_TABLE|nknown table/.test(error.message)) return [[0]]
    throw error
  })
  return Number(rows[0]![0])
}

test('every stored event of an address that has become bad is alerted once, however often the program is killed meanwhile', {
  timeout: 300_000,
}, async () => {
  const bad = Array.from({ length: BAD }, (_, n) => `198.51.100.${n}`)
  const at = new Date().toISOString()
  const ipOf = (n: number) => (n % (EVENTS / BAD) === 0 ? bad[n / (EVENTS / BAD)]! : `10.0.${n >> 8}.${n & 255}`)
  const lines = Array.from({ length: EVENTS }, (_, n) => JSON.stringify({ at, ip: ipOf(n) }))
  expect((await caracal.fetch('/ingest/web', { method: 'POST', body: lines.join('\n') })).status).toBe(202)
  await until(async () => (await countOf('SELECT count() FROM logs.custom_login')) === EVENTS)
  await until(async () => (await countOf("SELECT uniq(value) FROM monitor.indicators WHERE value LIKE '198.51.100.%'")) === BAD)

  writeFileSync(join(folder, 'list.txt'), `192.0.2.255\n${bad.join('\n')}\n`)
  const refreshed = await caracal.fetch('/api/v1/tables/bad_addresses/refresh', { method: 'POST' })
  expect(await refreshed.json()).toMatchObject({ state: 'ok', rows: BAD + 1 })
  for (const ms of KILLS) {
    await pause(ms)
    await caracal.end('SIGKILL')
    await caracal.start()
  }
  await until(async () => (await countOf('SELECT uniq(p_row_id) FROM matches.custom_login')) === BAD)
  await until(async () => {
    const { results } = (await (await caracal.fetch('/api/v1/replays')).json()) as { results: { state: string }[] }
    return results.every(({ state }) => state === 'done')
  })
  expect(await countOf('SELECT count() FROM matches.custom_login')).toBe(BAD)
  const answer = await caracal.fetch('/api/v1/alerts?limit=200')
  const { results } = (await answer.json()) as { results: { dedup: string; event_count: number; retroactive: boolean }[] }
  expect(results.map(({ dedup }) => dedup).sort()).toEqual([...bad].sort())
  expect(new Set(results.map(({ event_count: n, retroactive }) => `${n} ${retroactive}`))).toEqual(new Set(['1 true']))
})
