import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { type Sent, sendByHttp } from './crash/senders.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { CutProxy } from './support/cut-proxy.ts'
import { hasPostgres, PostgresServer } from './support/postgres.ts'
import { seeded } from './support/random.ts'
import { FlakyReceiver } from './support/receiver.ts'
import { until } from './support/until.ts'

/**
 * The real program with its state on a real server, over a connection that can be cut: both are killed while records arrive. What
 * docs/state.md says holds.
 */
const EVENTS = 9000
const PASSWORD = 'seven quiet harbours'
const page = readFileSync(join(import.meta.dirname, '../docs/state.md'), 'utf8')

interface Alert {
  readonly alert_id: string
  readonly type: string
  readonly title: string
  readonly event_count: number
}

describe.skipIf(!hasPostgres)('Caracal with its state on PostgreSQL', { shuffle: false, timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-on-postgres-'))
  const dataDir = join(folder, 'data')
  const file = join(folder, 'caracal.yml')
  const receiver = new FlakyReceiver(seeded(7))
  let server: PostgresServer
  let proxy: CutProxy
  let caracal: Caracal
  let database: string
  let sending: Promise<Sent>
  let sent: Sent

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
        delivery_retry_max_ms: 200,
        flush_ms: 300,
        state: { type: 'postgres', url: `postgres://caracal@127.0.0.1:${proxy.port}/${database}` },
        ...part,
      }),
    )
  let hook: number
  const count = async (what: string) => Number((await server.ask(database, `SELECT count(*) AS n FROM ${what}`))[0]!['n'])
  const cli = (...argv: string[]) => runWith({}, [...argv, '--config', file])
  const signIn = () =>
    fetch(`http://127.0.0.1:${caracal.port}/api/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ana@example.com', password: PASSWORD }),
    })

  beforeAll(async () => {
    server = await PostgresServer.start()
    proxy = await CutProxy.start(server.port)
    database = (await server.database()).database
    hook = await receiver.listen()
    cpSync(join(packageRoot(), 'test/crash/content'), join(folder, 'content'), { recursive: true })
    const rows = Array.from({ length: 50 }, (_, i) => `203.0.113.${i * 5},first`)
    writeFileSync(join(folder, 'content/tables/crash_hosts.csv'), `ip,note\n${rows.join('\n')}\n`)
    const port = await freePort()
    caracal = new Caracal({ port, dataDir, cwd: folder, args: ['--config', file, '--no-demo'] })
    configure()
    await caracal.start()
  }, 120_000)
  afterAll(async () => {
    await caracal.end('SIGKILL')
    await receiver.close()
    proxy.close()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('the data folder has no state of its own', () => {
    expect(readdirSync(dataDir)).not.toContain('state.db')
    expect(readdirSync(dataDir)).toContain('state-database')
  })

  test('a person sets a password and signs in', async () => {
    const { out } = await cli('users', 'first-link')
    const code = /setup\?code=([\w-]+)/.exec(out)![1]!
    const base = `http://127.0.0.1:${caracal.port}`
    const form = new URLSearchParams({ code, name: 'Ana', email: 'ana@example.com', password: PASSWORD })
    const set = await fetch(`${base}/setup`, { method: 'POST', headers: { origin: base }, body: form, redirect: 'manual' })
    expect([set.status, set.headers.get('location')]).toEqual([303, expect.stringContaining('done=password')])
    expect((await signIn()).status).toBe(200)
    expect(await count('users')).toBe(1)
  })

  test('records are judged and alerts delivered while Caracal, the server and their connection are killed', async () => {
    let isOver = false
    const token = () => readFileSync(join(dataDir, 'token'), 'utf8').trim()
    sending = sendByHttp(
      () => caracal.port,
      token,
      EVENTS,
      100,
      () => isOver,
    )
    const progress = async (batches: number) => {
      const read = async () => Number((await server.ask(database, `SELECT coalesce(sum(n), 0) AS n FROM counters`))[0]!['n'])
      const before = await read()
      await until(async () => ((await read()) >= before + batches * 200 ? true : undefined))
    }
    await progress(2)
    await caracal.end('SIGKILL')
    await caracal.start()
    await progress(1)
    await server.kill()
    // Long enough that readers give up.
    const refused = await until(async () => {
      const answer = await caracal.fetch('/api/v1/alerts')
      return answer.ok ? undefined : answer
    })
    expect([refused.status, await refused.text()]).toEqual([
      503,
      expect.stringContaining('does not answer, so nothing can be read'),
    ])
    server.launch()
    await progress(1)
    await proxy.cutAt('COMMIT', 'answer')
    await proxy.cutAt('COMMIT', 'lose')
    await proxy.cutAt('insert into "outbox"', 'lose')
    sent = await sending
    isOver = true
  })

  test('every record that was acknowledged is stored once, and its alerts were raised and delivered once', async () => {
    await until(async () => {
      const { results } = (await (await caracal.fetch('/api/v1/sources')).json()) as {
        results: { id: string; backlog_bytes: number; records: { in_flight: number; received: number } }[]
      }
      const web = results.find(({ id }) => id === 'web')!
      const isRead = web.backlog_bytes === 0 && web.records.in_flight === 0
      return isRead && web.records.received >= sent.sure.length + sent.broken ? true : undefined
    })
    const rows = await caracal.query('SELECT count(), uniqExact(seq), uniqExact(p_row_id) FROM logs.custom_crash')
    const [total, seqs, ids] = rows[0]!.map(Number)
    expect([total, ids]).toEqual([seqs, seqs])
    // A body without an answer is stored as a whole or not at all.
    expect(total).toBeGreaterThanOrEqual(sent.sure.length)
    expect((total! - sent.sure.length) % 100).toBe(0)
    expect(total! - sent.sure.length).toBeLessThanOrEqual(sent.unsure.flat().length)
    const answer = (await (await caracal.fetch('/api/v1/alerts?limit=200')).json()) as { results: Alert[] }
    const alerts = answer.results.filter(({ type }) => type !== 'SYSTEM')
    const groups = await caracal.query(
      `SELECT concat('group ', "group"), count() FROM logs.custom_crash WHERE seq % 5 = 0 GROUP BY 1`,
    )
    const lanes = await caracal.query(`SELECT concat('lane ', lane), count() FROM logs.custom_crash WHERE seq % 7 = 0 GROUP BY 1`)
    const expected = [...groups, ...lanes].map(([title, n]) => [title, Number(n)])
    expect(alerts.map(({ title, event_count }) => [title, event_count]).sort()).toEqual(expected.sort())
    await until(async () => ((await count("deliveries WHERE state = 'pending'")) === 0 ? true : undefined))
    const ours = new Set(alerts.map(({ alert_id }) => alert_id))
    const delivered = [...receiver.bodies.values()].map((body) => String(body['alertId'])).filter((id) => ours.has(id))
    expect(delivered.sort()).toEqual([...ours].sort())
    expect(receiver.changed).toBe(0)
  })

  test('a second Caracal with the same database is refused', async () => {
    const second = new Caracal({
      port: await freePort(),
      dataDir: join(folder, 'second'),
      cwd: folder,
      args: ['--config', file, '--no-demo', '--data-dir', join(folder, 'second'), '--listen', `127.0.0.1:${await freePort()}`],
    })
    await expect(second.start()).rejects.toThrow(/in use by another Caracal process, which is connected from 127\.0\.0\.1/)
  })

  test('doctor looks at the database, and backup and restore say what to do instead', async () => {
    const { out } = await cli('doctor', '--json')
    const findings = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name?: string; state?: string; message?: string })
    expect(findings.find(({ name }) => name === 'state')).toMatchObject({
      state: 'ok',
      message: expect.stringMatching(/answers$/),
    })
    for (const argv of [
      ['backup', join(folder, 'copy')],
      ['restore', join(folder, 'copy')],
    ]) {
      const { code, err } = await cli(...argv)
      expect([code, err]).toEqual([1, expect.stringMatching(/database of PostgreSQL.*pg_dump/)])
    }
    expect(readdirSync(folder)).not.toContain('copy')
  })

  test('after an ordinary restart everything is there, and the person signs in again', async () => {
    const before = await count('alerts')
    expect(await caracal.end('SIGTERM')).toBe(0)
    await caracal.start()
    expect(await count('alerts')).toBe(before)
    expect((await signIn()).status).toBe(200)
  })

  test('the state of this folder is not exchanged for another one by mistake', async () => {
    expect(await caracal.end('SIGTERM')).toBe(0)
    configure({ state: { type: 'sqlite' } })
    await expect(caracal.start()).rejects.toThrow(/state of the data folder .* is in a database of PostgreSQL/)
    configure({ data_dir: join(folder, 'other') })
    await expect(caracal.start()).rejects.toThrow(/belongs to another data folder/)
    configure()
    await caracal.start()
    expect(page).toContain('DELETE FROM meta')
  })

  test('it stops while the server is away', async () => {
    await server.kill()
    expect(await caracal.end('SIGTERM')).toBe(0)
  })
})
