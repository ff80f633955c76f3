import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { line } from './crash/senders.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { ClickhouseServer, whyNoServer } from './support/clickhouse-server.ts'
import { hasPostgres, PostgresServer } from './support/postgres.ts'
import { seeded } from './support/random.ts'
import { FlakyReceiver } from './support/receiver.ts'
import { until } from './support/until.ts'

/** The real program with everything in its data folder, then moved to two servers: nobody notices. In order. */
const USER_PASSWORD = 'seven quiet harbours'
const why = whyNoServer ?? (hasPostgres ? undefined : 'no package has the programs of PostgreSQL')

interface Alert {
  readonly alert_id: string
  readonly type: string
  readonly title: string
  readonly event_count: number
}

describe.skipIf(why)(`Caracal that is moved to servers${why ? ` (${why})` : ''}`, { shuffle: false, timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-migrate-'))
  const dataDir = join(folder, 'data')
  const file = join(folder, 'caracal.yml')
  const receiver = new FlakyReceiver(() => 0.9)
  const random = seeded(11)
  let postgres: PostgresServer
  let clickhouse: ClickhouseServer
  let caracal: Caracal
  let hook: number
  let servers: object
  let secret: string
  let rowsBefore: unknown[][]
  let alertsBefore: Alert[]
  let sent = 0
  /** Deliveries that were over before the program was killed. */
  let settled: string[]

  const configure = (part: object = {}) =>
    writeFileSync(
      file,
      JSON.stringify({
        listen: `127.0.0.1:${caracal.port}`,
        data_dir: dataDir,
        content: [join(folder, 'content')],
        sources: [{ type: 'http', id: 'web', log_types: ['Custom.Crash'] }],
        destinations: [{ type: 'webhook', id: 'hook', url: `http://127.0.0.1:${hook}/` }],
        delivery_retry_min_ms: 20,
        flush_ms: 200,
        ...part,
      }),
    )
  const cli = (...argv: string[]) => runWith({}, [...argv, '--config', file])
  const post = async (count: number) => {
    const body = Array.from({ length: count }, (_, i) => line(sent + i, 'http')).join('')
    expect((await caracal.fetch('/ingest/web', { method: 'POST', body })).status).toBe(202)
    sent += count
  }
  const stored = async () => Number((await caracal.query('SELECT count() FROM logs.custom_crash'))[0]![0])
  const alerts = async () =>
    ((await (await caracal.fetch('/api/v1/alerts?limit=200')).json()) as { results: Alert[] }).results.filter(
      ({ type }) => type !== 'SYSTEM',
    )
  const rows = () =>
    caracal.query('SELECT seq, lane, "group", p_row_id, p_event_time FROM logs.custom_crash WHERE seq < 200 ORDER BY seq')
  const signIn = () =>
    fetch(`http://127.0.0.1:${caracal.port}/api/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ana@example.com', password: USER_PASSWORD }),
    })
  const delivered = () => [...receiver.accepted.values()]

  /** The program's own process, so that it can be killed. */
  function migrate(...argv: string[]): {
    child: ChildProcess
    ended: Promise<{ code: number | null; out: string; err: string }>
  } {
    const child = spawn(process.execPath, [join(packageRoot(), 'bin/caracal.js'), 'migrate', '--config', file, ...argv], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout!.on('data', (text: Buffer) => (out += text.toString()))
    child.stderr!.on('data', (text: Buffer) => (err += text.toString()))
    return { child, ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err }))) }
  }

  beforeAll(async () => {
    postgres = await PostgresServer.start()
    clickhouse = await ClickhouseServer.start()
    hook = await receiver.listen()
    cpSync(join(packageRoot(), 'test/crash/content'), join(folder, 'content'), { recursive: true })
    writeFileSync(join(folder, 'content/tables/crash_hosts.csv'), 'ip,note\n203.0.113.5,first\n203.0.113.10,first\n')
    const port = await freePort()
    caracal = new Caracal({ port, dataDir, cwd: folder, args: ['--config', file, '--no-demo'] })
    const { database } = await postgres.database()
    servers = {
      state: { type: 'postgres', url: `postgres://caracal@127.0.0.1:${postgres.port}/${database}` },
      lake: clickhouse.lake,
    }
    configure()
    await caracal.start()
  }, 120_000)
  afterAll(async () => {
    await caracal?.end('SIGKILL')
    await receiver.close()
    await postgres?.stop()
    await clickhouse?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('it runs with everything in the data folder, and is killed with work under way', async () => {
    const { out } = await cli('users', 'first-link')
    const code = /setup\?code=([\w-]+)/.exec(out)![1]!
    const base = `http://127.0.0.1:${caracal.port}`
    const form = new URLSearchParams({ code, name: 'Ana', email: 'ana@example.com', password: USER_PASSWORD })
    await fetch(`${base}/setup`, { method: 'POST', headers: { origin: base }, body: form, redirect: 'manual' })
    expect((await signIn()).status).toBe(200)
    secret = (await cli('tokens', 'create', 'reader', '--role', 'viewer')).out.trim()
    const muted = await cli(
      'mutes',
      'add',
      '--rule',
      'Test.Crash.Group',
      '--dedup',
      'group g1',
      '--for',
      '7d',
      '--reason',
      'known',
      '--owner',
      'ana',
    )
    expect(muted).toMatchObject({ code: 0 })
    await post(200)
    await until(async () => (await stored()) === 200 || undefined)
    await until(async () => ((await alerts()).length > 20 && delivered().length >= 20 ? true : undefined))
    await until(async () => (await caracal.query('SELECT count() FROM lookups.crash_hosts'))[0]![0] === 2 || undefined)
    rowsBefore = await rows()
    settled = [...receiver.accepted.keys()]
    await post(100)
    await caracal.end('SIGKILL')
  })

  test('without a server in the configuration it says what to write', async () => {
    const { code, err } = await cli('migrate')
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/nothing to migrate.*state: \{type: postgres.*lake: \{type: clickhouse/s),
    ])
  })

  test('it does not start with empty servers instead', async () => {
    configure(servers)
    await expect(caracal.start()).rejects.toThrow(/has a lake.*Run `caracal migrate`/s)
    configure({ ...servers, lake: { type: 'chdb' } })
    await expect(caracal.start()).rejects.toThrow(/has a state in SQLite.*Run `caracal migrate`/s)
    configure(servers)
  })

  test('a migration that is killed again and again comes to its end', async () => {
    for (let kills = 0; kills < 5; kills++) {
      const { child, ended } = migrate()
      await setTimeout(300 + random() * 400 * 2 ** kills)
      child.kill('SIGKILL')
      await ended
    }
    const { code, out, err } = await migrate().ended
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/Moved in .* Start Caracal with `caracal up`|Nothing is left to migrate/)
    const kept = readdirSync(dataDir)
    expect(kept.filter((name) => name.startsWith('state.db'))).toEqual([expect.stringMatching(/^state\.db\.migrated-/)])
    expect(kept.filter((name) => name.startsWith('lake'))).toEqual([
      expect.stringMatching(/^lake-owner$/),
      expect.stringMatching(/^lake\.migrated-/),
    ])
    expect(kept.filter((name) => /moving/.test(name))).toEqual([])
    expect(await cli('migrate')).toMatchObject({ code: 0, out: `Nothing is left to migrate in ${dataDir}.\n` })
  })

  test('with the configuration as it was it does not begin with nothing', async () => {
    configure()
    await expect(caracal.start()).rejects.toThrow(/lake of the data folder .* was moved to a server/)
    expect(await cli('migrate')).toMatchObject({ code: 1, err: expect.stringContaining('nothing is moved from a server back') })
    configure(servers)
  })

  test('it goes on as if nothing had happened', async () => {
    await caracal.start()
    await until(async () => (await stored()) === 300 || undefined)
    expect(await caracal.query('SELECT uniqExact(seq), uniqExact(p_row_id) FROM logs.custom_crash')).toEqual([[300, 300]])
    expect(await rows()).toEqual(rowsBefore)
    expect(await caracal.query('SELECT count() FROM lookups.crash_hosts')).toEqual([[2]])
    expect((await signIn()).status).toBe(200)
    const asReader = await caracal.fetch('/api/v1/alerts', { headers: { authorization: `Bearer ${secret}` } })
    expect(asReader.status).toBe(200)
    expect((await cli('mutes', 'list')).out).toContain('known')
    const counts = async () =>
      new Map(
        (
          await caracal.query(`SELECT concat('group ', "group"), count() FROM logs.custom_crash WHERE seq % 5 = 0 GROUP BY 1`)
        ).map(([title, n]) => [title, Number(n)]),
      )
    await until(async () => {
      const [now, all] = [await alerts(), await counts()]
      return (
        now.filter(({ title }) => title.startsWith('group')).every(({ title, event_count }) => event_count === all.get(title)) ||
        undefined
      )
    })
    alertsBefore = await alerts()
    await until(async () => (new Set(alertsBefore.map(({ alert_id }) => alert_id)).size <= delivered().length ? true : undefined))
  })

  test('the next matching event joins the alert that there was, and nothing is sent again', async () => {
    await post(100)
    await until(async () => (await stored()) === 400 || undefined)
    const groups = await caracal.query(
      `SELECT concat('group ', "group"), count() FROM logs.custom_crash WHERE seq % 5 = 0 AND "group" != 'g1' GROUP BY 1`,
    )
    const expected = groups.map(([title, n]) => [title, Number(n)]).sort()
    const now = await until(async () => {
      const found = (await alerts()).filter(({ title }) => title.startsWith('group'))
      return found.reduce((sum, { event_count }) => sum + event_count, 0) === expected.reduce((sum, [, n]) => sum + Number(n), 0)
        ? found
        : undefined
    })
    expect(now.map(({ title, event_count }) => [title, event_count]).sort()).toEqual(expected)
    const known = new Map(alertsBefore.map(({ title, alert_id }) => [title, alert_id]))
    for (const { title, alert_id } of now) if (known.has(title)) expect(alert_id, title).toBe(known.get(title))
    expect(now.filter(({ title }) => known.has(title)).length).toBeGreaterThan(20)
    for (const id of settled) expect(receiver.accepted.get(id)).toBe(1)
    expect(readFileSync(join(packageRoot(), 'docs/state.md'), 'utf8')).toContain('caracal migrate')
  })
})
