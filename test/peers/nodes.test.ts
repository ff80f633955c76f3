import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../../src/util/entry.ts'
import { line } from '../crash/senders.ts'
import { Caracal, freePort } from '../support/caracal.ts'
import { ClickhouseServer, whyNoServer } from '../support/clickhouse-server.ts'
import { hasPostgres, PostgresServer } from '../support/postgres.ts'
import { seeded } from '../support/random.ts'
import { FlakyReceiver } from '../support/receiver.ts'
import { Broker, kafkaPeer } from './support/kafka.ts'

/**
 * Nodes with state, lake and spool on real servers: two that receive, one that is active, one that waits, one that forwards. The active one is
 * killed, and another time stopped and continued, while records arrive. What docs/nodes.md says holds. In order.
 */
const BODY_RECORDS = 50
/** Pause between two bodies in milliseconds, so that they arrive for as long as the nodes are killed. */
const PAUSE_MS = 40
const WAIT = { timeout: 120_000, interval: 50 }
const why = kafkaPeer.why ?? whyNoServer ?? (hasPostgres ? undefined : 'PostgreSQL is not installed')
const page = readFileSync(join(import.meta.dirname, '../../docs/nodes.md'), 'utf8')

interface Sent {
  /** Acknowledged: must be stored once. */
  readonly sure: number[]
  /** Bodies without an answer: stored as a whole or not at all. */
  unsure: number
}

interface Alert {
  readonly alert_id: string
  readonly type: string
  readonly title: string
  readonly event_count: number
}

async function post({ port }: Caracal, secret: string, body: string): Promise<'taken' | 'again' | 'unsure'> {
  try {
    const url = `http://127.0.0.1:${port}/ingest/web`
    const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${secret}` }, body })
    await answer.arrayBuffer()
    return answer.ok ? 'taken' : 'again'
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    return code === 'ECONNREFUSED' ? 'again' : 'unsure'
  }
}

interface Problem {
  readonly what: string
  readonly message: string
}

/** That matches nothing. */
const OWN_RULE =
  'AnalysisType: rule\nRuleID: Test.Own\nEnabled: true\nLogTypes: [Custom.Crash]\nSeverity: Low\nDetection:\n  - { Key: lane, Condition: Equals, Value: none }\n'
const MADE_RULE = OWN_RULE.replace('Test.Own', 'Test.Made')

describe.skipIf(why)(`several nodes${why ? ` (${why})` : ''}`, { shuffle: false, timeout: 900_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-peer-nodes-'))
  const receiver = new FlakyReceiver(seeded(5))
  const nodes = new Map<string, Caracal>()
  let postgres: PostgresServer
  let clickhouse: ClickhouseServer
  let broker: Broker
  let database: string
  let token: string
  let sending: Promise<Sent>
  let sent: Sent
  let isOver = false
  let activeName = 'one'

  const one = () => nodes.get('one')!
  const two = () => nodes.get('two')!
  async function node(name: string, ...args: string[]): Promise<Caracal> {
    const port = await freePort()
    const dataDir = join(folder, name)
    const machine = join(folder, 'machines', name)
    mkdirSync(join(machine, 'rules'), { recursive: true })
    const own = ['--node', name, '--listen', `127.0.0.1:${port}`, '--data-dir', dataDir]
    const made = new Caracal({
      ...{ port, dataDir, cwd: machine },
      args: ['--config', join(folder, 'caracal.yml'), '--no-demo', ...own, ...args],
    })
    nodes.set(name, made)
    return made
  }
  const count = async (what: string) => Number((await postgres.ask(database, `SELECT count(*) AS n FROM ${what}`))[0]!['n'])
  const records = async () => Number((await postgres.ask(database, 'SELECT coalesce(sum(n), 0) AS n FROM counters'))[0]!['n'])
  const progress = async (n: number) => {
    const before = await records()
    await expect.poll(records, WAIT).toBeGreaterThan(before + n)
  }
  const status = async ({ port }: Caracal) => {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined)
    return ((await answer?.json().catch(() => undefined)) as { status: string } | undefined)?.status ?? 'none'
  }
  /** Posts bodies to the nodes that receive, in turn, until `isOver`. Those without an answer are not sent again. */
  async function send(isOver: () => boolean): Promise<Sent> {
    const all: Sent = { sure: [], unsure: 0 }
    for (let body = 0; !isOver(); body++) {
      const seqs = Array.from({ length: BODY_RECORDS }, (_, i) => body * BODY_RECORDS + i)
      const text = seqs.map((seq) => line(seq, 'http')).join('')
      for (let attempt = body; ; attempt++) {
        const outcome = await post(nodes.get(attempt % 2 ? 'edge-1' : 'edge-2')!, token, text)
        if (outcome === 'taken') all.sure.push(...seqs)
        if (outcome === 'unsure') all.unsure++
        if (outcome !== 'again') break
        await sleep(PAUSE_MS)
      }
      await sleep(PAUSE_MS)
    }
    return all
  }
  const isActive = async (caracal: Caracal) => expect.poll(() => status(caracal), WAIT).toMatch(/^(?:ok|degraded|failing)$/)

  beforeAll(async () => {
    postgres = await PostgresServer.start()
    clickhouse = await ClickhouseServer.start()
    broker = await Broker.start()
    database = (await postgres.database()).database
    const hook = await receiver.listen()
    cpSync(join(packageRoot(), 'test/crash/content'), join(folder, 'content'), { recursive: true })
    const rows = Array.from({ length: 50 }, (_, i) => `203.0.113.${i * 5},first`)
    writeFileSync(join(folder, 'content/tables/crash_hosts.csv'), `ip,note\n${rows.join('\n')}\n`)
    const own = {
      AnalysisType: 'lookup_table',
      LookupName: 'own_hosts',
      Filename: 'own_hosts.csv',
      LogTypeMap: { PrimaryKey: 'ip' },
    }
    writeFileSync(join(folder, 'content/tables/own_hosts.yml'), JSON.stringify(own))
    writeFileSync(join(folder, 'content/tables/own_hosts.csv'), 'ip,note\n192.0.2.1,first\n')
    writeFileSync(
      join(folder, 'caracal.yml'),
      JSON.stringify({
        // The second one is relative: each machine has its own.
        content: [join(folder, 'content'), 'rules'],
        sources: [{ type: 'http', id: 'web', log_types: ['Custom.Crash'] }],
        destinations: [{ type: 'webhook', id: 'hook', url: `http://127.0.0.1:${hook}/` }],
        delivery_retry_min_ms: 20,
        delivery_retry_max_ms: 200,
        flush_ms: 300,
        state: { type: 'postgres', url: `postgres://caracal@127.0.0.1:${postgres.port}/${database}` },
        lake: clickhouse.lake,
        spool: { type: 'kafka', brokers: [`127.0.0.1:${broker.ports.plain}`] },
      }),
    )
    await (await node('one')).start()
    await node('two')
    mkdirSync(join(folder, 'machines/two/content'))
    writeFileSync(join(folder, 'machines/two/content/own.yml'), OWN_RULE)
    await two().start()
    const made = await one().fetch('/api/v1/tokens', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'edges', role: 'ingest' }),
    })
    token = ((await made.json()) as { token: string }).token
    await (await node('edge-1', '--role', 'ingest')).start()
    await (await node('edge-2', '--role', 'ingest,api')).start()
    await (await node('door', '--role', 'api')).start()
  })
  afterAll(async () => {
    for (const made of nodes.values()) await made.end('SIGKILL').catch(() => {})
    await receiver.close()
    await broker?.stop()
    await clickhouse?.stop()
    await postgres?.stop()
    process.exitCode = 0
    rmSync(folder, { recursive: true, force: true })
  })

  test('the second node is a standby, which says who is active', async () => {
    const health = await fetch(`http://127.0.0.1:${two().port}/healthz`)
    expect([health.status, await health.json()]).toEqual([200, { status: 'standby', node: 'two', active: 'one' }])
  })

  /** The answer to a call of the API at a node, with the token of the data folder of the active one. */
  const through = (name: string, path: string, init: RequestInit = {}) => {
    const secret = readFileSync(join(folder, activeName, 'token'), 'utf8').trim()
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...init.headers }
    return fetch(`http://127.0.0.1:${nodes.get(name)!.port}${path}`, { ...init, headers })
  }

  test.each(['two', 'door', 'edge-2'])(
    'the node %s answers for the active one: pages, queries, uploads, and refusals',
    async (name) => {
      const page = await fetch(`http://127.0.0.1:${nodes.get(name)!.port}/alerts`, { headers: { accept: 'text/html' } })
      expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<base href="/"')])
      const query = { method: 'POST', body: JSON.stringify({ sql: 'SELECT count() FROM numbers(1000000)' }) }
      expect(await (await through(name, '/api/v1/query', query)).json()).toMatchObject({ rows: [[1_000_000]] })
      const content = `ip,note\n${Array.from({ length: 4000 }, (_, i) => `198.51.${i >> 8}.${i & 255},${name}`).join('\n')}\n`
      const upload = { method: 'PUT', body: JSON.stringify({ content, accept: true }) }
      const uploaded = await through(name, '/api/v1/tables/own_hosts/content', upload)
      expect([uploaded.status, await uploaded.json()]).toEqual([200, expect.objectContaining({ rows: 4000 })])
      const wrong = await through(name, '/api/v1/query', { ...query, headers: { authorization: `Bearer ${name}` } })
      expect(wrong.status).toBe(401)
      expect(await (await fetch(`http://127.0.0.1:${nodes.get(name)!.port}/healthz`)).json()).toMatchObject({ node: name })
    },
  )

  test('a node that receives has no API, and knows senders by the tokens of the state', async () => {
    const { port } = nodes.get('edge-1')!
    expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()).toEqual({
      status: 'ok',
      node: 'edge-1',
      roles: ['ingest'],
    })
    expect(await post(nodes.get('edge-1')!, 'caracal_wrong', line(0, 'none'))).toBe('again')
    expect(await post(nodes.get('edge-1')!, token, 'not JSON\n')).toBe('taken')
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/alerts`)).status).toBe(404)
  })

  test('rules are written and switched off through a node', async () => {
    const made = await through('door', '/api/v1/rules', { method: 'POST', body: JSON.stringify({ yaml: MADE_RULE }) })
    expect([made.status, await made.json()]).toEqual([200, expect.objectContaining({ outcome: 'swapped' })])
    const off = await through('two', '/api/v1/rules/Test.Crash.Group', {
      method: 'PATCH',
      body: JSON.stringify({ enabled: false }),
    })
    expect(off.status).toBe(200)
    const on = await through('two', '/api/v1/rules/Test.Crash.Group', {
      method: 'PATCH',
      body: JSON.stringify({ enabled: true }),
    })
    expect(on.status).toBe(200)
    const low = await through('two', '/api/v1/rules/Test.Crash.Many', {
      method: 'PATCH',
      body: JSON.stringify({ severity: 'High' }),
    })
    expect(low.status).toBe(200)
  })

  test('the standby takes over when the active node is killed', async () => {
    sending = send(() => isOver)
    await progress(400)
    await one().end('SIGKILL')
    const seen = new Set<number>()
    activeName = 'two'
    await expect
      .poll(async () => {
        const { status: now } = await through('door', '/api/v1/alerts')
        seen.add(now)
        return now
      }, WAIT)
      .toBe(200)
    expect([...seen]).toEqual([503, 200])
    await isActive(two())
    await progress(200)
    await one().start()
    expect(await status(one())).toBe('standby')
  })

  test('what was written through nodes is in the files of the one that took over', async () => {
    const rule = async (id: string) => (await through('two', `/api/v1/rules/${id}`)).json()
    expect(await rule('Test.Made')).toMatchObject({ id: 'Test.Made', enabled: true })
    expect(await rule('Test.Crash.Many')).toMatchObject({ severity: 'HIGH', enabled: true })
    expect(two().output).toMatch(/Took over what was changed in the console while one was active: rules: .*overrides\.yml/)
  })

  test('rules that only the node has that took over are a problem until its files are changed', async () => {
    const problems = async () => {
      const { system_problems } = (await (await two().fetch('/api/v1/health')).json()) as { system_problems: Problem[] }
      return system_problems.filter(({ what }) => what === 'ContentDiffers').map(({ message }) => message)
    }
    expect(await problems()).toEqual(['two has become active with other content than one had: content: own.yml'])
    rmSync(join(folder, 'machines/two/content/own.yml'))
    expect((await two().fetch('/api/v1/content/reload', { method: 'POST' })).ok).toBe(true)
    expect(await problems()).toEqual([])
  })

  test('a node that is stopped for longer is replaced, and ends when it continues', async () => {
    process.kill(two().pid!, 'SIGSTOP')
    await isActive(one())
    await progress(200)
    const ended = two().end('SIGCONT')
    expect(await ended).toBe(1)
    expect(two().output).toContain('Another node has become the active one')
    await two().start()
    expect(await status(two())).toBe('standby')
  })

  test('a receiving node that is killed loses nothing that it has acknowledged', async () => {
    const edge = nodes.get('edge-1')!
    await edge.end('SIGKILL')
    await progress(100)
    await edge.start()
    await progress(100)
    isOver = true
    sent = await sending
  })

  test('every record that was acknowledged is stored once, and its alerts were raised once', async () => {
    const stored = async () =>
      (
        await one()
          .query('SELECT uniqExact(seq) FROM logs.custom_crash')
          .catch(() => [])
      )[0]?.[0]
    await expect.poll(async () => Number(await stored()), WAIT).toBeGreaterThanOrEqual(sent.sure.length)
    await expect
      .poll(async () => {
        const answer = await one().fetch('/api/v1/sources')
        const { results } = (await answer.json()) as { results: { id: string; backlog_bytes: number }[] }
        return results.find(({ id }) => id === 'web')!.backlog_bytes
      }, WAIT)
      .toBe(0)
    const rows = await one().query('SELECT count(), uniqExact(seq), uniqExact(p_row_id) FROM logs.custom_crash')
    const [total, seqs, ids] = rows[0]!.map(Number)
    expect([total, ids]).toEqual([seqs, seqs])
    // A body without an answer is stored as a whole or not at all.
    expect(total).toBeGreaterThanOrEqual(sent.sure.length)
    expect((total! - sent.sure.length) % BODY_RECORDS).toBe(0)
    expect(total! - sent.sure.length).toBeLessThanOrEqual(sent.unsure * BODY_RECORDS)
    const answer = (await (await one().fetch('/api/v1/alerts?limit=200')).json()) as { results: Alert[] }
    const alerts = answer.results.filter(({ type }) => type !== 'SYSTEM')
    const groups = await one().query(
      `SELECT concat('group ', "group"), count() FROM logs.custom_crash WHERE seq % 5 = 0 GROUP BY 1`,
    )
    const lanes = await one().query(`SELECT concat('lane ', lane), count() FROM logs.custom_crash WHERE seq % 7 = 0 GROUP BY 1`)
    const expected = [...groups, ...lanes].map(([title, n]) => [title, Number(n)])
    expect(alerts.map(({ title, event_count }) => [title, event_count]).sort()).toEqual(expected.sort())
    await expect.poll(() => count("deliveries WHERE state = 'pending'"), WAIT).toBe(0)
    const ours = new Set(alerts.map(({ alert_id }) => alert_id))
    const delivered = [...receiver.bodies.values()].map((body) => String(body['alertId'])).filter((id) => ours.has(id))
    expect(delivered.sort()).toEqual([...ours].sort())
    expect(receiver.changed).toBe(0)
  })

  test('the standby has the versions of tables that the active node has', () => {
    const list = (name: string) => readFileSync(join(folder, name, 'tables/crash_hosts/versions.json'), 'utf8')
    expect(JSON.parse(list('one')).versions[0].version).toBe(JSON.parse(list('two')).versions[0].version)
    expect(page).toContain('standby')
  })
})
