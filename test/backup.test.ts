import { execFile, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { line, writeFiles } from './crash/senders.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { seeded } from './support/random.ts'
import { FlakyReceiver } from './support/receiver.ts'

/** Backups of the real program under load, restored elsewhere: what was sent is counted by SQL afterwards. */
const EVENTS = 6000
const FILE_FIRST = 10_000_000

const top = mkdtempSync(join(tmpdir(), 'caracal-backup-'))
const running: Caracal[] = []

afterEach(async () => {
  for (const caracal of running.splice(0)) await caracal.end('SIGKILL')
})
afterAll(() => rmSync(top, { recursive: true, force: true }))

interface World {
  readonly folder: string
  readonly config: string
  readonly logs: string
  /** A program on one of the data folders. */
  start(dataDir: string): Promise<Caracal>
}

async function world(hook?: number): Promise<World> {
  const folder = mkdtempSync(join(top, 'world-'))
  const [logs, content, config] = [join(folder, 'logs'), join(folder, 'content'), join(folder, 'caracal.yml')]
  mkdirSync(logs)
  cpSync(join(packageRoot(), 'test/crash/content'), content, { recursive: true })
  writeFileSync(join(content, 'tables/crash_hosts.csv'), 'ip,note\n203.0.113.5,first\n')
  const port = await freePort()
  const settings = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    content: [content],
    sources: [
      { type: 'http', id: 'web', log_types: ['Custom.Crash'] },
      { type: 'file', id: 'disk', log_types: ['Custom.Crash'], paths: [join(logs, 'app.log*')], poll_ms: 20, idle_ms: 300 },
    ],
    destinations: hook === undefined ? [] : [{ type: 'webhook', id: 'hook', url: `http://127.0.0.1:${hook}/` }],
    delivery_retry_min_ms: 20,
    delivery_retry_max_ms: 200,
    flush_ms: 50,
  }
  writeFileSync(config, JSON.stringify(settings))
  const start = async (dataDir: string) => {
    const caracal = new Caracal({ port, dataDir, cwd: folder, args: ['--config', config, '--no-demo', '--data-dir', dataDir] })
    running.push(caracal)
    await caracal.start()
    return caracal
  }
  return { folder, config, logs, start }
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function cli(world: World, ...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const argv = [join(packageRoot(), 'bin/caracal.js'), ...args, '--config', world.config]
    execFile(process.execPath, argv, { cwd: world.folder }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

async function ok(ran: Promise<Ran>): Promise<Ran> {
  const { code, out, err } = await ran
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return { code, out, err }
}

async function until(look: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 20))
}

interface Counts {
  readonly received: number
  readonly stored: number
  readonly filtered: number
  readonly dead_lettered: number
}

async function counts(caracal: Caracal): Promise<Map<string, Counts & { readonly settled: boolean }>> {
  const answer = (await (await caracal.fetch('/api/v1/sources')).json()) as {
    results: { id: string; backlog_bytes: number; records: Counts & { in_flight: number } }[]
  }
  return new Map(
    answer.results.map(({ id, backlog_bytes, records }) => [
      id,
      { ...records, settled: backlog_bytes === 0 && records.in_flight === 0 },
    ]),
  )
}

async function seqs(caracal: Caracal, where: string): Promise<Map<number, number>> {
  const found = new Map<number, number>()
  for (let part = 0; part < 4; part++)
    for (const [seq, n] of await caracal.query(
      `SELECT seq, count() FROM logs.custom_crash WHERE ${where} AND seq % 4 = ${part} GROUP BY seq`,
    ))
      found.set(Number(seq), Number(n))
  return found
}

/** Posts bodies of 20 records, one after another, until the server is gone. Resolves with the number of records sent. */
async function sendUntilStopped(caracal: Caracal): Promise<number> {
  for (let sent = 0; ; sent += 20) {
    const body = Array.from({ length: 20 }, (_, i) => line(sent + i, 'http')).join('')
    const status = await caracal.fetch('/ingest/web', { method: 'POST', body }).then(
      (response) => response.status,
      () => 0,
    )
    if (status === 0) return sent + 20
    if (status !== 202) sent -= 20
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('a backup under load continues elsewhere: nothing is lost, doubled or alerted twice', { timeout: 600_000 }, async () => {
  const receiver = new FlakyReceiver(seeded(7))
  const here = await world(await receiver.listen())
  const [first, second] = [join(here.folder, 'data'), join(here.folder, 'elsewhere')]
  let caracal = await here.start(first)
  const token = readFileSync(join(first, 'token'), 'utf8').trim()
  const sender = sendUntilStopped(caracal)
  const byFile = writeFiles(here.logs, FILE_FIRST, EVENTS, 50, 40)
  const received = async (id: string) => (await counts(caracal)).get(id)?.received ?? 0
  await until(async () => (await received('web')) > 500 && (await received('disk')) > 200)
  const before = await received('web')

  const folder = join(here.folder, 'backup')
  const { out } = await ok(cli(here, 'backup', folder))
  expect(out).toMatch(/^Backup of .* files, .* in .*\nIt contains the API's token/)
  const atEnd = await received('web')
  // The first one continues after the backup, and is lost.
  await until(async () => (await received('web')) > atEnd)
  expect(await caracal.end('SIGKILL')).toBe('SIGKILL')
  const sent = await sender
  await ok(cli(here, 'restore', folder, '--data-dir', second))

  caracal = await here.start(second)
  // The same token: senders need not change.
  expect(readFileSync(join(second, 'token'), 'utf8').trim()).toBe(token)
  await until(async () => (await counts(caracal)).get('web')!.settled)
  const back = await seqs(caracal, `lane = 'http'`)
  expect([...back.values()].filter((n) => n !== 1)).toEqual([])
  // They were sent in order, so those that were counted before the backup are the first ones.
  expect(Array.from({ length: before }, (_, seq) => seq).filter((seq) => !back.has(seq))).toEqual([])
  const rest = Array.from({ length: sent }, (_, seq) => seq).filter((seq) => !back.has(seq))
  expect(rest.length).toBeGreaterThan(0)
  for (let i = 0; i < rest.length; i += 200) {
    const body = rest
      .slice(i, i + 200)
      .map((seq) => line(seq, 'http'))
      .join('')
    await until(async () => (await caracal.fetch('/ingest/web', { method: 'POST', body })).status === 202)
  }
  const disk = await byFile
  await until(async () => {
    const now = await counts(caracal)
    const isRead = now.get('disk')!.received === disk.seqs.length + disk.broken
    return isRead && now.get('web')!.settled && now.get('disk')!.settled
  })

  const all = await seqs(caracal, '1')
  expect([...all.values()].filter((n) => n !== 1)).toEqual([])
  expect(all.size).toBe(sent + disk.seqs.length)
  for (const [id, { received: n, stored, filtered, dead_lettered: dead }] of await counts(caracal)) {
    expect([id, n]).toEqual([id, stored + filtered + dead])
    const [[inLake] = []] = await caracal.query(`SELECT count() FROM logs.all WHERE p_source_id = '${id}'`)
    expect([id, Number(inLake)]).toEqual([id, stored])
    const [[letters] = []] = await caracal.query(`SELECT count() FROM monitor.dead_letters WHERE source = '${id}'`)
    expect([id, Number(letters)]).toEqual([id, dead])
  }
  await checkAlerts(caracal, receiver)
  await receiver.close()
})

interface Alert {
  readonly alert_id: string
  readonly rule_id: string
  readonly type: string
  readonly title: string
  readonly event_count: number
}

/** One alert for each group, with all of its matches, sent under one id. */
async function checkAlerts(caracal: Caracal, receiver: FlakyReceiver): Promise<void> {
  const answer = (await (await caracal.fetch('/api/v1/alerts?limit=200')).json()) as { results: Alert[] }
  const alerts = answer.results.filter(({ type }) => type !== 'SYSTEM')
  const groups = await caracal.query(
    `SELECT concat('group ', "group"), count() FROM logs.custom_crash WHERE seq % 5 = 0 GROUP BY 1`,
  )
  const lanes = await caracal.query(`SELECT concat('lane ', lane), count() FROM logs.custom_crash WHERE seq % 7 = 0 GROUP BY 1`)
  expect(alerts.map(({ rule_id, title, event_count }) => [rule_id, title, event_count]).sort()).toEqual(
    [
      ...groups.map(([title, n]) => ['Test.Crash.Group', title, Number(n)]),
      ...lanes.map(([title, n]) => ['Test.Crash.Many', title, Number(n)]),
    ].sort(),
  )
  const sent = () => [...receiver.bodies.values()].filter(({ type }) => type !== 'SYSTEM').map(({ alertId }) => alertId)
  await until(() => sent().length >= alerts.length)
  expect(sent().sort()).toEqual(alerts.map(({ alert_id }) => alert_id).sort())
}

test('a backup that a kill interrupts is refused by name, and the program works as before', { timeout: 300_000 }, async () => {
  const here = await world()
  const data = join(here.folder, 'data')
  let caracal = await here.start(data)
  const body = Array.from({ length: 100 }, (_, seq) => line(seq, 'http')).join('')
  expect((await caracal.fetch('/ingest/web', { method: 'POST', body })).status).toBe(202)
  await until(async () => (await seqs(caracal, '1').catch(() => undefined))?.size === 100)
  const folder = join(here.folder, 'backup')
  const backup = cli(here, 'backup', folder)
  await until(() => existsSync(join(folder, 'data/state.db')))
  await caracal.end('SIGKILL')
  expect(await backup).toMatchObject({ code: 1 })
  expect(readdirSync(folder)).toContain('unfinished')
  expect(existsSync(join(folder, 'manifest.json'))).toBe(false)

  const refused = await cli(here, 'restore', folder, '--data-dir', join(here.folder, 'elsewhere'))
  expect(refused.err).toContain(`${folder} is an unfinished backup`)
  expect(refused.code).toBe(1)
  expect(existsSync(join(here.folder, 'elsewhere'))).toBe(false)

  caracal = await here.start(data)
  // The snapshot of the lake that it was copied from is gone.
  expect(existsSync(join(data, 'lake/shadow'))).toBe(false)
  expect((await seqs(caracal, '1')).size).toBe(100)
  expect((await cli(here, 'backup', folder)).err).toContain('contains an unfinished backup')
  await ok(cli(here, 'backup', join(here.folder, 'second')))
  expect(existsSync(join(data, 'lake/shadow'))).toBe(false)
})

test('a restore that a kill interrupts leaves a folder that nothing starts on', { timeout: 300_000 }, async () => {
  const here = await world()
  const data = join(here.folder, 'data')
  const caracal = await here.start(data)
  const body = Array.from({ length: 100 }, (_, seq) => line(seq, 'http')).join('')
  expect((await caracal.fetch('/ingest/web', { method: 'POST', body })).status).toBe(202)
  await until(async () => (await seqs(caracal, '1').catch(() => undefined))?.size === 100)
  expect(await caracal.end('SIGTERM')).toBe(0)
  // This one is made without the program.
  const folder = join(here.folder, 'backup')
  await ok(cli(here, 'backup', folder))

  const target = join(here.folder, 'elsewhere')
  const argv = [join(packageRoot(), 'bin/caracal.js'), 'restore', folder, '--data-dir', target, '--config', here.config]
  const restoring = spawn(process.execPath, argv, { stdio: 'ignore' })
  const ended = new Promise((resolve) => restoring.once('exit', (_, signal) => resolve(signal)))
  while (!existsSync(join(target, 'unfinished-restore'))) await new Promise((resolve) => setImmediate(resolve))
  restoring.kill('SIGKILL')
  expect(await ended).toBe('SIGKILL')

  const incomplete = `the data folder ${target} is incomplete`
  await expect(here.start(target)).rejects.toThrow(incomplete)
  expect((await cli(here, 'restore', folder, '--data-dir', target)).err).toContain(incomplete)
  expect((await cli(here, 'backup', join(here.folder, 'of-it'), '--data-dir', target)).err).toContain(incomplete)
  // The commands of the page, in order.
  const page = readFileSync(join(packageRoot(), 'docs/backup.md'), 'utf8')
  const commands = [...page.matchAll(/^ {4}caracal (.*)$/gm)].map(([, rest]) => rest!.split(' '))
  expect(commands.map(([name]) => name)).toEqual(['backup', 'restore'])
  mkdirSync(join(here.folder, 'backups'))
  for (const command of commands) await ok(cli(here, ...command))
  expect(readdirSync(join(here.folder, 'restored'))).toContain('state.db')

  rmSync(target, { recursive: true })
  await ok(cli(here, 'restore', folder, '--data-dir', target))
  const again = await here.start(target)
  expect((await seqs(again, '1')).size).toBe(100)
})
