import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeEngine, fakeEngine, TOKEN } from '../../test/support/fake-engine.ts'
import type { Intake } from '../stages/source/source.ts'
import { ConfigError } from '../util/errors.ts'
import { createApp } from './app.ts'
import { type RunningServer, startServer } from './server.ts'

let engine: FakeEngine
let server: RunningServer

beforeEach(async () => {
  engine = await fakeEngine()
  const limits = { requestTimeoutMs: 300, headersTimeoutMs: 300, checkMs: 50 }
  server = await startServer(createApp(engine).fetch, { listen: '127.0.0.1:0', ...limits })
})

afterEach(async () => {
  await server.close(0)
  await engine.dispose()
})

/** Sends bytes unchanged and returns everything received until the server closes. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port, hostname } = new URL(server.url)
    const socket = connect(Number(port), hostname, () => socket.write(text))
    let answer = ''
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1')
    })
    socket.on('close', () => resolve(answer)).on('error', reject)
  })
}

const HEAD = `POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`

test('a source is passed the address that a request comes from', async () => {
  const senders: unknown[] = []
  const handle: Intake['handle'] = async (_request, _path, sender) => {
    senders.push(sender)
    return new Response()
  }
  const intakes = new Map<string, Intake>([['own', { handle, close: async () => {} }]])
  const own = await startServer(createApp({ ...engine, intakes }).fetch, { listen: '127.0.0.1:0' })
  await fetch(`${own.url}/ingest/own`, { method: 'POST', body: 'x' })
  await own.close(0)
  expect(senders).toEqual(['127.0.0.1'])
})

test('a source is passed the address that a trusted proxy names, and no other proxy is believed', async () => {
  const senders: unknown[] = []
  const handle: Intake['handle'] = async (_request, _path, sender) => {
    senders.push(sender)
    return new Response()
  }
  const intakes = new Map<string, Intake>([['own', { handle, close: async () => {} }]])
  for (const trusted_proxies of [[], ['127.0.0.1'], ['192.0.2.1']]) {
    const config = { ...engine.config, trusted_proxies }
    const own = await startServer(createApp({ ...engine, config, intakes }).fetch, { listen: '127.0.0.1:0' })
    await fetch(`${own.url}/ingest/own`, { method: 'POST', body: 'x', headers: { 'x-forwarded-for': '1.1.1.1, 203.0.113.5' } })
    await own.close(0)
  }
  expect(senders).toEqual(['127.0.0.1', '203.0.113.5', '127.0.0.1'])
})

test('every response has the security headers, and the path of `public_url` is removed', async () => {
  const app = createApp(engine)
  const seen: string[] = []
  const own = await startServer(
    (request, connection) => {
      seen.push(new URL(request.url).pathname + new URL(request.url).search)
      return app.fetch(request, connection)
    },
    { listen: '127.0.0.1:0', prefix: '/siem' },
  )
  const paths = ['/siem/healthz', '/healthz?x=1', '/siem', '/siem?x', '/siemens', '/siem/ingest/none', '/siem/api/v1/health']
  for (const path of paths) {
    const { headers } = await fetch(`${own.url}${path}`)
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    })
  }
  await own.close(0)
  expect(seen).toEqual(['/healthz', '/healthz?x=1', '/', '/?x', '/siemens', '/ingest/none', '/api/v1/health'])
})

test('a body that does not arrive in time is answered with 408 and its connection is closed', async () => {
  expect(await raw(`${HEAD}Content-Length: 100\r\n\r\n{"sql":`)).toMatch(/^HTTP\/1\.1 408 /)
  expect(engine.queries).toEqual([])
})

test.each([
  ['headers', `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: `, 'x'],
  ['a body with its length', `${HEAD}Content-Length: 100000\r\n\r\n`, ' '],
  ['a body in chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
])('%s that arrive byte by byte have no more time than others', async (_, begin, next) => {
  const { port, hostname } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket
    .on('error', () => {})
    .on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1')
    })
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.write(begin)
  const dripping = setInterval(() => socket.writable && socket.write(next), 20)
  await new Promise((resolve) => socket.once('close', resolve))
  clearInterval(dripping)
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
})

test('headers that do not end in time are answered with 408', async () => {
  expect(await raw(HEAD)).toMatch(/^HTTP\/1\.1 408 /)
})

test.each([
  ['one header of 20 KiB', `X-Long: ${'x'.repeat(20 * 1024)}\r\n`],
  ['many headers of 40 KiB together', Array.from({ length: 2000 }, (_, i) => `X-Header-${i}: value\r\n`).join('')],
])('%s are refused with 431', async (_, headers) => {
  expect(await raw(`GET /healthz HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
})

test.each([
  ['without a host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
  [
    'for another host in its first line',
    'GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    421,
  ],
  ['for another host in its header', 'GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', 421],
  ['that is no HTTP', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', 400],
])('a request %s is refused', async (_, text, status) => {
  expect(await raw(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
})

test('a client that disconnects ends its query in the lake', async () => {
  const aborted = new Promise<void>((resolve) => {
    engine.answer = ({ options }) =>
      new Promise((_, reject) => {
        options.signal!.addEventListener('abort', () => {
          resolve()
          reject(new DOMException('aborted', 'AbortError'))
        })
        caller.abort()
      })
  })
  const caller = new AbortController()
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const call = fetch(`${server.url}/api/v1/query`, { method: 'POST', headers, body: '{"sql":"SELECT 1"}', signal: caller.signal })
  await expect(call).rejects.toThrow(/abort/i)
  await aborted
})

test('an address already in use is reported, with what to do', async () => {
  const listen = new URL(server.url).host
  await expect(startServer(() => new Response(), { listen })).rejects.toThrow(ConfigError)
  await expect(startServer(() => new Response(), { listen })).rejects.toThrow(/another process listens there/)
})

test('closing lets calls in progress finish and accepts no new ones', async () => {
  let finish: (() => void) | undefined
  const started = new Promise<void>((begun) => {
    engine.answer = () =>
      new Promise((resolve) => {
        finish = () => resolve({ columns: [], rows: ['[1]'], truncated: false, ms: 1 })
        begun()
      })
  })
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const call = fetch(`${server.url}/api/v1/query`, { method: 'POST', headers, body: '{"sql":"SELECT 1"}' })
  await started
  const closed = server.close()
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
  finish!()
  expect(((await (await call).json()) as { rows: unknown }).rows).toEqual([[1]])
  await closed
})

test.each([
  [
    'a body in chunks',
    'POST',
    '/api/v1/query',
    'Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n',
    '10\r\n{"sql":"SELECT 1\r\n2\r\n"}\r\n0\r\n\r\n',
    200,
  ],
  [
    'more chunks than the limit',
    'POST',
    '/api/v1/query',
    'Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n',
    `80000\r\n${' '.repeat(0x80000)}\r\n0\r\n\r\n`,
    413,
  ],
  ['no body at all', 'DELETE', '/api/v1/sources/demo/data', '', '', 200],
])('%s is read as it comes', async (_, method, path, headers, body, status) => {
  const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n${headers}\r\n`
  expect(await raw(head + body)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
})

test('a new sender is served despite 1,200 idle connections', async () => {
  const { port, hostname } = new URL(server.url)
  const idle = Array.from({ length: 1200 }, () => connect(Number(port), hostname))
  try {
    for (const socket of idle) socket.on('error', () => {})
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))))
    const response = await fetch(`${server.url}/api/v1/alerts`, { headers: { authorization: `Bearer ${TOKEN}` } })
    expect(response.status).toBe(200)
  } finally {
    for (const socket of idle) socket.destroy()
  }
})
