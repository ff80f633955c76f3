import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { queryKey } from '../src/engine/pipeline-calls.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { MailServer } from './support/mail-server.ts'
import { until } from './support/until.ts'

/** docs/searching.md: rows of scheduled queries by e-mail, with the whole program and a real mail server. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-query-mail-'))
const PASSWORD = 'of the mail server'
let server: MailServer
let caracal: Caracal

const query = (name: string, sql: string, email: string) => `AnalysisType: scheduled_query
QueryName: ${name}
Enabled: true
ClickHouseQuery: ${sql}
Schedule: { CronExpression: '0 0 1 1 *', TimeoutMinutes: 1 }
EmailConfig: ${email}
`

beforeAll(async () => {
  server = await new MailServer({ password: PASSWORD }).listen()
  const { hostname: host, port } = new URL(server.url)
  const content = join(folder, 'content')
  mkdirSync(content)
  writeFileSync(
    join(content, 'doors.yml'),
    query('Doors', "SELECT 'east' AS door, 2 AS uses", '{ Recipients: [ana@example.com] }'),
  )
  const none = "SELECT 'east' AS door WHERE 1 = 0"
  writeFileSync(join(content, 'quiet.yml'), query('Quiet', none, '{ Recipients: [ana@example.com] }'))
  writeFileSync(join(content, 'even.yml'), query('Even empty', none, '{ Recipients: [bob@example.com], SendEmpty: true }'))
  writeFileSync(join(folder, 'ca.pem'), server.trusted.ca.join('\n'))
  writeFileSync(join(folder, 'password'), PASSWORD)
  const own = await freePort()
  const mail = { type: 'email', id: 'mail', host, port: Number(port), username: 'caracal', password: { file: 'password' } }
  const config = {
    listen: `127.0.0.1:${own}`,
    delivery_retry_min_ms: 100,
    delivery_retry_max_ms: 200,
    http: { ca_file: join(folder, 'ca.pem') },
    destinations: [{ ...mail, from: 'caracal@example.com', to: ['soc@example.com'], alert_types: ['RULE'] }],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port: own, dataDir: join(folder, 'data'), cwd: folder, args: ['--content', content] })
  await caracal.start()
})
afterAll(async () => {
  await caracal.end('SIGTERM')
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function json(path: string, init?: RequestInit): Promise<Record<string, unknown>> {
  return (await (await caracal.fetch(path, init)).json()) as Record<string, unknown>
}

/** Waits until it is true. */
const when = (isSo: () => Promise<boolean>) => until(async () => (await isSo()) || undefined)
const subjects = () => server.received.map(({ raw, to }) => `${/^Subject: (.*)$/m.exec(raw)![1]!.trim()} -> ${to.join(' ')}`)
const judge = (name: string) => json(`/api/v1/searches/${encodeURIComponent(name)}/judge`, { method: 'POST' })
const deliveries = async () => (await json('/api/v1/deliveries'))['results'] as Record<string, unknown>[]

describe('rows of scheduled queries by e-mail', { shuffle: false, timeout: 120_000 }, () => {
  test('a run that was due while the program was down is mailed once, although no rule judges it and the program restarts again', async () => {
    expect(await caracal.end('SIGTERM')).toBe(0)
    const state = new Database(join(folder, 'data/state.db'))
    const insert = state.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
    // Before the first of January of this year.
    for (const name of ['Doors', 'Quiet', 'Even empty'])
      insert.run([queryKey(name), String(Date.UTC(new Date().getUTCFullYear() - 1, 11, 31))])
    state.close()
    await caracal.start()
    const all = ['Query Doors: 1 row -> ana@example.com', 'Query Even empty: 0 rows -> bob@example.com']
    await when(async () => subjects().length === 2)
    expect(subjects().sort()).toEqual(all)
    await when(async () => (await deliveries()).every((one) => one['state'] === 'delivered'))
    await caracal.end('SIGKILL')
    await caracal.start()
    await when(async () => {
      const { results } = (await json('/api/v1/searches')) as { results: { name: string; last_run: unknown }[] }
      return ['Doors', 'Quiet', 'Even empty'].every((name) => results.some((one) => one.name === name && one.last_run))
    })
    expect(subjects().sort()).toEqual(all)
  })

  test('a run on demand is mailed too, and its delivery is listed as rows of the query', async () => {
    server.received.length = 0
    expect(await judge('Doors')).toMatchObject({ rows: 1, matches: 0 })
    await when(async () => server.received.length === 1)
    const [mail] = server.received
    expect(mail!.raw).toContain('door: east')
    await when(async () => (await deliveries())[0]!['state'] === 'delivered')
    expect((await deliveries())[0]).toMatchObject({ kind: 'rows', alert_id: '', title: "Rows of query 'Doors'", tries: 1 })
  })

  test('what the mail server refuses for good is reported until it is sent again', async () => {
    server.received.length = 0
    server.refuses = { recipient: { 'ana@example.com': 550 } }
    await judge('Doors')
    const problems = async () => ((await json('/api/v1/health'))['problems'] as string[]).join('\n')
    await when(async () => (await deliveries())[0]!['state'] === 'dead')
    await until(async () =>
      (await problems()).includes("A mail with rows of query 'Doors' could not be delivered by destination mail"),
    )
    server.refuses = {}
    const resent = await json('/api/v1/deliveries/resend', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ destination: 'mail' }),
    })
    expect(resent).toEqual({ resent: 1 })
    await when(async () => server.received.length === 1)
    await when(async () => !(await problems()).includes('rows of query'))
  })
})
