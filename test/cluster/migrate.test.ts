import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { packageRoot } from '../../src/util/entry.ts'
import { line } from '../crash/senders.ts'
import { Caracal, freePort } from '../support/caracal.ts'
import { seeded } from '../support/random.ts'
import { until } from '../support/until.ts'
import { alertsOf } from './alerts.ts'
import { writeNumberedContent } from './numbered.ts'
import { Servers, whyNoServers } from './servers.ts'
import { SEED, SIZE, SIZE_NAME } from './size.ts'

const BODY = 5000
/** Number of consecutive records that belong to one alert. */
const BLOCK = SIZE.migratedEvents / SIZE.migratedAlerts
const KILLS = 5
/** The rest of a block, whose alert is open when the state is moved. */
const LATER = BLOCK / 10

/** One process that has run for a while with everything in its folder, moved to Kafka, PostgreSQL and a ClickHouse cluster. In order. */
describe.skipIf(whyNoServers)(`a full data folder${whyNoServers ? ` (${whyNoServers})` : ''}`, { shuffle: false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-cluster-migrate-'))
  const dataDir = join(folder, 'data')
  const file = join(folder, 'caracal.yml')
  const random = seeded(SEED)
  let servers: Servers
  let caracal: Caracal
  let before: Awaited<ReturnType<typeof everything>>
  let sent = 0

  const configure = (part: object = {}) => {
    const own = { listen: `127.0.0.1:${caracal.port}`, data_dir: dataDir, content: [join(folder, 'content')] }
    writeFileSync(file, JSON.stringify({ ...own, sources: [{ type: 'http', id: 'web', log_types: ['Custom.Crash'] }], ...part }))
  }

  async function post(count: number): Promise<void> {
    for (const end = sent + count; sent < end; ) {
      const body = Array.from({ length: Math.min(BODY, end - sent) }, (_, i) => line(sent + i, 'http')).join('')
      const answer = await caracal.fetch('/ingest/web', { method: 'POST', body })
      if (answer.ok) sent += Math.min(BODY, end - sent)
      // The spool has enough.
      else if (answer.status === 429) await sleep(200)
      else throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`)
    }
  }

  /** Resolves when what was sent is stored, and its matches are in alerts and in the lake. */
  async function stored(): Promise<void> {
    const matches = Math.ceil(sent / 5) + Math.ceil(sent / 7)
    const now = async () => [
      Number((await caracal.query('SELECT count() FROM logs.custom_crash'))[0]![0]),
      Number((await caracal.query("SELECT count() FROM matches.custom_crash WHERE p_alert_id != ''"))[0]![0]),
    ]
    await expect.poll(now, { timeout: 1_800_000, interval: 500 }).toEqual([sent, matches])
  }

  /** All that a person can see of it, as sums. */
  async function everything() {
    const sums = await Promise.all(
      [
        'SELECT count(), uniqExact(p_row_id), sum(cityHash64(p_row_id, seq, lane, "group", ip, toString(p_event_time), toString(p_parse_time))) FROM logs.custom_crash',
        'SELECT count(), sum(cityHash64(p_row_id, p_alert_id, p_rule_id)) FROM matches.custom_crash',
        'SELECT kind, value, sum(count) FROM monitor.indicators GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 1000',
        'SELECT "group", count(), min(seq), max(seq), quantileExact(0.5)(seq) FROM logs.custom_crash GROUP BY 1 ORDER BY 1',
        'SELECT count() FROM lookups.crash_hosts',
      ].map((sql) => caracal.query(sql)),
    )
    const alerts = (await alertsOf(caracal)).map(({ alert_id, rule_id, title, status, event_count, created_time }) =>
      JSON.stringify([alert_id, rule_id, title, status, event_count, created_time]),
    )
    return { sums, alerts: alerts.sort() }
  }

  function migrate(): { readonly child: ChildProcess; readonly ended: Promise<{ code: number | null; text: string }> } {
    const child = spawn(process.execPath, [join(packageRoot(), 'bin/caracal.js'), 'migrate', '--config', file], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (bytes: Buffer) => (text += bytes.toString()))
    return { child, ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, text }))) }
  }

  beforeAll(async () => {
    servers = await Servers.start()
    writeNumberedContent(join(folder, 'content'), BLOCK)
    caracal = new Caracal({ port: await freePort(), dataDir, cwd: folder, args: ['--config', file, '--no-demo'] })
    configure()
    await caracal.start()
  })
  afterAll(async () => {
    await caracal?.end('SIGKILL')
    await servers?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('it is filled', async () => {
    onTestFailed(() => console.log(caracal.output))
    const started = performance.now()
    // The last block is not complete: what comes later joins its alert.
    await post(SIZE.migratedEvents - LATER)
    await stored()
    const all = await alertsOf(caracal)
    expect(all.filter(({ rule_id }) => rule_id === 'Test.Crash.Many')).toHaveLength(SIZE.migratedAlerts)
    const [one] = all
    const triaged = await caracal.fetch(`/api/v1/alerts/${one!.alert_id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ status: 'TRIAGED' }),
    })
    expect(await triaged.json()).toMatchObject({ status: 'TRIAGED' })
    before = await everything()
    expect(await caracal.end('SIGTERM')).toBe(0)
    console.log(`${SIZE_NAME}: ${sent} events and ${all.length} alerts made in ${seconds(started)} s`)
  })

  test('a migration that is killed in the middle several times comes to its end', async () => {
    configure(servers.config)
    const started = performance.now()
    const moments: string[] = []
    for (let kills = 0; kills < KILLS; kills++) {
      const { child, ended } = migrate()
      const from = performance.now()
      // Later each time: the first kill is in its beginning, the last ones in the middle of the rows.
      const wait = 500 + (0.5 + random()) * PACE_MS * 2 ** kills
      if (await Promise.race([ended.then(() => true), sleep(wait, false)])) break
      child.kill('SIGKILL')
      await ended
      moments.push(seconds(from))
    }
    expect(moments.length).toBeGreaterThanOrEqual(3)
    const last = performance.now()
    const { code, text } = await migrate().ended
    expect([code, text]).toEqual([
      0,
      expect.stringMatching(/Moved in .* Start Caracal with `caracal up`|Nothing is left to migrate/),
    ])
    expect(readdirSync(dataDir).filter((name) => /moving/.test(name))).toEqual([])
    console.log(
      `${SIZE_NAME}: moved in ${seconds(started)} s: killed after ${moments.join(', ')} s, then ${seconds(last)} s to its end`,
    )
  })

  test('everything is there, and what comes now joins the alerts that were open', async () => {
    onTestFailed(() => console.log(caracal.output))
    await caracal.start()
    await until(async () => (await caracal.query('SELECT count() FROM lookups.crash_hosts'))[0]![0] === 50 || undefined)
    expect(await everything()).toEqual(before)
    await post(LATER)
    await stored()
    const known = new Set(before.alerts.map((text) => (JSON.parse(text) as [string])[0]))
    const now = await alertsOf(caracal)
    expect(now.filter(({ alert_id }) => !known.has(alert_id))).toEqual([])
    const counted = now.reduce((sum, { event_count }) => sum + event_count, 0)
    expect(counted).toBe(Math.ceil(sent / 5) + Math.ceil(sent / 7))
  })
})

/** How long the first of the kills waits, about. */
const PACE_MS = Math.max(200, SIZE.migratedEvents / 1000)

const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1)
