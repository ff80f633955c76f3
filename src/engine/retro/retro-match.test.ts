import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { configSchema } from '../../config/config.ts'
import type { AlertBody } from '../../model/alert.ts'
import type { Replay } from '../../model/replay.ts'
import { defineTable, definitionKey } from '../../stages/enrich/definition.ts'
import { tableFolder } from '../../stages/enrich/versions/files.ts'
import { VersionStore } from '../../stages/enrich/versions/version-store.ts'
import { listAlerts } from '../../state/alert-list.ts'
import { readState } from '../../state/db.ts'
import { openPipeline } from '../pipeline.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-retro-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SCHEMA = `schema: Custom.Seen
fields:
  - name: at
    type: timestamp
    timeFormats: [rfc3339]
    isEventTime: true
  - { name: ip, type: string, indicators: [ip] }
  - { name: host, type: string, indicators: [hostname] }
`
/** One that reads the table, one that would match the same events without it. */
const RULES = {
  'listed.yml': `AnalysisType: rule
RuleID: Listed
Enabled: true
LogTypes: [Custom.Seen]
Severity: High
DedupPeriodMinutes: 60
Detection:
  - DeepKey: [p_enrichment, bad, FIELD, kind]
    Condition: Exists
`,
  'other.yml': `AnalysisType: rule
RuleID: Other
Enabled: true
LogTypes: [Custom.Seen]
Severity: High
Detection:
  - Key: ip
    Condition: Equals
    Value: never
`,
}
/** With three digits of milliseconds, none of which is left out. */
const NOW = Math.floor(Date.now() / 1000) * 1000 + 123
const DAY = 24 * 60 * 60_000

interface Setup {
  readonly match: string
  readonly field?: 'ip' | 'host'
  readonly days?: number
  /** The data folder of a run before. */
  readonly again?: string
}

let runs = 0

async function start({ match, field = 'ip', days = 30, again = join(folder, `run-${++runs}`) }: Setup) {
  const data_dir = again
  const content = join(data_dir, 'content')
  mkdirSync(content, { recursive: true })
  const table = {
    AnalysisType: 'lookup_table',
    LookupName: 'bad',
    Filename: 'bad.csv',
    Match: match,
    Indicators: { k: field === 'ip' ? 'ip' : 'domain' },
    Retro: { Days: days },
    LogTypeMap: { PrimaryKey: 'k', AssociatedLogTypes: [{ LogType: 'Custom.Seen', Selectors: [field] }] },
  }
  writeFileSync(join(content, 'bad.yml'), JSON.stringify(table))
  writeFileSync(join(content, 'seen.schema.yml'), SCHEMA)
  for (const [name, text] of Object.entries(RULES)) writeFileSync(join(content, name), text.replace('FIELD', field))
  const config = {
    ...configSchema.parse({ sources: [{ type: 'http', id: 'web', log_types: ['Custom.Seen'] }] }),
    data_dir,
    content: [content],
  }
  const opened = await openPipeline(config)
  const { pipeline } = opened
  const definition = definitionKey(defineTable(table, { file: join(content, 'bad.yml') }))
  const store = await VersionStore.open(tableFolder(join(data_dir, 'tables'), 'bad'))
  /** Puts a content with these keys in force, as the keeper does. */
  const list = async (...keys: readonly string[]) => {
    const bytes = Buffer.from(`k,kind\n${keys.map((key) => `${key},bot\n`).join('')}`)
    const candidate = await store.candidate(bytes)
    const path = candidate
    const { version } = await pipeline.call('acceptTable', {
      table: 'bad',
      definition,
      path,
      fileName: 'bad.csv',
      date: undefined,
    })
    await store.keep(candidate, { version, sinceMs: Date.now(), origin: 'fetched', fileName: 'bad.csv' })
    await pipeline.call('tableChanged', { table: 'bad', definition, version })
  }
  return { ...opened, list, data_dir, started: () => pipeline.call('start') }
}
type Run = Awaited<ReturnType<typeof start>>

async function send({ spool, pipeline }: Run, events: readonly object[]): Promise<void> {
  const body = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  await spool.call('append', { sourceId: 'web', decoding: 'lines', receivedMs: Date.now(), body })
  await pipeline.call('settled', 'web')
}

const at = (daysAgo: number, n = 0) => new Date(NOW - daysAgo * DAY + n * 1000).toISOString()

/** Resolves with the retro-matches once there are as many and all are over. */
async function retro({ pipeline }: Run, count: number): Promise<Replay[]> {
  for (;;) {
    const all = (await pipeline.call('replays')).filter(({ ask }) => ask.kind === 'retro-match')
    if (all.length >= count && all.every(({ state }) => state === 'done')) return all
    const failed = all.find(({ state }) => state === 'failed')
    if (failed) throw new Error(JSON.stringify(failed.notes))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function end({ opened, close }: Run): Promise<void> {
  await (await opened).stop()
  await close()
}

const alertsOf = async ({ data_dir }: Run) => {
  const state = await readState(data_dir)
  try {
    return (await listAlerts(state, { limit: 100 })).map((row) => ({
      retroactive: row.retroactive === 1,
      body: JSON.parse(row.body) as AlertBody,
    }))
  } finally {
    await state.destroy()
  }
}

test('a new address is found in past events, which the rules that read the table judge again', { timeout: 120_000 }, async () => {
  const run = await start({ match: 'ip' })
  await run.list('203.0.113.1')
  await run.started()
  const many = Array.from({ length: 3000 }, (_, n) => ({
    at: at(20, n * 60),
    ip: `10.0.${n >> 8}.${n & 255}`,
    host: 'x.example',
  }))
  await send(run, [...many, { at: at(9), ip: '192.0.2.7' }, { at: at(3), ip: '192.0.2.7' }, { at: at(2), ip: '192.0.2.8' }])
  const before = new Date().toISOString()
  await run.list('203.0.113.1', '192.0.2.7', '198.51.100.1')
  const [replay] = await retro(run, 1)
  expect(replay).toMatchObject({
    ask: { kind: 'retro-match', table: 'bad', field: 'p_any_ip_addresses', logTypes: ['Custom.Seen'], rules: ['Listed'] },
    report: { records: 2, alerts: 2, rules: [{ ruleId: 'Listed', matches: 2, known: 0 }] },
  })
  // Of 3003 rows, only the granules of the two, which are read once (and the last of them again, to see that nothing follows).
  expect(replay!.rowsRead).toBeGreaterThan(100)
  expect(replay!.rowsRead).toBeLessThanOrEqual(4 * 256)
  expect(replay).not.toHaveProperty('found')
  const alerts = await alertsOf(run)
  expect(alerts.map(({ retroactive, body }) => [retroactive, body.firstEventTime]).sort()).toEqual([
    [true, at(9)],
    [true, at(3)],
  ])
  const [{ body }] = alerts as [(typeof alerts)[number]]
  expect(body.learned).toMatchObject({ table: 'bad', value: '192.0.2.7' })
  expect(body.learned!.time >= before).toBe(true)
  expect(body.title).toMatch(/ \(past event, \d{4}-\d\d-\d\d\)$/)
  expect(body.description).toContain(`This happened on ${body.firstEventTime} and was found in stored events`)
  expect(body.description).toContain(`the table bad learned of 192.0.2.7 on ${body.learned!.time}`)
  await end(run)
})

test('events that were judged with the key already raise no second alert, and the same content searches nothing', {
  timeout: 120_000,
}, async () => {
  const run = await start({ match: 'ip' })
  await run.list('192.0.2.7')
  await run.started()
  await send(run, [{ at: at(1), ip: '192.0.2.7' }])
  expect(await alertsOf(run)).toHaveLength(1)
  await run.list('192.0.2.7', '192.0.2.8')
  // Removed and added again: the event is judged once more, and its match is known.
  await run.list('192.0.2.8')
  await run.list('192.0.2.7', '192.0.2.8')
  const [replay] = await retro(run, 1)
  expect(replay!.report).toMatchObject({ records: 1, alerts: 0, rules: [{ ruleId: 'Listed', matches: 0, known: 1 }] })
  expect(await alertsOf(run)).toHaveLength(1)
  await end(run)
})

test.each([
  {
    match: 'cidr',
    field: 'ip' as const,
    keys: ['192.0.2.128/25', '2001:db8:5::/48'],
    seen: ['192.0.2.127', '192.0.2.128', '192.0.2.255', '2001:db8:5::9', '2001:db8:6::9'],
    found: ['192.0.2.128', '192.0.2.255', '2001:db8:5::9'],
  },
  {
    match: 'domain',
    field: 'host' as const,
    keys: ['evil.example', '*.bad.test'],
    seen: ['evil.example', 'WWW.Evil.example', 'notevil.example', 'a.b.bad.test', 'good.test'],
    found: ['evil.example', 'WWW.Evil.example', 'a.b.bad.test'],
  },
  {
    match: 'ignore_case',
    field: 'host' as const,
    keys: ['Evil.Example'],
    seen: ['evil.example', 'EVIL.EXAMPLE', 'www.evil.example'],
    found: ['evil.example', 'EVIL.EXAMPLE'],
  },
])('of $match keys all spellings in events are found', { timeout: 120_000 }, async ({ match, field, keys, seen, found }) => {
  const run = await start({ match, field })
  await run.list(field === 'ip' ? '203.0.113.1/32' : 'first.test')
  await run.started()
  await send(
    run,
    seen.map((value, n) => ({ at: at(5, n * 3600), [field]: value })),
  )
  await run.list(...keys)
  const [replay] = await retro(run, 1)
  expect(replay!.report.records).toBe(found.length)
  expect(replay!.report.rules).toMatchObject([{ ruleId: 'Listed', matches: found.length }])
  await end(run)
})

test('events before the window are left alone, and nothing is read when no key occurs', { timeout: 120_000 }, async () => {
  const run = await start({ match: 'ip', days: 10 })
  await run.list('203.0.113.1')
  await run.started()
  await send(run, [
    { at: at(12), ip: '192.0.2.7' },
    { at: at(8), ip: '192.0.2.8' },
  ])
  await run.list('192.0.2.7', '192.0.2.9')
  await run.list('192.0.2.7', '192.0.2.8', '192.0.2.9')
  const all = await retro(run, 1)
  expect(all).toHaveLength(1)
  expect(all[0]!.report.records).toBe(1)
  expect((await alertsOf(run)).map(({ body }) => body.firstEventTime)).toEqual([at(8)])
  await end(run)
})

test('keys that the live provider hands over are searched for in the same way', { timeout: 120_000 }, async () => {
  const run = await start({ match: 'ip' })
  await run.started()
  await send(run, [{ at: at(1), ip: '192.0.2.7' }])
  await run.list('192.0.2.7')
  await retro(run, 1)
  await run.pipeline.call('learned', { table: 'bad', version: 'x', keys: ['192.0.2.7'], omitted: 0, learnedMs: Date.now() })
  const [, second] = await retro(run, 2)
  expect(second!.report.rules).toMatchObject([{ matches: 0, known: 1 }])
  await end(run)
})

test('more keys than are searched are reported', { timeout: 120_000 }, async () => {
  const run = await start({ match: 'ip' })
  await run.list('192.0.2.7')
  await run.started()
  await run.pipeline.call('learned', { table: 'bad', version: 'x', keys: ['192.0.2.7'], omitted: 5, learnedMs: Date.now() })
  const problem = () => run.events.problems.current.find(({ what }) => what === 'RetroMatchCut')
  while (!problem()) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(problem()).toMatchObject({ key: 'bad', message: expect.stringContaining('5 new keys beyond the first 200000') })
  await end(run)
})

test('what was learned before a stop is searched for after the next start, once', { timeout: 120_000 }, async () => {
  const run = await start({ match: 'ip' })
  await run.list('203.0.113.1')
  await run.started()
  await send(run, [{ at: at(1), ip: '192.0.2.7' }])
  await end(run)
  const stopped = await start({ match: 'ip', again: run.data_dir })
  // Never started, so nothing is searched.
  await stopped.list('203.0.113.1', '192.0.2.7')
  await end(stopped)
  const third = await start({ match: 'ip', again: run.data_dir })
  await third.list('203.0.113.1', '192.0.2.7')
  await third.started()
  const all = await retro(third, 1)
  expect(all).toHaveLength(1)
  expect(all[0]!.report).toMatchObject({ records: 1, alerts: 1 })
  await end(third)
  const last = await start({ match: 'ip', again: run.data_dir })
  await last.list('203.0.113.1', '192.0.2.7')
  await last.started()
  expect(await retro(last, 1)).toHaveLength(1)
  expect(await alertsOf(last)).toHaveLength(1)
  await end(last)
})
