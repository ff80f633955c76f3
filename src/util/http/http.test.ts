import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testAuthority } from '../../../test/support/certificates.ts'
import { TestProxy, TestServer } from '../../../test/support/servers.ts'
import { createHttp, type Http, type HttpSettings } from './http.ts'
import { HttpError } from './send.ts'

/** The clock for undici's own time limits, as undici's tests control it. */
const undiciTimers = createRequire(import.meta.url)('undici/lib/util/timers.js') as { tick(ms: number): void }

const NO_PROXY = { https: undefined, http: undefined, except: [] }
let server: TestServer
const open: { close(): Promise<void> }[] = []

beforeEach(async () => {
  server = await new TestServer().listen()
  open.push(server)
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

function http(settings: Partial<HttpSettings> = {}): Http {
  const made = createHttp({ proxy: NO_PROXY, allowPrivate: [], ...settings })
  open.push(made)
  return made
}

const limits = { timeoutMs: 5000, maxBytes: 1000 }

async function failure(sent: Promise<unknown>): Promise<[string, string]> {
  const error = await sent.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(HttpError)
  return [(error as HttpError).failure, (error as HttpError).message]
}

test('a response of any status has status, headers and body', async () => {
  server.answer = (response) => response.writeHead(418, { 'X-Kind': 'pot', etag: '"1"' }).end('tea')
  const { status, headers, body } = await http().configured({ ...limits, url: `${server.url}/a?b=c`, headers: { 'X-A': 'é' } })
  expect([status, headers.get('x-kind'), headers.get('etag'), Buffer.from(body).toString()]).toEqual([418, 'pot', '"1"', 'tea'])
  expect(server.received[0]).toMatchObject({ method: 'GET', url: '/a?b=c' })
})

test('a body is sent unchanged', async () => {
  const body = '{"a":"é \\u0000"}'
  await http().configured({ ...limits, url: server.url, method: 'POST', body, headers: { 'content-type': 'application/json' } })
  expect(server.received[0]).toMatchObject({ method: 'POST', body, headers: { 'content-type': 'application/json' } })
})

describe('limits', () => {
  test('the size of a compressed body is its size after decompression', async () => {
    server.answer = (response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('x'.repeat(100_000)))
    expect(await failure(http().configured({ ...limits, url: server.url }))).toEqual([
      'too_large',
      'the answer is larger than 1000 bytes',
    ])
  })

  test('with 0 bytes an endless body is not read', async () => {
    server.answer = (response) => {
      response.writeHead(200)
      const more = () => {
        while (response.write('x'.repeat(10_000)));
        response.once('drain', more)
      }
      more()
    }
    expect((await http().configured({ ...limits, maxBytes: 0, url: server.url })).body).toHaveLength(0)
  })

  test.each<[string, (response: ServerResponse) => void]>([
    ['silence', () => {}],
    ['a body that stops', (response) => response.writeHead(200).write('x')],
  ])('%s ends after the time-out', async (_, answer) => {
    server.answer = answer
    expect(await failure(http().configured({ ...limits, timeoutMs: 200, url: server.url }))).toEqual([
      'timeout',
      'no whole answer within 0.2 s',
    ])
  })

  test.each<[string, (response: ServerResponse) => void]>([
    ['before it begins', () => {}],
    ['within its body', (response) => response.writeHead(200).write('sl')],
  ])('an answer may be silent as long as its time limit allows: %s', async (_, begin) => {
    const begun = new Promise<ServerResponse>((resolve) => {
      server.answer = (response) => {
        begin(response)
        resolve(response)
      }
    })
    const answer = http().configured({ ...limits, url: server.url })
    const response = await begun
    // Until the client has read the first bytes.
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
    for (let hour = 0; hour < 3; hour++) undiciTimers.tick(3_600_000)
    response.end('ow')
    expect(Buffer.from((await answer).body).toString()).toMatch(/ow$/)
  })

  test('an aborted signal ends a request in any phase, with the signal’s reason', async () => {
    const reason = new Error('stopped')
    const before = AbortSignal.abort(reason)
    await expect(http().configured({ ...limits, url: server.url, signal: before })).rejects.toBe(reason)
    expect(server.received).toEqual([])
    const during = new AbortController()
    server.answer = (response) => {
      response.writeHead(200).write('x', () => during.abort(reason))
    }
    await expect(http().configured({ ...limits, url: server.url, signal: during.signal })).rejects.toBe(reason)
    // A server that accepts the connection and sends nothing: the TLS handshake never completes.
    const silent = createNetServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const connecting = new AbortController()
    silent.once('connection', () => connecting.abort(reason))
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`
    await expect(http().configured({ ...limits, url, signal: connecting.signal })).rejects.toBe(reason)
    silent.close()
  })
})

describe('redirects', () => {
  const to = (location: string, status = 302) => {
    server.answer = (response, { url }) =>
      url === '/' ? response.writeHead(status, { location }).end() : response.writeHead(200).end('there')
  }

  test('are returned as responses by default', async () => {
    to('/there')
    expect((await http().configured({ ...limits, url: server.url })).status).toBe(302)
    expect(server.received).toHaveLength(1)
  })

  test('are followed, with the headers only if the origin is the same', async () => {
    const other = await new TestServer().listen()
    open.push(other)
    to('/there')
    const headers = { authorization: 'secret' }
    expect((await http().configured({ ...limits, url: server.url, headers, redirects: 1 })).status).toBe(200)
    to(other.url)
    await http().configured({ ...limits, url: server.url, headers, redirects: 1 })
    expect(server.received.map((one) => one.headers.authorization)).toEqual(['secret', 'secret', 'secret'])
    expect(other.received.map((one) => one.headers.authorization)).toEqual([undefined])
  })

  test.each([
    ['in a circle', '/', 'it redirects more than 3 times'],
    ['to a file', 'file:///etc/passwd', 'http://HOST redirects to file:, which is not HTTP'],
    ['to what is no URL', 'http://[', 'http://HOST redirects to what is not a URL'],
  ])('%s are refused', async (_, location, message) => {
    to(location)
    expect(await failure(http().configured({ ...limits, url: server.url, redirects: 3 }))).toEqual([
      'redirect',
      message.replace('HOST', `127.0.0.1:${server.port}`),
    ])
  })
})

describe('private addresses', () => {
  const refused = (host: string) =>
    `${host} is a private address, which content cannot reach: allow it with http.allow_private in the configuration`

  test.each(['127.0.0.1', 'localhost', '0x7f.1', '[::ffff:127.0.0.1]', '0.0.0.0'])('content cannot reach %s', async (host) => {
    const [kind, message] = await failure(http().fromContent({ ...limits, url: `http://${host}:${server.port}/` }))
    expect([kind, message]).toEqual(['private_address', refused(new URL(`http://${host}`).hostname)])
    expect(server.connections).toBe(0)
  })

  test('content cannot be redirected there', async () => {
    const other = await new TestServer().listen()
    open.push(other)
    server.answer = (response) => response.writeHead(302, { location: `http://localhost:${other.port}/` }).end()
    const only = http({ allowPrivate: ['127.0.0.9'] })
    server.answer = (response) => response.writeHead(302, { location: `${other.url}/` }).end()
    expect(await failure(only.fromContent({ ...limits, url: server.url, redirects: 5 }))).toEqual([
      'private_address',
      refused('127.0.0.1'),
    ])
    expect(other.connections).toBe(0)
  })

  test.each([['127.0.0.1'], ['127.0.0.0/8'], ['10.0.0.0/8', '::1', '127.0.0.0/30']])(
    'unless %s is allowed',
    async (...ranges) => {
      const { fromContent } = http({ allowPrivate: ranges })
      expect((await fromContent({ ...limits, url: server.url })).status).toBe(204)
      expect((await fromContent({ ...limits, url: `http://localhost:${server.port}` })).status).toBe(204)
    },
  )

  test('addresses from the operator’s configuration can be private', async () => {
    expect((await http().configured({ ...limits, url: `http://localhost:${server.port}` })).status).toBe(204)
  })
})

describe('TLS', () => {
  const authority = testAuthority()

  test('an authority from the configured file is trusted, and no other private one', async () => {
    const tls = await new TestServer(authority.server()).listen()
    open.push(tls)
    const stranger = await new TestServer(testAuthority('Stranger').server()).listen()
    open.push(stranger)
    const { configured } = http({ ca: authority.certificate })
    expect((await configured({ ...limits, url: tls.url })).status).toBe(204)
    const untrusted = [
      'certificate',
      expect.stringMatching(/^its certificate is not trusted \(UNABLE_TO_\w+\): name the authority's file in http\.ca_file$/),
    ]
    expect(await failure(configured({ ...limits, url: stranger.url }))).toEqual(untrusted)
    expect(await failure(http().configured({ ...limits, url: tls.url }))).toEqual(untrusted)
    expect(stranger.received).toEqual([])
  })

  test('a certificate for another name is refused', async () => {
    const tls = await new TestServer(authority.server('elsewhere.test')).listen()
    open.push(tls)
    expect(await failure(http({ ca: authority.certificate }).configured({ ...limits, url: tls.url }))).toEqual([
      'certificate',
      'its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID)',
    ])
  })
})

describe('a proxy', () => {
  const authority = testAuthority()
  let proxy: TestProxy
  beforeEach(async () => {
    proxy = await new TestProxy().listen()
    open.push(proxy)
  })
  const through = (except: string[] = [], uri = proxy.url) =>
    http({ proxy: { https: uri, http: uri, except }, ca: authority.certificate })

  test('tunnels https, forwards http, and resolves the names', async () => {
    const tls = await new TestServer(authority.server('hooks.test')).listen()
    open.push(tls)
    server.answer = (response) => response.writeHead(200).end('plain')
    const { configured, fromContent } = through()
    for (const send of [configured, fromContent]) {
      expect((await send({ ...limits, url: `https://hooks.test:${tls.port}/x` })).status).toBe(204)
      const { body } = await send({ ...limits, url: `http://lists.test:${server.port}/y` })
      expect(Buffer.from(body).toString()).toBe('plain')
    }
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT hooks.test:${tls.port}`, `GET http://lists.test:${server.port}/y`]))
  })

  test('receives user and password from its URL, percent-decoded', async () => {
    const { configured } = through([], proxy.url.replace('//', '//us%20er:p%40ss@'))
    await configured({ ...limits, url: `http://lists.test:${server.port}/` })
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from('us er:p@ss').toString('base64')}`])
  })

  test('that refuses is a failure', async () => {
    proxy.refusesWith = 407
    expect(await failure(through().configured({ ...limits, url: 'https://hooks.test/' }))).toEqual([
      'unreachable',
      'the proxy did not open the connection (UND_ERR_ABORTED)',
    ])
  })

  test('is not used for this machine or for hosts in no_proxy', async () => {
    const { configured } = through(['.lan.test'])
    expect((await configured({ ...limits, url: server.url })).status).toBe(204)
    expect((await failure(configured({ ...limits, url: 'http://ntfy.lan.test/' })))[1]).toMatch(/ENOTFOUND|EAI_AGAIN/)
    expect(proxy.asked).toEqual([])
  })

  test('is not used when content requests a private address', async () => {
    expect((await failure(through().fromContent({ ...limits, url: 'http://169.254.169.254/latest' })))[0]).toBe('private_address')
    expect(proxy.asked).toEqual([])
  })
})

test('no error contains a secret, whatever the server responds and however it fails', async () => {
  const secret = 's3cr3t-8c1d'
  const ways = [
    // Echoes everything that was sent, in places that an error could quote.
    (echo: string) => `HTTP/1.1 500 ${echo}\r\nx-echo: ${echo}\r\ncontent-length: 5\r\n\r\nhello`,
    (echo: string) => `HTTP/1.1 200 OK\r\n${echo}\r\nbad header line\x01: ${echo}\r\n\r\n`,
    (echo: string) => `${echo}\r\n\r\n`,
    (echo: string) => `HTTP/1.1 302 Found\r\nlocation: ftp://${secret}@x.test/${echo}\r\ncontent-length: 0\r\n\r\n`,
    (echo: string) => `HTTP/1.1 302 Found\r\nlocation: http://[${echo}\r\ncontent-length: 0\r\n\r\n`,
    (echo: string) => `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${echo.length}\r\n\r\n${echo}`,
    (echo: string) => `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${echo}\r\n`,
    () => '',
  ]
  let answer = (_: string) => ''
  const echoes = createNetServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (bytes) => socket.end(answer(bytes.toString('latin1').replaceAll(/[\r\n]+/g, ' '))))
  }).listen(0, '127.0.0.1')
  await once(echoes, 'listening')
  const base = `http://user:${secret}@127.0.0.1:${(echoes.address() as AddressInfo).port}/${secret}?key=${secret}`
  const { configured } = http()
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...ways),
      fc.constantFrom(base, base.replace(/user:[^@]*@/, ''), `http://${secret}:x@127.0.0.1:1/`, `https${base.slice(4)}`),
      fc.constantFrom<Record<string, string>>({ authorization: secret }, { 'x-key': `${secret}\n` }, { [`bad ${secret}`]: 'x' }),
      fc.constantFrom(0, 2),
      async (way, url, headers, redirects) => {
        answer = way
        const error = await configured({ ...limits, timeoutMs: 2000, url, headers, redirects }).catch((caught: unknown) => caught)
        if (!(error instanceof Error)) return
        expect(error).toBeInstanceOf(HttpError)
        // A header's name is not a secret.
        const { message, stack, ...rest } = error as HttpError
        const texts = [message, stack, error.cause, JSON.stringify(rest)].map(String).join('\n')
        if (!Object.keys(headers)[0]!.includes(secret)) expect(texts).not.toContain(secret)
      },
    ),
    { numRuns: 60 },
  )
  echoes.close()
})
