import { once } from 'node:events'
import { type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { createAdaptorServer } from '@hono/node-server'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { CaracalError, RetryLater, StorageError } from '../../util/errors.ts'
import { http } from './http.ts'
import type { Intake } from './source.ts'

const taken: { framing: string; text: string; bytes: number; receivedMs: number }[] = []
let refuse: unknown
let clock = 0
const settings = http.config.parse({ id: 'shipper', max_body_bytes: 4 * 1024 * 1024, body_timeout_ms: 400 })
let intake: Intake
let server: Server
let url = ''

beforeAll(async () => {
  intake = http.listen!(settings, {
    append: async (framing, body, receivedMs) => {
      if (refuse) throw refuse
      taken.push({ framing, text: Buffer.from(body.subarray(0, 100_000)).toString(), bytes: body.length, receivedMs })
    },
    now: () => ++clock,
    authorised: (token) => token === 'good',
  })
  server = createAdaptorServer({ fetch: (request) => intake.handle!(request), overrideGlobalObjects: false }) as Server
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
afterEach(() => {
  taken.length = 0
  refuse = undefined
})

async function post(body: RequestInit['body'], headers: Record<string, string> = {}) {
  const init = {
    method: 'POST',
    body: body ?? null,
    headers: { authorization: 'Bearer good', 'content-type': 'text/plain', ...headers },
    duplex: 'half',
  }
  const response = await fetch(url, init as RequestInit)
  const { message } = (await response.json()) as { message: string }
  return { status: response.status, message, retryAfter: response.headers.get('retry-after') }
}

const json = { 'content-type': 'application/json' }
const ndjson = '{"a":1}\n{"a":2}\n'
const pretty = JSON.stringify({ a: { b: [1, 2] } }, null, 2)

test.each<[string, RequestInit['body'], Record<string, string>, string, string]>([
  ['NDJSON', ndjson, { 'content-type': 'application/x-ndjson' }, 'lines', ndjson],
  ['lines without content type', Buffer.from('a\nb'), { 'content-type': '' }, 'lines', 'a\nb'],
  ['what curl -d sends', ndjson, { 'content-type': 'application/x-www-form-urlencoded' }, 'lines', ndjson],
  ['a content type with a character set', ndjson, { 'content-type': 'application/json; charset=utf-8' }, 'lines', ndjson],
  ['an array', ' [1,\n2]', json, 'json-array', ' [1,\n2]'],
  ['an array sent as text', '[1,2]', {}, 'json-array', '[1,2]'],
  ['gzip by content', gzipSync(ndjson), {}, 'lines', ndjson],
  ['gzip of two members', Buffer.concat([gzipSync('a\n'), gzipSync('b\n')]), {}, 'lines', 'a\nb\n'],
  ['gzip with zero padding', Buffer.concat([gzipSync('a\n'), Buffer.alloc(50_000)]), {}, 'lines', 'a\n'],
  ['gzip that is announced and not there', ndjson, { 'content-encoding': 'gzip' }, 'lines', ndjson],
  ['an object over several lines', pretty, json, 'json-array', `[${pretty}]`],
  ['a cut array sent as text', '[1,2', {}, 'lines', '[1,2'],
  ['binary', Buffer.from([0, 255, 254, 10]), {}, 'lines', Buffer.from([0, 255, 254, 10]).toString()],
])('%s is taken', async (_, body, headers, framing, text) => {
  expect(await post(body, headers)).toEqual({ status: 202, message: 'taken', retryAfter: null })
  expect(taken).toMatchObject([{ framing, text }])
})

test.each<[number, string, RequestInit['body'], Record<string, string>, RegExp]>([
  [400, 'an empty body', '', {}, /empty/],
  [400, 'only white space', ' \n\t', {}, /empty/],
  [400, 'an array that is cut', '[{"a":1},{"a"', json, /not a whole JSON array/],
  [400, 'gzip that is cut', gzipSync(ndjson.repeat(100)).subarray(0, 40), {}, /cannot be decompressed: unexpected end of file/],
  [400, 'gzip with garbage behind it', Buffer.concat([gzipSync('a\n'), Buffer.from('garbage')]), {}, /cannot be decompressed/],
  [400, 'gzip that is no gzip', Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(100, 7)]), {}, /cannot be decompressed/],
  [401, 'a wrong token', ndjson, { authorization: 'Bearer bad' }, /bearer token is needed/],
  [401, 'no token', ndjson, { authorization: '' }, /bearer token is needed/],
  [401, 'another scheme', ndjson, { authorization: 'Basic good' }, /bearer token is needed/],
  [413, 'a body that is too large', Buffer.alloc(5 * 1024 * 1024, 97), {}, /larger than 4194304 bytes/],
  [413, 'more records than a batch can hold', 'x\n'.repeat(300_000), {}, /300000 records and the limit is 200000/],
  [413, 'an array of nothing but commas', `[${','.repeat(300_000)}]`, json, /300001 records/],
  [415, 'a picture', ndjson, { 'content-type': 'image/png' }, /'image\/png' is not one of logs/],
])('%i for %s', async (status, _, body, headers, message) => {
  const answer = await post(body, headers)
  expect(answer).toMatchObject({ status, retryAfter: null })
  expect(answer.message).toMatch(message)
  expect(taken).toEqual([])
})

test.each<[number, string, string, unknown]>([
  [429, 'the source has too much waiting', '3', new RetryLater('full', 2500)],
  [429, 'a wait is asked for without a time', '2', new RetryLater('full')],
  [429, 'the error came from another thread, without its class', '2', new CaracalError('retry_later', 'full')],
  [503, 'the disk is full', '10', new StorageError('disk full')],
  [503, 'the disk is full, told by another thread', '10', new CaracalError('storage', 'disk full')],
  [503, 'the thread is gone', '5', new Error('the spool thread has ended')],
])('%i when %s', async (status, _, retryAfter, error) => {
  refuse = error
  expect(await post(ndjson)).toMatchObject({ status, retryAfter })
})

test('a chunked body without length is taken, its time being that of its first byte', async () => {
  const before = clock
  const headers = { authorization: 'Bearer good', 'content-type': 'text/plain' }
  // A connection of its own: one that another test has used may be closed under a body that cannot be sent twice.
  const sending = request(url, { method: 'POST', headers, agent: false })
  for (const part of ['{"a":1}\n', '{"a":', '2}\n']) await new Promise((resolve) => sending.write(part, resolve))
  sending.end()
  const [response] = (await once(sending, 'response')) as [IncomingMessage]
  response.resume()
  expect(response.statusCode).toBe(202)
  expect(taken).toMatchObject([{ text: ndjson, receivedMs: before + 1 }])
})

test('a chunked body that never ends is cut at the limit', async () => {
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(97)),
  })
  const answer = await post(body).catch((error: unknown) => ({ status: 413, message: String(error) }))
  expect(answer.status).toBe(413)
  expect(taken).toEqual([])
})

test('a gigabyte of zeros in a small body costs no memory and is refused', async () => {
  const member = gzipSync(Buffer.alloc(64 * 1024 * 1024))
  const bomb = Buffer.concat(Array.from({ length: 16 }, () => member))
  const before = process.memoryUsage().rss
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss)
  }, 5)
  const answer = await post(bomb)
  clearInterval(watch)
  expect(answer).toMatchObject({ status: 413 })
  expect(most - before).toBeLessThan(100 * 1024 * 1024)
})

/** Sends the beginning of a request by hand. */
function rawRequest(text: string) {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  let answer = ''
  socket.on('data', (bytes) => {
    answer += bytes
  })
  socket.on('error', () => {})
  socket.write(text)
  return { socket, answer: () => answer }
}
const head = 'POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n'

test('a body that stops half-way is answered 408', async () => {
  const { socket, answer } = rawRequest(`${head}{"a":1}\n`)
  await vi.waitFor(() => expect(answer()).toMatch(/^HTTP\/1.1 408/), 5000)
  socket.destroy()
  expect(taken).toEqual([])
})

test('bodies that are broken off leave no memory taken: many of them, then good ones', async () => {
  for (let i = 0; i < 80; i++) {
    const { socket } = rawRequest(`${head}{"a":1}\n`)
    socket.on('connect', () => setImmediate(() => socket.destroy()))
  }
  const padded = Buffer.concat([gzipSync('a\n'), Buffer.alloc(50_000)])
  for (let i = 0; i < 80; i++) expect((await post(padded)).status).toBe(202)
  expect(taken.length).toBe(80)
})

test('more bodies at once than memory is there for get 503 and are asked to come again', async () => {
  const waiting = Array.from({ length: 64 }, () => rawRequest(`${head}{"a":1}\n`))
  await vi.waitFor(async () => expect(await post(ndjson)).toMatchObject({ status: 503, retryAfter: '1' }), 5000)
  await vi.waitFor(() => expect(waiting.every(({ answer }) => answer().startsWith('HTTP/1.1 408'))).toBe(true), 5000)
  for (const { socket } of waiting) socket.destroy()
  expect((await post(ndjson)).status).toBe(202)
})
