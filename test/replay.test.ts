import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'

/** Rules run in a separate process, which takes a while to start on a busy machine. */
const LIMIT_MS = 300_000
const EVENTS = 9000
const LETTERS = 700
const HOUR_MS = 3_600_000

/** Replays while the program is killed. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-replay-'))
const content = join(folder, 'content')
const dataDir = join(folder, 'data')
/** Days ago, so that no event's own time is near its receipt. */
const firstMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 20 * 24 * HOUR_MS
let caracal: Caracal

const write = (name: string, text: string) => writeFileSync(join(content, name), text)
const timeOf = (n: number) => new Date(firstMs + n * 60_000).toISOString()
const schema = (host: string) =>
  `schema: Custom.Past\nfields:\n  - name: n\n    type: bigint\n    required: true\n  - name: at\n    type: timestamp\n    timeFormats: [rfc3339]\n    isEventTime: true\n  - name: host\n    type: string\n${host}`
const rule = (id: string) =>
  `AnalysisType: rule\nRuleID: ${id}\nFilename: ${id.toLowerCase()}.py\nEnabled: true\nLogTypes: [Custom.Past]\nSeverity: High\nDedupPeriodMinutes: 600\n`
const code = (each: number) =>
  `def rule(event):\n    return event.get("n") % ${each} == 0\n\n\ndef title(event):\n    return f"every {event.get('n') % 2}"\n`

interface Replay {
  id: string
  state: string
  records: { read: number; of: number | null }
  stored: number
  failing: Record<string, number>
  rules: { rule_id: string; matches: number; known: number }[]
  alerts: number
  notes: string[]
}

async function call<T>(path: string, method = 'GET', body?: object): Promise<T> {
  const headers = { 'content-type': 'application/json' }
  const answer = await caracal.fetch(`/api/v1/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const value = (await answer.json()) as T
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(value)}`)
  return value
}

const replay = (body: object) => call<Replay>('replays', 'POST', body)
const past = (more: object = {}) => ({ kind: 'events', log_types: ['Custom.Past'], from: timeOf(0), to: timeOf(EVENTS), ...more })

/** Resolves with the replay once it meets the condition. */
async function until(id: string, isSo: (replay: Replay) => boolean): Promise<Replay> {
  for (;;) {
    const now = await call<Replay>(`replays/${id}`)
    if (isSo(now)) return now
    if (['failed', 'cancelled'].includes(now.state)) throw new Error(JSON.stringify(now))
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

const done = (id: string) => until(id, ({ state }) => state === 'done')

/** Kills the program while the replay is between two pages, and starts it again. */
async function killedOnTheWay(id: string, from: number): Promise<void> {
  const before = await until(id, ({ records }) => records.read >= from)
  expect(before.state).toBe('running')
  expect(await caracal.end('SIGKILL')).toBe('SIGKILL')
  await caracal.start()
}

async function ledger() {
  const { results } = await call<{ results: { id: string; records: Record<string, number>; dead_letter_reasons: object }[] }>(
    'sources',
  )
  const { records, dead_letter_reasons } = results.find(({ id }) => id === 'web')!
  const { received = 0, stored = 0, dead_lettered = 0 } = records
  return { received, stored, dead_lettered, reasons: dead_letter_reasons }
}

interface Alert {
  rule_id: string
  retroactive: boolean
  event_count: number
  first_event_time: string
}

const alertsOf = async (ruleId: string) => (await call<{ results: Alert[] }>(`alerts?rule=${ruleId}&limit=200`)).results

/** Number of signals and of distinct events, by rule. */
async function signals(): Promise<Map<unknown, { rows: number; events: number }>> {
  await call('query', 'POST', { sql: 'SELECT 1' })
  const rows = await caracal.query(
    'SELECT p_rule_id, count(), uniqExact(p_row_id) FROM signals.correlation_signals GROUP BY p_rule_id',
  )
  return new Map(rows.map(([id, n, events]) => [id, { rows: Number(n), events: Number(events) }]))
}

beforeAll(async () => {
  mkdirSync(content)
  write('past.schema.yml', schema('    required: true\n'))
  write('fives.yml', rule('Fives'))
  write('fives.py', code(5))
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: dataDir,
    watch_content: false,
    python_children: 'shared',
    flush_ms: 200,
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Past'] }],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir, cwd: folder, args: ['--no-demo'] })
  await caracal.start()
  const lines = Array.from({ length: EVENTS + LETTERS }, (_, n) =>
    JSON.stringify({ n, at: timeOf(n), ...(n < EVENTS && { host: 'a' }) }),
  )
  for (let i = 0; i < lines.length; i += 500) {
    const body = `${lines.slice(i, i + 500).join('\n')}\nprose ${i}\n`
    expect((await caracal.fetch('/ingest/web', { method: 'POST', body })).status).toBe(202)
  }
  while ((await ledger()).stored < EVENTS) await new Promise((resolve) => setTimeout(resolve, 50))
}, LIMIT_MS)

afterAll(async () => {
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

describe('the past judged again', { shuffle: false }, () => {
  let received: number
  let prose: number

  test('matches found live are known, and nothing is stored twice', { timeout: LIMIT_MS }, async () => {
    const before = await ledger()
    ;[received, prose] = [before.received, before.dead_lettered - LETTERS]
    const live = await alertsOf('Fives')
    expect(live).toHaveLength(2)
    for (const mode of [{ dry_run: true }, {}]) {
      const { rules, alerts } = await done((await replay(past(mode))).id)
      expect(rules).toMatchObject([{ rule_id: 'Fives', matches: 0, known: EVENTS / 5 }])
      expect(alerts).toBe(0)
    }
    expect(await signals()).toEqual(new Map([['Fives', { rows: EVENTS / 5, events: EVENTS / 5 }]]))
    expect(await alertsOf('Fives')).toEqual(live)
  })

  test('a new rule finds what it would have found live, once, even if the program is killed', { timeout: LIMIT_MS }, async () => {
    write('sevens.yml', rule('Sevens'))
    write('sevens.py', code(7))
    write('past.schema.yml', schema(''))
    expect(await call('content/reload', 'POST')).toMatchObject({ outcome: 'swapped' })
    const matches = Math.ceil(EVENTS / 7)
    const dry = await done((await replay(past({ rules: ['Sevens'], dry_run: true }))).id)
    expect(dry.rules).toMatchObject([{ rule_id: 'Sevens', matches, known: 0 }])
    expect((await signals()).has('Sevens')).toBe(false)

    const { id } = await replay(past({ rules: ['Sevens'] }))
    await killedOnTheWay(id, 2000)
    await killedOnTheWay(id, 5000)
    const live = await done(id)
    expect(live).toMatchObject({ records: { read: EVENTS, of: EVENTS }, alerts: dry.alerts })
    expect(live.rules).toMatchObject([{ rule_id: 'Sevens', matches, known: 0 }])
    expect((await done((await replay(past({ rules: ['Sevens'] }))).id)).rules).toMatchObject([{ matches: 0, known: matches }])

    expect((await signals()).get('Sevens')).toEqual({ rows: matches, events: matches })
    const alerts = await alertsOf('Sevens')
    expect(alerts.every(({ retroactive }) => retroactive)).toBe(true)
    expect(alerts.reduce((sum, { event_count }) => sum + event_count, 0)).toBe(matches)
    expect(alerts).toHaveLength(dry.alerts)
    // A window of ten hours of events for each of two dedup strings: they run on the events' own time.
    expect(alerts.length).toBeGreaterThanOrEqual(Math.floor((2 * EVENTS) / 620))
    const [[rows] = []] = await caracal.query("SELECT count() FROM matches.custom_past WHERE p_rule_id = 'Sevens'")
    expect(Number(rows)).toBe(matches)
  })

  test('dead letters become events after a fix, once, and the sum of records holds', { timeout: LIMIT_MS }, async () => {
    const dry = await done((await replay({ kind: 'dead-letters', dry_run: true })).id)
    expect(dry).toMatchObject({ stored: LETTERS, failing: { not_a_log: prose } })
    expect(await ledger()).toMatchObject({ stored: EVENTS, dead_lettered: LETTERS + prose })

    const { id } = await replay({ kind: 'dead-letters', reasons: ['missing_field'] })
    await killedOnTheWay(id, 200)
    expect(await done(id)).toMatchObject({ stored: LETTERS, failing: {} })
    expect(await ledger()).toMatchObject({
      received,
      stored: EVENTS + LETTERS,
      dead_lettered: prose,
      reasons: { not_a_log: prose },
    })
    expect(received).toBe(EVENTS + LETTERS + prose)
    expect(await done((await replay({ kind: 'dead-letters' })).id)).toMatchObject({ stored: 0, records: { read: prose } })

    const rows = await caracal.query(
      `SELECT count(), uniqExact(p_row_id), uniqExact(n) FROM logs.custom_past WHERE n >= ${EVENTS}`,
    )
    expect(rows.flat().map(Number)).toEqual([LETTERS, LETTERS, LETTERS])
    // They have the time when they were received.
    const [[apart] = []] = await caracal.query(
      'SELECT count() FROM logs.custom_past AS e JOIN monitor.dead_letters AS d ON e.p_row_id = d.p_row_id WHERE e.p_parse_time != d.p_parse_time',
    )
    expect(Number(apart)).toBe(0)
    const matches = LETTERS / 5
    const fives = await alertsOf('Fives')
    expect(fives.filter(({ retroactive }) => !retroactive).reduce((sum, { event_count }) => sum + event_count, 0)).toBe(
      EVENTS / 5,
    )
    expect(fives.filter(({ retroactive }) => retroactive).reduce((sum, { event_count }) => sum + event_count, 0)).toBe(matches)
    expect((await signals()).get('Fives')).toEqual({ rows: EVENTS / 5 + matches, events: EVENTS / 5 + matches })
  })

  test('one replay runs at a time, the others wait, and each can be cancelled', { timeout: LIMIT_MS }, async () => {
    const [first, second, third] = [await replay(past()), await replay(past()), await replay(past({ rules: ['Fives'] }))]
    await until(first.id, ({ records }) => records.read > 0)
    expect(await call(`replays/${second.id}`)).toMatchObject({ state: 'queued' })
    expect(await call(`replays/${second.id}`, 'DELETE')).toMatchObject({ state: 'cancelled' })
    expect(await call(`replays/${first.id}`, 'DELETE')).toMatchObject({ state: 'cancelled' })
    expect((await done(third.id)).rules).toMatchObject([{ matches: 0, known: EVENTS / 5 }])
    const { results } = await call<{ results: Replay[] }>('replays')
    expect(results.slice(0, 3).map(({ state }) => state)).toEqual(['done', 'cancelled', 'cancelled'])
    await expect(replay(past({ generation: 'feed' }))).rejects.toThrow('a replay judges with what is')
    await expect(replay(past({ log_types: ['Custom.Pats'] }))).rejects.toThrow('Custom.Past')
    expect(await caracal.end('SIGTERM')).toBe(0)
  })
})
