import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Received, TestServer } from '../../../test/support/servers.ts'
import { apiKeys, keysSchema } from '../../config/keys.ts'
import { createHttp, type Http } from '../../util/http/http.ts'
import { KeyError } from './api-keys.ts'
import { url } from './url.ts'

let server: TestServer
let http: Http
let configured: object

beforeEach(async () => {
  server = await new TestServer().listen()
  configured = {}
  const proxy = { https: undefined, http: undefined, except: [] }
  http = createHttp({ proxy, allowPrivate: ['127.0.0.0/8', '::1'] })
})
afterEach(async () => {
  await http.close()
  await server.close()
})

const refresh = (config: object = {}, validators = {}, signal = new AbortController().signal) =>
  url
    .create(url.config.parse({ url: `${server.url}/list.txt?key=hidden`, ...config }), {
      send: http.fromContent,
      keys: apiKeys(keysSchema.parse(configured), { KEY: 's3cr3t-91c4' }),
      table: 'list',
      folder: '/',
      dataFolder: '/',
    })
    .refresh(validators, signal)
const textOf = async (fetched: ReturnType<typeof refresh>) => Buffer.from((await fetched)!.bytes).toString()

test('a full response yields the content and the validators for the next request', async () => {
  server.answer = (response) =>
    void response.setHeader('etag', '"v1"').setHeader('last-modified', 'Tue, 12 Mar 2024 08:00:00 GMT').end('192.0.2.1\n')
  const fetched = await refresh({ headers: { authorization: 'secret' } })
  expect(Buffer.from(fetched!.bytes).toString()).toBe('192.0.2.1\n')
  expect(fetched!.validators).toEqual({ etag: '"v1"', last_modified: 'Tue, 12 Mar 2024 08:00:00 GMT' })
  expect(server.received[0]!.headers['authorization']).toBe('secret')
})

test('304 means unchanged, and the request carries the validators', async () => {
  server.answer = (response) => void response.writeHead(304).end()
  expect(await refresh({}, { etag: '"v1"', last_modified: 'Tue, 12 Mar 2024 08:00:00 GMT' })).toBeUndefined()
  expect(server.received[0]!.headers).toMatchObject({
    'if-none-match': '"v1"',
    'if-modified-since': 'Tue, 12 Mar 2024 08:00:00 GMT',
  })
})

test('gzip as transfer encoding and gzip as content both work', async () => {
  server.answer = (response) => void response.setHeader('content-encoding', 'gzip').end(gzipSync('a'))
  expect(await textOf(refresh())).toBe('a')
  server.answer = (response) => void response.end(gzipSync('a'))
  expect(Buffer.from((await refresh())!.bytes)).toEqual(gzipSync('a'))
})

test('a URL that contains a password is refused, and the error says what to write instead', () => {
  const { error } = url.config.safeParse({ url: 'https://user:s3cr3t@lists.example.com/' })
  expect(error?.issues[0]?.message).toMatch(/holds a user name or password.*header Authorization/)
})

test('a few redirects are followed, and extra headers do not go to another host', async () => {
  server.answer = (response, request) =>
    request.url.startsWith('/list.txt')
      ? void response.writeHead(302, { location: server.url.replace('127.0.0.1', 'localhost') }).end()
      : void response.end('a')
  // To the provider `localhost` is another host, although it is the same server.
  expect(await textOf(refresh({ headers: { authorization: 'secret' } }))).toBe('a')
  expect(server.received.map(({ headers }) => headers['authorization'])).toEqual(['secret', undefined])
})

describe('a key', () => {
  const withKey = () => {
    configured = { one: { value: { env: 'KEY' }, user: 'ada', hosts: [server.url] } }
  }

  test('is sent to its host, and again after a redirect on that host', async () => {
    withKey()
    server.answer = (response, request) =>
      request.url === '/list.txt' ? response.writeHead(302, { location: '/there' }).end() : response.end('a')
    await refresh({ url: `${server.url}/list.txt`, auth: { key: 'one', header: 'Key' } })
    expect(server.received.map(({ headers }) => headers['key'])).toEqual(['s3cr3t-91c4', 's3cr3t-91c4'])
  })

  test.each<[string, object]>([
    ['a header', { header: 'Key' }],
    ['Authorization', { scheme: 'Basic' }],
    ['the query', { query: 'token' }],
  ])('in %s does not follow a redirect to another host', async (_, place) => {
    withKey()
    const other = await new TestServer().listen()
    try {
      server.answer = (response) => void response.writeHead(302, { location: `${other.url}/list.txt` }).end()
      other.answer = (response) => void response.end('a')
      expect(await textOf(refresh({ auth: { key: 'one', ...place } }))).toBe('a')
      expect(JSON.stringify(server.received)).toMatch(/s3cr3t-91c4|YWRhOnMzY3IzdC05MWM0/)
      expect(JSON.stringify(other.received)).not.toMatch(/s3cr3t-91c4|YWRhOnMzY3IzdC05MWM0/)
    } finally {
      await other.close()
    }
  })

  test('is not sent to another host that a definition names, which is not contacted at all', async () => {
    withKey()
    const elsewhere = { url: server.url.replace('127.0.0.1', 'localhost'), auth: { key: 'one' } }
    await expect(refresh(elsewhere)).rejects.toThrow(KeyError)
    await expect(refresh(elsewhere)).rejects.toThrow(/'one' is not meant for http:\/\/localhost/)
    expect(server.connections).toBe(0)
  })

  test('is in no error, whatever the server answers', async () => {
    withKey()
    for (const answer of [
      (response: ServerResponse, request: Received) => response.writeHead(500).end(JSON.stringify(request)),
      (response: ServerResponse, { url: asked }: Received) => response.writeHead(302, { location: `ftp://${asked}` }).end(),
      (response: ServerResponse, { url: asked }: Received) => response.writeHead(302, { location: asked }).end(),
      (response: ServerResponse, { url: asked }: Received) => response.socket!.end(`HTTP/1.1 ${asked}\r\n\r\n`),
    ]) {
      server.answer = answer
      for (const auth of [
        { key: 'one', header: 'Key' },
        { key: 'one', query: 'token' },
      ]) {
        const error = (await refresh({ auth }).catch((caught: unknown) => caught)) as Error
        expect(error).toBeInstanceOf(Error)
        for (let at: unknown = error; at instanceof Error; at = at.cause)
          expect(`${at.stack} ${JSON.stringify(at)}`).not.toContain('s3cr3t')
      }
    }
  })
})

type Answer = (response: ServerResponse, request: Received) => void

describe('failures say what happened', () => {
  const cases: [what: string, answer: Answer, config: object, message: RegExp][] = [
    ['404', (response) => response.writeHead(404).end('no'), {}, /answered 404/],
    ['500', (response) => response.writeHead(500).end(), {}, /answered 500/],
    ['an empty body', (response) => response.end(), {}, /empty body/],
    ['too large', (response) => response.end('x'.repeat(100_000)), { max_bytes: 1000 }, /larger than 1000 bytes/],
    [
      'too large in transit packing',
      (response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('x'.repeat(100_000))),
      { max_bytes: 1000 },
      /larger than 1000 bytes/,
    ],
    [
      'too large in packed content',
      (response) => response.end(gzipSync('x'.repeat(100_000))),
      { max_bytes: 1000 },
      /larger than 1000 bytes/,
    ],
    ['broken gzip', (response) => response.end(gzipSync('x'.repeat(1000)).subarray(0, 20)), {}, /gzip content is broken/],
    [
      'a redirect loop',
      (response) => response.writeHead(302, { location: '/list.txt' }).end(),
      {},
      /redirects more than 5 times/,
    ],
    [
      'a redirect to a file',
      (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      {},
      /redirects to file:, which is not HTTP/,
    ],
    ['a redirect to nowhere', (response) => response.writeHead(302).end(), {}, /answered 302/],
    ['silence', () => {}, { timeout_secs: 1 }, /no whole answer within 1 s/],
    ['a body that never ends', (response) => response.write('x'), { timeout_secs: 1 }, /no whole answer within 1 s/],
    ['a connection that breaks', (response) => response.socket?.destroy(), {}, /the connection broke \(/],
    [
      'a body that breaks',
      (response) => response.writeHead(200, { 'content-length': 100 }).write('x', () => response.socket?.destroy()),
      {},
      /cannot fetch/,
    ],
  ]
  test.each(cases)('%s', async (_, answer, config, message) => {
    server.answer = answer
    const error = await refresh(config).catch((caught: unknown) => caught as Error)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toContain('hidden')
  })

  test('stopping ends the fetch', async () => {
    const stop = new AbortController()
    server.answer = () => stop.abort(new Error('stopped'))
    await expect(refresh({}, {}, stop.signal)).rejects.toThrow(/cannot fetch/)
  })
})
