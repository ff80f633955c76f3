import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createApp } from '../src/api/app.ts'
import { LiveStreams } from '../src/api/live/live-streams.ts'
import { startServer } from '../src/api/server.ts'
import { serve } from '../src/cli/serve.ts'
import { serveApi } from '../src/cli/serve-api.ts'
import { serverOptions } from '../src/cli/server-settings.ts'
import { type Config, configSchema } from '../src/config/config.ts'
import { SHARED_KEY, sharedSignInKey } from '../src/engine/accounts/shared-key.ts'
import { writeSignInKey } from '../src/engine/accounts/sign-in-key.ts'
import { Lease, type LeaseTimes } from '../src/state/postgres/lease.ts'
import { NodeRecord } from '../src/state/postgres/node-record.ts'
import type { PostgresPlace } from '../src/state/postgres/place.ts'
import { postgresState } from '../src/state/postgres/state.ts'
import { getMeta, setMeta } from '../src/state/sources.ts'
import { createLog } from '../src/telemetry/log.ts'
import { FORWARDED, forwardedHeader } from '../src/util/http/forwarded.ts'
import { freePort } from './support/caracal.ts'
import { testAuthority } from './support/certificates.ts'
import { alertId, type FakeEngine, fakeEngine, KEY, TOKEN } from './support/fake-engine.ts'
import { hasPostgres, PostgresServer } from './support/postgres.ts'
import { until } from './support/until.ts'

/** Nodes that forward, with a real state that says which node is active. The active nodes have fake engines behind the real API. */
const TIMES: LeaseTimes = { beatMs: 100, pollMs: 50, freeMs: 200, silentMs: 20_000, sureMs: 10_000 }
const PASSWORD = 'four words in a row'
const log = createLog({ isPretty: false, write: () => {} })
const io = { out: () => {}, err: () => {}, isTty: false } as never
const authority = testAuthority()

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly body: Record<string, unknown>
}

interface Call {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
  /** The address that the client has. */
  readonly from?: string
  readonly ca?: string
}

const asked: Call = { headers: { authorization: `Bearer ${TOKEN}` } }
const asJson = (body: object, more: Call = asked): Call => ({
  method: 'POST',
  ...more,
  headers: { ...more.headers, 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

function open(url: string, { method = 'GET', headers = {}, body, from, ca }: Call = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, ...(from && { localAddress: from }), ...(ca && { ca }) }
    const sent = url.startsWith('https:') ? secureRequest(url, options, resolve) : request(url, options, resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

async function call(url: string, how?: Call): Promise<Answer> {
  const answer = await open(url, how)
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece as Buffer)
  const text = Buffer.concat(pieces).toString()
  const body =
    text !== '' && /json/.test(String(answer.headers['content-type'])) ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: answer.statusCode!, headers: answer.headers, text, body }
}

describe.skipIf(!hasPostgres)('nodes that forward', () => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-api-nodes-'))
  let server: PostgresServer
  let place: PostgresPlace
  let ends: (() => unknown)[]

  beforeAll(async () => {
    server = await PostgresServer.start()
    const { cert, key } = authority.server()
    for (const [name, text] of Object.entries({ cert, key, ca: authority.certificate }))
      writeFileSync(join(folder, `${name}.pem`), text)
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    place = await server.database()
    ends = []
    // What the first active node of all leaves.
    const db = await postgresState.open(place)
    const dataDir = mkdtempSync(join(folder, 'first-'))
    writeSignInKey(dataDir, KEY)
    const meta = {
      getMeta: (name: string) => getMeta(db, name),
      setMeta: (name: string, value: string) => setMeta(db, name, value),
    }
    await sharedSignInKey({ dataDir, password: '', ...meta })
    await db.destroy()
  })
  afterEach(async () => {
    for (const end of ends.reverse()) await end()
  })

  const tls = () => ({ cert: { file: join(folder, 'cert.pem') }, key: { file: join(folder, 'key.pem') } })
  async function configOf(node: string, more: object = {}): Promise<Config> {
    const state = { type: 'postgres', url: `postgres://caracal@127.0.0.1:${server.port}/${place.database}` }
    const data_dir = mkdtempSync(join(folder, `${node}-`))
    return configSchema.parse({ node, state, data_dir, listen: `127.0.0.1:${await freePort()}`, ...more })
  }
  const urlOf = ({ listen, tls: secure }: Config) => `${secure ? 'https' : 'http'}://${listen}`

  /** A node that is active as soon as no other is. */
  async function active(name: string, more: object = {}) {
    const config = await configOf(name, more)
    const engine = await fakeEngine(config)
    const lease = await Lease.take(place, { node: name, onTaken: () => {}, times: TIMES })
    const live = new LiveStreams()
    const running = await startServer(createApp(engine, log, live).fetch, serverOptions(config, log))
    const record = await recorded(name, config)
    const kill = async () => {
      live.close()
      await running.close(0)
      await lease.release()
    }
    ends.push(async () => {
      await kill()
      await record.stop()
      await engine.dispose()
    })
    return { url: urlOf(config), engine, kill }
  }
  async function recorded(name: string, config: Config): Promise<NodeRecord> {
    const roles = 'ingest,worker,api,keeper'
    const record = new NodeRecord(place, { node: name, roles, version: '0', address: urlOf(config), onTrouble: () => {} })
    await record.start()
    return record
  }

  /** A node with the role api. */
  async function door(more: object = {}) {
    const config = await configOf('door', more)
    const { stop } = await serveApi(config)
    ends.push(stop)
    return { url: urlOf(config), token: readFileSync(join(config.data_dir, 'token'), 'utf8').trim() }
  }

  /** A node that takes over. */
  async function standby(more: object = {}) {
    const config = await configOf('b', more)
    const engine = await fakeEngine(config)
    let lease: Lease | undefined
    const ending = new AbortController()
    const record = await recorded('b', config)
    const running = serve(
      config,
      async (onStandby) => {
        lease = await Lease.take(place, { node: 'b', onWait: onStandby, onTaken: () => {}, times: TIMES, signal: ending.signal })
        return engine
      },
      io,
      log,
    )
    ends.push(async () => {
      ending.abort()
      await running.then(({ stop }) => stop()).catch(() => {})
      await lease?.release()
      await record.stop()
      await engine.dispose()
    })
    const url = urlOf(config)
    await until(async () =>
      (await call(`${url}/healthz`).catch(() => undefined))?.body['status'] === 'standby' ? true : undefined,
    )
    return { url, engine, running }
  }

  async function user({ engine }: { engine: FakeEngine }, url: string): Promise<void> {
    const made = await call(`${url}/api/v1/users`, asJson({ email: 'ana@example.com', role: 'admin' }))
    const code = new URL(String(made.body['link'])).searchParams.get('code')
    expect((await call(`${url}/api/v1/sign-in/link`, asJson({ code, password: PASSWORD }, {}))).status).toBe(200)
    engine.audited.length = 0
  }
  const signIn = (password = PASSWORD, more: Call = {}) => asJson({ email: 'ana@example.com', password }, more)

  test.each(['door', 'standby'] as const)('pages, the API and what is refused are the same through a %s', async (kind) => {
    const a = await active('a')
    const { url } = await (kind === 'door' ? door() : standby())
    const page = { headers: { accept: 'text/html' } }
    for (const [path, how] of [
      ['/', {}],
      ['/', page],
      ['/alerts', page],
      ['/sign-in', page],
      ['/api/v1/docs', page],
      ['/api/v1/docs', asked],
      ['/api/v1/openapi.json', asked],
      ['/api/v1/alerts', asked],
      ['/api/v1/alerts', {}],
      ['/api/v1/alerts', { ...asked, method: 'HEAD' }],
      ['/api/v1/alerts', { ...asked, method: 'PUT' }],
      ['/api/v1/nothing', asked],
      ['/nothing', asked],
      ['/api/v1/query', asJson({ sql: 'SELECT 1' })],
      ['/api/v1/query', { ...asJson({}), body: '{' }],
      ['/ingest/default', { method: 'POST', body: 'line\n' }],
    ] as [string, Call][]) {
      const shown = async (from: string) => {
        const { headers, ...answer } = await call(`${from}${path}`, how)
        // Each call has its own date, and each page its own nonce.
        const { date: _, connection: __, 'content-security-policy': ___, ...rest } = headers
        return {
          ...answer,
          text: answer.text.replace(/nonce" content="[^"]+"/g, ''),
          headers: rest,
          ms: 0,
          body: { ...answer.body, ms: 0 },
        }
      }
      expect(await shown(url), path).toEqual(await shown(a.url))
    }
    expect(a.engine.queries.map(({ sql }) => sql)).toEqual(['SELECT 1', 'SELECT 1'])
  })

  test('healthz and metrics are its own', async () => {
    const a = await active('a')
    const { url, token } = await door()
    expect(await call(`${url}/healthz`)).toMatchObject({
      status: 200,
      body: { status: 'ok', node: 'door', roles: ['api'], active: 'a' },
    })
    await call(`${url}/api/v1/alerts`, asked)
    expect((await call(`${url}/metrics`)).status).toBe(401)
    const { text } = await call(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
    expect(text).toContain('caracal_node_info{node="door"')
    expect(text).toContain('caracal_forwarded_total{outcome="answered"} 1')
    await a.kill()
    expect(await call(`${url}/healthz`).then(({ status }) => [200, 503].includes(status))).toBe(true)
    await expect.poll(async () => (await call(`${url}/healthz`)).status, { timeout: 10_000 }).toBe(503)
  })

  test('a person signs in from their own address: in the audit, in allow lists, and where attempts are counted', async () => {
    const a = await active('a')
    await user(a, a.url)
    const { url } = await door()
    const signedIn = await call(`${url}/api/v1/sign-in`, signIn(PASSWORD, { from: '127.0.0.2' }))
    expect(signedIn.status).toBe(200)
    const cookies = signedIn.headers['set-cookie']!
    expect(cookies.length).toBeGreaterThan(0)
    const cookie = cookies.map((one) => one.split(';')[0]).join('; ')
    expect((await call(`${url}/api/v1/me`, { headers: { cookie }, from: '127.0.0.2' })).body['name']).toBe('ana@example.com')
    // A change by a page of this site, as the browser says; and one by another site's.
    const change = (origin: string) =>
      asJson({ name: 'T', role: 'viewer', cidrs: ['127.0.0.3/32'] }, { headers: { cookie, origin }, from: '127.0.0.2' })
    const made = await call(`${url}/api/v1/tokens`, change(url))
    expect(made.status).toBe(200)
    expect((await call(`${url}/api/v1/tokens`, change('https://evil.example.com'))).body['code']).toBe('cross_site')
    expect(a.engine.audited.map(({ audit_event, caller_address, status }) => [audit_event, caller_address, status])).toEqual([
      ['signed_in', '127.0.0.2', 200],
      ['change', '127.0.0.2', 200],
      ['refused', '127.0.0.2', 403],
    ])
    const withToken = (from: string) =>
      call(`${url}/api/v1/alerts`, { headers: { authorization: `Bearer ${made.body['token']}` }, from })
    expect([(await withToken('127.0.0.3')).status, (await withToken('127.0.0.2')).status]).toEqual([200, 403])
    // An attacker does not shut out others who come through the same node.
    for (let i = 0; i < 40; i++)
      await call(
        `${url}/api/v1/sign-in`,
        asJson({ email: `x${i}@example.com`, password: 'wrong wrong wrong' }, { from: '127.0.0.9' }),
      )
    expect((await call(`${url}/api/v1/sign-in`, signIn(PASSWORD, { from: '127.0.0.9' }))).status).toBe(429)
    expect((await call(`${url}/api/v1/sign-in`, signIn(PASSWORD, { from: '127.0.0.2' }))).status).toBe(200)
  })

  test('what a proxy before the node says about its client counts as if it were before the active one', async () => {
    const proxies = { trusted_proxies: ['127.0.0.4'] }
    const a = await active('a', proxies)
    const { url } = await door(proxies)
    for (const from of ['127.0.0.4', '127.0.0.5'])
      await call(`${url}/api/v1/alerts`, { headers: { 'x-forwarded-for': '203.0.113.7' }, from })
    expect(a.engine.audited.map(({ caller_address }) => caller_address)).toEqual(['203.0.113.7', '127.0.0.5'])
  })

  test('live updates, a large upload and a large download pass through, and another node is followed', async () => {
    const a = await active('a')
    const b = await standby()
    const { url } = await door()
    const stream = await open(`${url}/api/v1/stream`, asked)
    expect(stream.headers['content-type']).toBe('text/event-stream')
    let received = ''
    stream.on('data', (piece) => (received += piece))
    await a.engine.addAlert({ alertId: alertId(1) })
    a.engine.board.publish({ kind: 'alert.created', subject: alertId(1), message: 'Alert 1' })
    await until(() => (received.includes(alertId(1)) ? true : undefined))

    const sent = randomBytes(15_000_000).toString('hex')
    const upload = await call(`${url}/ingest/default`, { method: 'POST', body: sent })
    expect([upload.status, upload.body['taken'] === sent]).toEqual([202, true])
    const tooLarge = await call(`${url}/api/v1/query`, asJson({ sql: sent.slice(0, 1_000_000) }))
    expect([tooLarge.status, tooLarge.body['code']]).toEqual([413, 'too_large'])
    const rows = Array.from({ length: 200_000 }, (_, i) => `["a value that makes the row longer, number ${i}"]`)
    for (const { engine } of [a, b])
      engine.answer = async () =>
        ({
          columns: [
            { name: 'n', type: 'UInt32' },
            { name: 'text', type: 'String' },
          ],
          rows,
          truncated: false,
          ms: 1,
        }) as never
    const query = () => call(`${url}/api/v1/query`, asJson({ sql: 'SELECT n, text' }))
    const large = await query()
    expect([large.status, JSON.stringify(large.body['rows']) === `[${rows.join()}]`]).toEqual([200, true])

    const cut = new Promise((resolve) => stream.on('close', resolve))
    await a.kill()
    await cut
    const seen = new Set<number>()
    const tried: string[] = []
    await until(async () => {
      const { status, headers, body } = await call(`${url}/api/v1/alerts`, asked)
      seen.add(status)
      if (status === 503) tried.push(`${headers['retry-after']} ${body['code']} ${body['detail']}`)
      return status === 200 ? true : undefined
    })
    expect([...seen]).toEqual([503, 200])
    expect(tried[0]).toMatch(/^5 standby this node only forwards: the active node is a, at http:.*, and it cannot be reached/)
    await b.running
    expect((await query()).body['rows']).toHaveLength(rows.length)
    expect(b.engine.queries).toHaveLength(1)
    expect((await call(`${b.url}/healthz`)).body).toEqual({ status: 'ok' })
  })

  test('a node may have 200 requests at the active one', async () => {
    const a = await active('a')
    const { url } = await door()
    let answer: () => void = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    let waiting = 0
    const handle = async () => {
      waiting++
      await answered
      return new Response('taken')
    }
    const intakes = a.engine.intakes as Map<string, object>
    intakes.set('default', { handle, close: async () => {} })
    const all = Array.from({ length: 200 }, (_, i) =>
      call(`${url}/ingest/default`, { method: 'POST', body: 'x', from: `127.0.1.${i}` }),
    )
    await until(() => (waiting === 200 ? true : undefined))
    answer()
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set([200]))
  })

  test('what a stranger says in the header is refused by the active node, and goes no further than a node that forwards', async () => {
    const a = await active('a')
    const { url } = await door()
    const said = { node: 'door', address: '127.0.0.8', isTls: true }
    const target = { method: 'GET', url: '/api/v1/alerts' }
    const ask = (to: string, header: string) =>
      call(`${to}/api/v1/alerts`, { headers: { ...asked.headers, [FORWARDED]: header } })
    for (const header of [
      '127.0.0.8',
      forwardedHeader('another key', 'a', said, target),
      forwardedHeader(KEY, 'b', said, target),
    ]) {
      const answer = await ask(a.url, header)
      expect([answer.status, answer.body['code'], answer.headers[FORWARDED]]).toEqual([403, 'forbidden', 'refused'])
      expect((await ask(url, header)).body['code']).toBe('standby')
    }
    const right = forwardedHeader(KEY, 'a', said, target)
    expect([(await ask(a.url, right)).status, (await ask(a.url, right)).status]).toEqual([200, 403])
  })

  test('with another key than that of the state, nothing is forwarded as if it were proven', async () => {
    await active('a')
    const { url } = await door()
    // As after the key of the state has been replaced by that of another installation.
    await server.ask(place.database, `UPDATE meta SET value = '${await otherKey()}' WHERE key = '${SHARED_KEY}'`)
    expect((await call(`${url}/api/v1/alerts`, asked)).status).toBe(200)
    const other = await configOf('other')
    const { stop } = await serveApi(other)
    ends.push(stop)
    const answer = await call(`${urlOf(other)}/api/v1/alerts`, asked)
    expect([answer.status, answer.body['detail']]).toEqual([403, expect.stringContaining('different keys')])
    const { text } = await call(`${urlOf(other)}/metrics`, {
      headers: { authorization: `Bearer ${readFileSync(join(other.data_dir, 'token'), 'utf8').trim()}` },
    })
    expect(text).toContain('caracal_forwarded_total{outcome="refused"} 1')
  })
  async function otherKey(): Promise<string> {
    const dataDir = mkdtempSync(join(folder, 'other-'))
    let value = ''
    await sharedSignInKey({
      dataDir,
      password: '',
      getMeta: async () => undefined,
      setMeta: async (_, text) => {
        value = text
      },
    })
    return value
  }

  test('with TLS, the active node is only called if its certificate is one of a known authority', async () => {
    await active('a', { tls: tls() })
    const known = await door({ http: { ca_file: join(folder, 'ca.pem') }, tls: tls() })
    expect((await call(`${known.url}/api/v1/alerts`, { ...asked, ca: authority.certificate })).status).toBe(200)
    expect((await call(`${known.url}/healthz`, { ca: authority.certificate })).body['status']).toBe('ok')
  })

  test('an unknown authority is said to be so', async () => {
    await active('a', { tls: tls() })
    const { url } = await door()
    const answer = await call(`${url}/api/v1/alerts`, asked)
    expect([answer.status, answer.body['detail']]).toEqual([
      503,
      expect.stringMatching(/a, at https:.* cannot be reached: .*(certificate|issuer)/),
    ])
    expect((await call(`${url}/healthz`)).status).toBe(503)
  })

  test('a name that is not the node’s own is refused there, and its own name counts at the active node', async () => {
    await active('a')
    const { url } = await door({ public_url: 'http://door.example.com' })
    const as = (host: string) => call(`${url}/api/v1/alerts`, { headers: { ...asked.headers, host } })
    expect((await as('evil.example.com')).body['code']).toBe('wrong_host')
    expect((await as('door.example.com')).status).toBe(200)
  })
})
