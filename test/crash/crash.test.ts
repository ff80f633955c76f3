import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/util/entry.ts'
import { Caracal, freePort } from '../support/caracal.ts'
import { seeded } from '../support/random.ts'
import { FlakyReceiver } from '../support/receiver.ts'
import { S3Store } from '../support/s3-store.ts'
import { TestServer } from '../support/servers.ts'
import { type Sent, sendByHttp, writeFiles, writeObjects } from './senders.ts'
import { checkWrittenRows } from './written-rows.ts'

/**
 * SIGKILLs at random moments while records arrive over HTTP, from files and from a bucket, with a receiver that fails half of the time,
 * a table that is refreshed and a schema that gains a column meanwhile. `npm run test:crash` does more of the same.
 */
const KILLS = Number(process.env['CRASH_KILLS'] ?? 3)
const EVENTS = Number(process.env['CRASH_EVENTS'] ?? 12_000)
/** Number of workers, alternating from start to start; 1: only the pipeline thread. */
const WORKERS = (process.env['CRASH_WORKERS'] ?? '3,1').split(',').map(Number)
const SEED = Number(process.env['CRASH_SEED'] ?? 20_260_515)
const FILE_FIRST = 10_000_000
const BUCKET_FIRST = 20_000_000

const folder = mkdtempSync(join(tmpdir(), 'caracal-crash-'))
const content = join(folder, 'content')
const logs = join(folder, 'logs')
const dataDir = join(folder, 'data')
const random = seeded(SEED)
const s3 = await new TestServer().listen()
const bucket = new S3Store(s3, 'logs')
const receiver = new FlakyReceiver(seeded(SEED + 1))
let running: Caracal | undefined
let hook: number

afterAll(async () => {
  await running?.end('SIGKILL')
  await receiver.close()
  await s3.close()
  rmSync(folder, { recursive: true, force: true })
})

async function prepare(): Promise<Caracal> {
  mkdirSync(logs, { recursive: true })
  cpSync(join(packageRoot(), 'test/crash/content'), content, { recursive: true })
  writeTable('first')
  writeFileSync(join(folder, 'secret'), bucket.credentials.secretAccessKey)
  hook = await receiver.listen()
  const port = await freePort()
  configure(port, 0)
  return new Caracal({ port, dataDir, cwd: folder, args: ['--config', join(folder, 'caracal.yml'), '--no-demo'] })
}

/** What the program is started with for that time. */
function configure(port: number, start: number): void {
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: dataDir,
    workers: WORKERS[start % WORKERS.length],
    content: [content],
    sources: [
      { type: 'http', id: 'web', log_types: ['Custom.Crash'] },
      {
        type: 's3',
        id: 'bucket',
        bucket: 'logs',
        endpoint: s3.url,
        auth: { access_key_id: 'AKIDTEST', secret_access_key: { file: join(folder, 'secret') } },
        prefixes: [{ prefix: 'app/', log_types: ['Custom.Crash'] }],
        poll_ms: 100,
      },
      { type: 'file', id: 'disk', log_types: ['Custom.Crash'], paths: [join(logs, 'app.log*')], poll_ms: 20, idle_ms: 300 },
    ],
    destinations: [{ type: 'webhook', id: 'hook', url: `http://127.0.0.1:${hook}/` }],
    delivery_retry_min_ms: 20,
    delivery_retry_max_ms: 200,
    flush_ms: 300,
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
}

function writeTable(note: string): void {
  const rows = Array.from({ length: 50 }, (_, i) => `203.0.113.${i * 5},${note}`)
  writeFileSync(join(content, 'tables/crash_hosts.csv'), `ip,note\n${rows.join('\n')}\n`)
}

/** Kills the lake's or the rules' process, as an out-of-memory killer would. */
function killChild(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  const victim = children[Math.floor(random() * children.length)]
  if (victim !== undefined) process.kill(victim, 'SIGKILL')
}

/** Adds a field to the schema. */
function addColumn(): void {
  const file = join(content, 'schemas/custom-crash.yml')
  writeFileSync(file, `${readFileSync(file, 'utf8')}  - name: added\n    type: string\n`)
}

test(`nothing is lost or doubled over ${KILLS} kills`, { timeout: 1_800_000 }, async () => {
  const caracal = await prepare()
  running = caracal
  await caracal.start()
  let over = false
  const token = () => readFileSync(join(dataDir, 'token'), 'utf8').trim()
  const byHttp = sendByHttp(
    () => caracal.port,
    token,
    EVENTS,
    100,
    () => over,
  )
  const byFile = writeFiles(logs, FILE_FIRST, EVENTS / 2, 200, (KILLS * 800 * 400) / EVENTS)
  const byBucket = writeObjects(bucket, BUCKET_FIRST, EVENTS / 2, 100, (KILLS * 800 * 200) / EVENTS)
  for (let kill = 0; kill < KILLS; kill++) {
    await new Promise((resolve) => setTimeout(resolve, 100 + random() * 1400))
    if (kill === Math.floor(KILLS / 3)) {
      writeTable('second')
      const refreshed = await caracal.fetch('/api/v1/tables/crash_hosts/refresh', { method: 'POST' })
      expect(refreshed.status).toBe(200)
    }
    if (kill % 3 === 2) {
      killChild(caracal.pid!)
      await new Promise((resolve) => setTimeout(resolve, random() * 600))
    }
    expect(await caracal.end('SIGKILL')).toBe('SIGKILL')
    if (kill === Math.floor(KILLS / 2)) addColumn()
    configure(caracal.port, kill + 1)
    await caracal.start()
  }
  const [http, disk, objects] = await Promise.all([byHttp, byFile, byBucket])
  const written = { bucket: objects, disk }
  over = true
  await everythingIn(caracal, http, written)
  await checkRows(caracal, http, [...disk.seqs, ...objects.seqs])
  await checkCounts(caracal, http, written)
  await checkAlerts(caracal)
  await checkWrittenRows(caracal)
  expect(await caracal.end('SIGTERM')).toBe(0)
})

interface SourceCounts {
  received: number
  stored: number
  filtered: number
  dead_lettered: number
  in_flight: number
  backlog_bytes: number
}

/** What was written to the sources that are read again, by source. */
type Written = Readonly<Record<string, { readonly seqs: readonly number[]; readonly broken: number }>>

async function counts(caracal: Caracal): Promise<Map<string, SourceCounts>> {
  const answer = (await (await caracal.fetch('/api/v1/sources')).json()) as {
    results: { id: string; backlog_bytes: number; records: Omit<SourceCounts, 'backlog_bytes'> }[]
  }
  return new Map(answer.results.map(({ id, records, backlog_bytes }) => [id, { ...records, backlog_bytes }]))
}

/** Waits until everything sent is committed. The test's time limit ends the wait if that never happens. */
async function everythingIn(caracal: Caracal, http: Sent, written: Written): Promise<void> {
  for (;;) {
    const now = await counts(caracal)
    const web = now.get('web')!
    const isRead = Object.entries(written).every(([id, { seqs, broken }]) => {
      const { received, in_flight } = now.get(id)!
      return in_flight === 0 && received >= seqs.length + broken
    })
    const quiet = web.backlog_bytes === 0 && web.in_flight === 0
    if (isRead && quiet && web.received >= http.sure.length + http.broken) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function checkRows(caracal: Caracal, http: Sent, otherSeqs: readonly number[]): Promise<void> {
  const rows: unknown[][] = []
  // In parts, because a response contains at most 10,000 rows.
  for (let part = 0; part < 40; part++)
    rows.push(
      ...(await caracal.query(
        `SELECT seq, count(), uniqExact(p_row_id) FROM logs.custom_crash WHERE seq % 40 = ${part} GROUP BY seq`,
      )),
    )
  const seen = new Map(rows.map(([seq, n]) => [Number(seq), Number(n)]))
  const doubled = rows.filter(([, n]) => Number(n) !== 1)
  expect(doubled.slice(0, 10)).toEqual([])
  const sure = [...http.sure, ...otherSeqs]
  expect(sure.filter((seq) => !seen.has(seq)).slice(0, 10)).toEqual([])
  for (const body of http.unsure) expect([0, body.length]).toContain(body.filter((seq) => seen.has(seq)).length)
  const maybe = new Set(http.unsure.flat())
  const known = new Set(sure)
  expect([...seen.keys()].filter((seq) => !known.has(seq) && !maybe.has(seq))).toEqual([])
}

async function checkCounts(caracal: Caracal, http: Sent, written: Written): Promise<void> {
  const now = await counts(caracal)
  for (const { received, stored, filtered, dead_lettered } of now.values())
    expect(received).toBe(stored + filtered + dead_lettered)
  for (const [id, { seqs, broken }] of Object.entries(written)) {
    const { stored, dead_lettered: dead } = now.get(id)!
    expect({ id, stored, dead }).toEqual({ id, stored: seqs.length, dead: broken })
  }
  const web = now.get('web')!
  const [[inLake] = []] = await caracal.query(`SELECT count() FROM logs.custom_crash WHERE p_source_id = 'web'`)
  expect(web.stored).toBe(Number(inLake))
  expect(web.dead_lettered).toBeGreaterThanOrEqual(http.broken)
  expect(web.dead_lettered).toBeLessThanOrEqual(http.broken + http.unsureBroken)
  const letters = await caracal.query(
    'SELECT source, reason, count(), uniqExact(p_row_id) FROM monitor.dead_letters GROUP BY source, reason ORDER BY source',
  )
  const expected = ['bucket', 'disk', 'web'].map((id) => {
    const { dead_lettered: dead } = now.get(id)!
    return [id, 'invalid_json', dead, dead]
  })
  expect(letters.map(([source, reason, n, distinct]) => [source, reason, Number(n), Number(distinct)])).toEqual(expected)
}

interface Alert {
  alert_id: string
  rule_id: string
  type: string
  title: string
  event_count: number
}

async function checkAlerts(caracal: Caracal): Promise<void> {
  const answer = (await (await caracal.fetch('/api/v1/alerts?limit=200')).json()) as { results: Alert[] }
  // The broken records also raise system alerts, whose number cannot be predicted.
  const alerts = answer.results.filter(({ type }) => type !== 'SYSTEM')
  const found = alerts.map(({ rule_id, title, event_count }) => [rule_id, title, event_count]).sort()
  const groups = await caracal.query(
    `SELECT concat('group ', "group"), count() FROM logs.custom_crash WHERE seq % 5 = 0 GROUP BY 1`,
  )
  const lanes = await caracal.query(`SELECT concat('lane ', lane), count() FROM logs.custom_crash WHERE seq % 7 = 0 GROUP BY 1`)
  const expected = [
    ...groups.map(([title, n]) => ['Test.Crash.Group', title, Number(n)]),
    ...lanes.map(([title, n]) => ['Test.Crash.Many', title, Number(n)]),
  ].sort()
  expect(found).toEqual(expected)
  const matches = await caracal.query(
    'SELECT p_rule_id, p_alert_id, count(), uniqExact(p_row_id) FROM matches.custom_crash GROUP BY 1, 2',
  )
  const byAlert = new Map(matches.map(([, alert, n, distinct]) => [alert, [Number(n), Number(distinct)]]))
  for (const { alert_id, event_count } of alerts) expect(byAlert.get(alert_id)).toEqual([event_count, event_count])
  await deliveriesDone(caracal, alerts.length)
  expect(
    delivered()
      .map((body) => body['alertId'])
      .sort(),
  ).toEqual(alerts.map(({ alert_id }) => alert_id).sort())
  expect(receiver.changed).toBe(0)
  console.log(
    `${receiver.tries} tries for ${receiver.accepted.size} deliveries, ${[...receiver.accepted.values()].filter((n) => n > 1).length} accepted again after a kill`,
  )
}

/** The alerts of rules that the receiver has accepted. */
function delivered(): Record<string, unknown>[] {
  return [...receiver.bodies.values()].filter((body) => body['type'] !== 'SYSTEM')
}

async function deliveriesDone(caracal: Caracal, alerts: number): Promise<void> {
  while (delivered().length < alerts) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    if (caracal.pid === undefined) throw new Error('caracal is not running')
  }
}
