import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { testAuthority } from './support/certificates.ts'
import { FlakyReceiver } from './support/receiver.ts'

/** The whole program with feeds that fail in every possible way: each failure is reported, and no table changes. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-feeds-'))
const receiver = new FlakyReceiver(() => 1)
const authority = testAuthority()
let caracal: Caracal
let tls: TlsServer
let server: ReturnType<typeof createServer>

const list = (count: number) => Array.from({ length: count }, (_, i) => `198.51.${i >> 8}.${i & 255}\n`).join('')
const CANARY = '198.51.0.7'
const NEW = 'Sun, 01 Sep 2024 10:00:00 GMT'
const OLD = 'Thu, 01 Sep 2022 10:00:00 GMT'

type Answer = (response: ServerResponse, request: IncomingMessage) => void
const send =
  (body: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(200, headers).end(body)
const redirect =
  (to: (request: IncomingMessage) => string): Answer =>
  (response, request) =>
    response.writeHead(302, { location: to(request) }).end()

/** The fault of each feed and the expected report. An answer is refused; an outage may pass. */
const FEEDS: Record<string, { readonly bad: Answer; readonly says: RegExp; readonly isRefused?: true }> = {
  empty: { bad: send(''), says: /empty body/, isRefused: true },
  half: { bad: send(list(90)), says: /went from 200 rows to 90/, isRefused: true },
  html: {
    bad: send('<!doctype html>\n<html>\n<body>Sign in</body>\n</html>\n'),
    says: /cannot be used|no usable row/,
    isRefused: true,
  },
  larger: { bad: send(list(2000)), says: /went from 200 rows to 2000/, isRefused: true },
  canary: { bad: send(list(200).replace(`${CANARY}\n`, '')), says: /lacks "198\.51\.0\.7"/, isRefused: true },
  error: { bad: (response) => response.writeHead(500).end(list(200)), says: /answered 500/ },
  loop: { bad: redirect(({ url }) => `${url}x`), says: /redirects more than 5 times/, isRefused: true },
  private: { bad: redirect(() => 'http://10.1.2.3/list'), says: /10\.1\.2\.3.*private|private.*10\.1\.2\.3/, isRefused: true },
  drip: {
    bad: (response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('198.51.0.1\n'), 100)
      response.once('close', () => clearInterval(timer))
    },
    says: /1 s|time/,
  },
  bomb: { bad: send(gzipSync(Buffer.alloc(50_000_000))), says: /larger than 1000000 bytes/, isRefused: true },
  expired: { bad: send(list(200)), says: /expired/, isRefused: true },
  old: {
    bad: send(list(199), { 'last-modified': OLD }),
    says: /last modified on 2022-09-01.*2024-09-01.*old copy/,
    isRefused: true,
  },
}
const names = Object.keys(FEEDS)
let isBad = false

const answer = (request: IncomingMessage, response: ServerResponse) => {
  const name = request.url!.slice(1)
  const feed = FEEDS[name] ?? FEEDS['loop']!
  if (isBad) feed.bad(response, request)
  else send(list(200), { 'last-modified': NEW })(response, request)
}

interface Row {
  readonly name: string
  readonly version: string
  readonly rows: number
  readonly problem: string | null
}

async function refreshed(name: string): Promise<Row> {
  return (await (await caracal.fetch(`/api/v1/tables/${name}/refresh`, { method: 'POST' })).json()) as Row
}

beforeAll(async () => {
  server = createServer(answer)
  tls = createTlsServer(authority.server(), answer)
  await Promise.all([server, tls].map((one) => new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))))
  const [plainPort, tlsPort] = [server, tls].map((one) => (one.address() as AddressInfo).port)
  mkdirSync(join(folder, 'content'))
  for (const name of names) {
    const url = name === 'expired' ? `https://127.0.0.1:${tlsPort}/${name}` : `http://127.0.0.1:${plainPort}/${name}`
    writeFileSync(
      join(folder, 'content', `${name}.yml`),
      `AnalysisType: lookup_table\nLookupName: ${name}\nFormat: list\nMatch: ip\nProvider: { type: url, url: "${url}", timeout_secs: 1, max_bytes: 1000000 }\n` +
        `Refresh: { PeriodMinutes: 1440, AlarmPeriodMinutes: 2880 }\nChecks: { MustMatch: [${CANARY}] }\nLogTypeMap: { PrimaryKey: ip }\n`,
    )
  }
  writeFileSync(join(folder, 'ca.pem'), authority.certificate)
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    destinations: [{ type: 'webhook', id: 'soc', url: `http://127.0.0.1:${await receiver.listen()}/` }],
    http: { allow_private: ['127.0.0.1/32'], ca_file: join(folder, 'ca.pem') },
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
}, 120_000)
afterAll(async () => {
  await caracal.end('SIGKILL')
  await receiver.close()
  for (const one of [server, tls]) one.closeAllConnections()
  await Promise.all([server, tls].map((one) => new Promise((resolve) => one.close(resolve))))
  rmSync(folder, { recursive: true, force: true })
})

test('a faulty feed is reported and alerted separately with its own reason, and changes no table until it is accepted', {
  timeout: 240_000,
}, async () => {
  const before = new Map<string, Row>()
  for (const name of names) {
    const row = await refreshed(name)
    expect(row, name).toMatchObject({ rows: 200, problem: null })
    before.set(name, row)
  }
  isBad = true
  tls.setSecureContext(authority.expired())
  tls.closeAllConnections()
  for (const name of names) {
    const row = await refreshed(name)
    expect(row, name).toMatchObject({ rows: 200, version: before.get(name)!.version })
    expect(row.problem, name).toMatch(FEEDS[name]!.says)
  }
  // Refused content is alerted at once, each table by itself; a failing refresh at the third failure.
  const failing = names.filter((name) => !FEEDS[name]!.isRefused)
  for (const name of failing) for (let i = 0; i < 2; i++) expect((await refreshed(name)).problem, name).toMatch(FEEDS[name]!.says)
  const missing = () => {
    const alerts = [...receiver.bodies.values()] as unknown as {
      id: string
      alertContext: { covers: string[]; problems: string[] }
    }[]
    return names.filter(
      (name) =>
        !alerts.some(
          ({ id, alertContext: { covers, problems } }) =>
            id === `Caracal.${FEEDS[name]!.isRefused ? 'TableRefused' : 'TableRefreshFailed'}` &&
            covers.join() === name &&
            FEEDS[name]!.says.test(problems.join()),
        ),
    )
  }
  await expect.poll(missing, { timeout: 60_000, interval: 200 }).toEqual([])
  // One that is right after all is accepted on request; what changed and what was there before can be read.
  const get = async (path: string) => (await caracal.fetch(`/api/v1/tables/old${path}`)).json()
  const { versions } = (await get('')) as { versions: { version: string }[] }
  const accepted = await caracal.fetch('/api/v1/tables/old/refresh?accept=true', { method: 'POST' })
  expect(await accepted.json()).toMatchObject({ rows: 199, problem: null, passed_over: [expect.stringMatching(/old copy/)] })
  expect(await get('')).toMatchObject({
    versions: [{ rows: 199, changes: { added: 0, removed: 1 } }, { rows: 200 }],
    refreshes: [{ outcome: 'swapped' }, { outcome: 'refused' }, { outcome: 'swapped' }],
  })
  const good = versions[0]!.version
  const { removed } = (await get(`/diff?before=${good}`)) as { removed: { key: string }[] }
  const [{ key }] = removed as [{ key: string }]
  expect(await get(`/row?key=${key}`)).toMatchObject({ row: null })
  expect(await get(`/row?key=${key}&as_of=${good}`)).toMatchObject({ row: { ip: key } })
  const sql = "SELECT outcome, added, removed, passed_over FROM monitor.table_refreshes WHERE table_name = 'old' AND removed = 1"
  await expect.poll(async () => (await caracal.query(sql)).length, { timeout: 60_000, interval: 500 }).toBe(1)
})
