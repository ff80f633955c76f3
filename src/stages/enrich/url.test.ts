import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { url } from './url.ts'

let server: Server
let address: string
let listener: RequestListener
let requests: { url: string | undefined; headers: NodeJS.Dict<string | string[]> }[]

beforeEach(async () => {
  requests = []
  server = createServer((request, response) => {
    requests.push({ url: request.url, headers: request.headers })
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const refresh = (config: object = {}, validators = {}, signal = new AbortController().signal) =>
  url
    .create(url.config.parse({ url: `${address}/list.txt`, ...config }), { fetch, folder: '/', dataFolder: '/' })
    .refresh(validators, signal)
const textOf = async (fetched: ReturnType<typeof refresh>) => Buffer.from((await fetched)!.bytes).toString()

test('a whole answer is the content, with what to ask by next time', async () => {
  listener = (_, response) =>
    response.setHeader('etag', '"v1"').setHeader('last-modified', 'Tue, 12 Mar 2024 08:00:00 GMT').end('192.0.2.1\n')
  const fetched = await refresh({ headers: { authorization: 'secret' } })
  expect(Buffer.from(fetched!.bytes).toString()).toBe('192.0.2.1\n')
  expect(fetched!.validators).toEqual({ etag: '"v1"', last_modified: 'Tue, 12 Mar 2024 08:00:00 GMT' })
  expect(requests[0]!.headers['authorization']).toBe('secret')
})

test('304 is unchanged, and the question carries the validators', async () => {
  listener = (_, response) => response.writeHead(304).end()
  expect(await refresh({}, { etag: '"v1"', last_modified: 'Tue, 12 Mar 2024 08:00:00 GMT' })).toBeUndefined()
  expect(requests[0]!.headers).toMatchObject({ 'if-none-match': '"v1"', 'if-modified-since': 'Tue, 12 Mar 2024 08:00:00 GMT' })
})

test('gzip in transit and gzip as content both arrive', async () => {
  listener = (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('a'))
  expect(await textOf(refresh())).toBe('a')
  listener = (_, response) => response.end(gzipSync('a'))
  expect(Buffer.from((await refresh())!.bytes)).toEqual(gzipSync('a'))
})

test('a few redirects are followed, and extra headers do not go to another host', async () => {
  listener = (request, response) =>
    request.url === '/list.txt'
      ? response.writeHead(302, { location: address.replace('127.0.0.1', 'localhost') }).end()
      : response.end('a')
  // `localhost` is another host to the provider; the server is the same.
  expect(await textOf(refresh({ headers: { authorization: 'secret' } }))).toBe('a')
  expect(requests.map(({ headers }) => headers['authorization'])).toEqual(['secret', undefined])
})

describe('failures say what happened', () => {
  const cases: [what: string, answer: RequestListener, config: object, message: RegExp][] = [
    ['404', (_, response) => response.writeHead(404).end('no'), {}, /answered 404/],
    ['500', (_, response) => response.writeHead(500).end(), {}, /answered 500/],
    ['an empty body', (_, response) => response.end(), {}, /empty body/],
    ['too large', (_, response) => response.end('x'.repeat(100_000)), { max_bytes: 1000 }, /larger than 1000 bytes/],
    [
      'too large in transit packing',
      (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('x'.repeat(100_000))),
      { max_bytes: 1000 },
      /larger than 1000 bytes/,
    ],
    [
      'too large in packed content',
      (_, response) => response.end(gzipSync('x'.repeat(100_000))),
      { max_bytes: 1000 },
      /larger than 1000 bytes/,
    ],
    ['broken gzip', (_, response) => response.end(gzipSync('x'.repeat(1000)).subarray(0, 20)), {}, /gzip content is broken/],
    [
      'a redirect loop',
      (_, response) => response.writeHead(302, { location: '/list.txt' }).end(),
      {},
      /redirects more than 5 times/,
    ],
    [
      'a redirect to a file',
      (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      {},
      /redirects to file:, which is not HTTP/,
    ],
    ['a redirect to nowhere', (_, response) => response.writeHead(302).end(), {}, /answered 302/],
    ['silence', () => {}, { timeout_secs: 1 }, /no whole answer within 1 s/],
    ['a body that never ends', (_, response) => response.write('x'), { timeout_secs: 1 }, /no whole answer within 1 s/],
    ['a connection that breaks', (request) => request.socket.destroy(), {}, /cannot fetch .*list\.txt: fetch failed: /],
    [
      'a body that breaks',
      (request, response) => response.writeHead(200, { 'content-length': 100 }).write('x', () => request.socket.destroy()),
      {},
      /cannot fetch/,
    ],
  ]
  test.each(cases)('%s', async (_, answer, config, message) => {
    listener = answer
    await expect(refresh(config)).rejects.toThrow(message)
  })

  test('stopping ends the fetch', async () => {
    const stop = new AbortController()
    listener = () => stop.abort(new Error('stopped'))
    await expect(refresh({}, {}, stop.signal)).rejects.toThrow(/cannot fetch/)
  })
})
