import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { createAdaptorServer } from '@hono/node-server'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { CaracalError, RetryLater, StorageError } from '../../util/errors.ts'
import { sendNothing } from '../../util/http/send.ts'
import { BodyMemory } from './body-memory.ts'
import { HttpIntake, http } from './http.ts'
import type { Intake, IntakeDeps } from './source.ts'

const taken: { decoding: string; text: string; bytes: number; receivedMs: number }[] = []
let refuse: unknown
let clock = 0
const settings = http.config.parse({ id: 'shipper', max_body_bytes: 4 * 1024 * 1024 })
/** Under this path a body must arrive within 0.4 s; all other tests are independent of how busy the machine is. */
const HASTY = '/hasty'
/** `zstd -19` of `ndjson`, with its checksum. */
const zstdNdjson = Buffer.from('KLUv/QRogQAAeyJhIjoxfQp7ImEiOjJ9Cu7trPI=', 'base64')
let intake: Intake
let hasty: Intake
let server: Server
let url = ''

const deps: IntakeDeps = {
  append: async (body, { decoding, receivedMs }) => {
    if (refuse) throw refuse
    taken.push({ decoding, text: Buffer.from(body.subarray(0, 100_000)).toString(), bytes: body.length, receivedMs })
  },
  now: () => ++clock,
  authorised: (token) => token === 'good',
  send: sendNothing,
  secret: () => 'hush',
}

beforeAll(async () => {
  intake = await http.pushes!(settings, deps)
  hasty = await http.pushes!({ ...settings, body_timeout_ms: 400 }, deps)
  server = createAdaptorServer({
    fetch: (request) => (new URL(request.url).pathname === HASTY ? hasty : intake).handle!(request, ''),
    overrideGlobalObjects: false,
  }) as Server
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
const delivery = '{"messageType":"DATA_MESSAGE","logGroup":"g","logEvents":[{"id":"1","timestamp":1,"message":"a"}]}'
const events = (count: number) =>
  `{"messageType":"DATA_MESSAGE","logEvents":[${Array.from({ length: count }, () => '{"message":"a"}').join()}]}`
const pretty = JSON.stringify({ a: { b: [1, 2] } }, null, 2)

test.each<[string, RequestInit['body'], Record<string, string>, string, string]>([
  ['NDJSON', ndjson, { 'content-type': 'application/x-ndjson' }, 'lines', ndjson],
  ['lines without content type', Buffer.from('a\nb'), { 'content-type': '' }, 'lines', 'a\nb'],
  ['what curl -d sends', ndjson, { 'content-type': 'application/x-www-form-urlencoded' }, 'lines', ndjson],
  ['a content type with a character set', ndjson, { 'content-type': 'application/json; charset=utf-8' }, 'lines', ndjson],
  ['an array', ' [1,\n2]', json, 'lines', ' [1,\n2]'],
  ['an envelope', '{"Records":[{"a":1}]}', json, 'lines', '{"Records":[{"a":1}]}'],
  ['a delivery of CloudWatch Logs', delivery, json, 'lines', delivery],
  ['an array sent as text', '[1,2]', {}, 'lines', '[1,2]'],
  ['gzip by content', gzipSync(ndjson), {}, 'lines', ndjson],
  ['gzip of two members', Buffer.concat([gzipSync('a\n'), gzipSync('b\n')]), {}, 'lines', 'a\nb\n'],
  ['gzip with zero padding', Buffer.concat([gzipSync('a\n'), Buffer.alloc(50_000)]), {}, 'lines', 'a\n'],
  ['gzip that is announced and not there', ndjson, { 'content-encoding': 'gzip' }, 'lines', ndjson],
  ['deflate as zlib writes it', deflateSync(ndjson), { 'content-encoding': 'deflate' }, 'lines', ndjson],
  ['deflate without a frame', deflateRawSync(ndjson), { 'content-encoding': 'deflate' }, 'lines', ndjson],
  ['Brotli', brotliCompressSync(ndjson), { 'content-encoding': 'br' }, 'lines', ndjson],
  ['zstd', zstdNdjson, { 'content-encoding': 'zstd' }, 'lines', ndjson],
  ['zstd by content', zstdNdjson, {}, 'lines', ndjson],
  ['two zstd frames', Buffer.concat([zstdNdjson, zstdNdjson]), { 'content-encoding': 'ZSTD' }, 'lines', ndjson + ndjson],
  ['identity', ndjson, { 'content-encoding': 'identity' }, 'lines', ndjson],
  [
    'several encodings, undone in reverse order',
    brotliCompressSync(deflateSync(gzipSync(ndjson))),
    { 'content-encoding': 'x-gzip, identity, deflate, br' },
    'lines',
    ndjson,
  ],
  ['an object over several lines', pretty, json, 'lines', pretty],
  ['objects without anything between', '{"a":1}{"a":2}', json, 'lines', '{"a":1}{"a":2}'],
  ['a JSON text sequence', '\x1e{"a":1}\n', json, 'lines', '\x1e{"a":1}\n'],
  ['a cut array sent as text', '[1,2', {}, 'lines', '[1,2'],
  ['binary', Buffer.from([0, 255, 254, 10]), {}, 'lines', Buffer.from([0, 255, 254, 10]).toString()],
])('%s is taken', async (_, body, headers, decoding, text) => {
  expect(await post(body, headers)).toEqual({ status: 202, message: 'taken', retryAfter: null })
  expect(taken).toMatchObject([{ decoding, text }])
})

test.each<[number, string, RequestInit['body'], Record<string, string>, RegExp]>([
  [400, 'an empty body', '', {}, /empty/],
  [400, 'only white space', ' \n\t', {}, /empty/],
  [400, 'an array that is cut', '[{"a":1},{"a"', json, /not a complete JSON array/],
  [400, 'an envelope that is cut', '{"Records":[{"a":1},{"a"', json, /breaks off within a list of records/],
  [
    400,
    'a delivery of CloudWatch Logs that is cut',
    delivery.slice(0, -1),
    json,
    /CloudWatch Logs: the delivery at byte 0 is not/,
  ],
  [400, 'gzip that is cut', gzipSync(ndjson.repeat(100)).subarray(0, 40), {}, /cannot be decompressed: unexpected end of file/],
  [400, 'gzip with garbage behind it', Buffer.concat([gzipSync('a\n'), Buffer.from('garbage')]), {}, /cannot be decompressed/],
  [400, 'gzip that is no gzip', Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(100, 7)]), {}, /cannot be decompressed/],
  [401, 'a wrong token', ndjson, { authorization: 'Bearer bad' }, /bearer token is needed/],
  [401, 'no token', ndjson, { authorization: '' }, /bearer token is needed/],
  [401, 'another scheme', ndjson, { authorization: 'Basic good' }, /bearer token is needed/],
  [413, 'a body that is too large', Buffer.alloc(5 * 1024 * 1024, 97), {}, /larger than 4194304 bytes/],
  [413, 'more records than a batch can hold', 'x\n'.repeat(300_000), {}, /more than 200000 records/],
  [413, 'a delivery of more events than that behind a line', `first\n${events(200_001)}`, json, /more than 200000 records/],
  [413, 'an array of many numbers', `[${'1,'.repeat(300_000)}1]`, json, /more than 200000 records/],
  [400, 'an array of nothing but commas', `[${','.repeat(300_000)}]`, json, /not a complete JSON array/],
  [400, 'nothing but NULs', Buffer.alloc(100), {}, /empty/],
  [
    400,
    'deflate that is cut',
    deflateSync(ndjson.repeat(100)).subarray(0, 30),
    { 'content-encoding': 'deflate' },
    /decompressed/,
  ],
  [400, 'Brotli that is cut', brotliCompressSync(ndjson).subarray(0, 8), { 'content-encoding': 'br' }, /decompressed/],
  [400, 'zstd that is cut', zstdNdjson.subarray(0, 20), { 'content-encoding': 'zstd' }, /decompressed: unexpected end of data/],
  [400, 'zstd with garbage behind it', Buffer.concat([zstdNdjson, Buffer.from('garbage!')]), {}, /not a zstd frame/],
  [
    400,
    'zlib followed by garbage',
    Buffer.concat([deflateSync('a'), Buffer.from('x')]),
    { 'content-encoding': 'deflate' },
    /foll/,
  ],
  [400, 'text announced as deflate', ndjson, { 'content-encoding': 'deflate' }, /cannot be decompressed/],
  [400, 'text announced as Brotli', ndjson, { 'content-encoding': 'br' }, /cannot be decompressed/],
  [400, 'binary announced as gzip', Buffer.from([1, 2, 3, 4, 10]), { 'content-encoding': 'gzip' }, /does not begin like gzip/],
  [400, 'gzip with one byte of its head lost', gzipSync(ndjson).subarray(1), { 'content-encoding': 'gzip' }, /begin like gzip/],
  [
    400,
    'Latin-1 announced as zstd',
    Buffer.from([0xe4, 0x62, 0x63, 0x64, 10]),
    { 'content-encoding': 'zstd' },
    /begin like zstd/,
  ],
  [400, 'a zstd window of a gigabyte', Buffer.from('28b52ffd04a0010000', 'hex'), {}, /window is larger/],
  [413, 'a zstd frame that says it is larger', Buffer.from('28b52ffda4ffffff7f010000', 'hex'), {}, /larger than 4194304 bytes/],
  [
    415,
    'an encoding that is unknown',
    ndjson,
    { 'content-encoding': 'snappy' },
    /'snappy' cannot be.*identity.*gzip, deflate, br, zstd/,
  ],
  [415, 'a list with an unknown encoding', ndjson, { 'content-encoding': 'gzip, lz4' }, /'lz4' cannot be decoded/],
  [415, 'a long list of encodings', ndjson, { 'content-encoding': 'gzip, gzip, gzip, gzip, gzip' }, /cannot be decoded/],
  [415, 'a picture', ndjson, { 'content-type': 'image/png' }, /'image\/png' is not accepted/],
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
  [503, 'the disk is full, as reported by another thread', '10', new CaracalError('storage', 'disk full')],
  [503, 'the thread is gone', '5', new Error('the spool thread has ended')],
])('%i when %s', async (status, _, retryAfter, error) => {
  refuse = error
  expect(await post(ndjson)).toMatchObject({ status, retryAfter })
})

test('a chunked body without a length is accepted, and its time is that of its first byte', async () => {
  const before = clock
  const headers = { authorization: 'Bearer good', 'content-type': 'text/plain' }
  // A separate connection: one that another test has used may be closed during a body that cannot be sent twice.
  const sending = request(url, { method: 'POST', headers, agent: false })
  for (const part of ['{"a":1}\n', '{"a":', '2}\n']) await new Promise((resolve) => sending.write(part, resolve))
  sending.end()
  const [response] = (await once(sending, 'response')) as [IncomingMessage]
  response.resume()
  expect(response.statusCode).toBe(202)
  expect(taken).toMatchObject([{ text: ndjson, receivedMs: before + 1 }])
})

test('a chunked body that never ends is stopped at the limit', async () => {
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
  const { socket, answer } = rawRequest(`${head.replace('/', HASTY)}{"a":1}\n`)
  await vi.waitFor(() => expect(answer()).toMatch(/^HTTP\/1.1 408/), 5000)
  socket.destroy()
  expect(taken).toEqual([])
})

test('aborted bodies leave no memory reserved: many of them, then complete ones', async () => {
  for (let i = 0; i < 80; i++) {
    const { socket } = rawRequest(`${head}{"a":1}\n`)
    socket.on('connect', () => setImmediate(() => socket.destroy()))
  }
  const padded = Buffer.concat([gzipSync('a\n'), Buffer.alloc(50_000)])
  for (let i = 0; i < 80; i++) expect((await post(padded)).status).toBe(202)
  expect(taken.length).toBe(80)
})

test('an empty array is accepted, and nothing is stored', async () => {
  expect((await post(' [ ]\n', json)).status).toBe(202)
  expect(taken).toEqual([])
})

test.each([
  ['exactly the limit', 0, 202],
  ['one byte more than the limit', 1, 413],
])('a body of %s, announced, in chunks or compressed', async (_, more, status) => {
  const body = Buffer.alloc(settings.max_body_bytes + more, 'x')
  const chunked = new ReadableStream({
    start(controller) {
      for (let at = 0; at < body.length; at += 65_536) controller.enqueue(body.subarray(at, at + 65_536))
      controller.close()
    },
  })
  for (const sent of [body, chunked, gzipSync(body)]) expect((await post(sent)).status).toBe(status)
})

test('Brotli that decompresses to far too much is stopped at the limit without using memory', async () => {
  const bomb = brotliCompressSync(Buffer.alloc(64 * 1024 * 1024), { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })
  const before = process.memoryUsage().rss
  expect(await post(bomb, { 'content-encoding': 'br' })).toMatchObject({ status: 413 })
  expect(process.memoryUsage().rss - before).toBeLessThan(40 * 1024 * 1024)
})

/** Sends the head and the first bytes of a body to a separate intake; `finish` sends the rest and returns the status. */
function sendTo(target: Intake, first: string, announced: number) {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start: (it) => {
      controller = it
      it.enqueue(Buffer.from(first))
    },
  })
  const headers = { authorization: 'Bearer good', 'content-length': String(announced) }
  const response = target.handle!(new Request('http://x/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit), '')
  return {
    finish: async (rest = ''): Promise<number> => {
      if (rest !== '') controller?.enqueue(Buffer.from(rest))
      controller?.close()
      return (await response).status
    },
    response,
  }
}

test('small bodies in transit use memory for the bytes received, whatever length they announce', async () => {
  const small = new HttpIntake(settings, deps, new BodyMemory(1000))
  const senders = Array.from({ length: 64 }, () => sendTo(small, '{"a":1}\n', settings.max_body_bytes))
  expect(await sendTo(small, 'x'.repeat(400), 400).finish()).toBe(202)
  for (const { finish } of senders) expect(await finish()).toBe(202)
})

test('bodies beyond the memory limit get 503 and a Retry-After header', async () => {
  const memory = new BodyMemory(1000)
  const small = new HttpIntake(settings, deps, memory)
  let release = () => {}
  let appending = () => {}
  const isAppending = new Promise<void>((resolve) => {
    appending = resolve
  })
  const append = () => {
    appending()
    return new Promise<void>((resolve) => {
      release = resolve
    })
  }
  const large = sendTo(new HttpIntake(settings, { ...deps, append }, memory), 'x'.repeat(900), 900).finish()
  await isAppending
  const refused = sendTo(small, 'x'.repeat(101), 101)
  expect(await refused.finish()).toBe(503)
  expect((await refused.response).headers.get('retry-after')).toBe('1')
  expect(await sendTo(small, 'x'.repeat(100), 100).finish()).toBe(202)
  release()
  expect(await large).toBe(202)
  expect(await sendTo(small, 'x'.repeat(1000), 1000).finish()).toBe(202)
})

test('a body without a token uses no memory: 401, not 503', async () => {
  const full = new HttpIntake(settings, deps, new BodyMemory(0))
  expect((await full.handle!(new Request('http://x/', { method: 'POST', body: 'x' }), '')).status).toBe(401)
})

test.each([
  ['GET', '', 405, /sent with POST, not GET/],
  ['POST', '/_bulk', 404, /nothing at '\/_bulk' below the URL of this source/],
])('%s %s is answered %i', async (method, path, status, message) => {
  const answer = await intake.handle!(new Request('http://x/', { method, headers: { authorization: 'Bearer good' } }), path)
  expect(answer.status).toBe(status)
  expect(await answer.text()).toMatch(message)
})

test.each([
  ['bzip2', 'utf-8.log.bz2'],
  ['Snappy', 'utf-8.log.sz'],
  ['zip', 'utf-8.log.zip'],
])('a compressed file as a body, without a header that says so: %s', async (_, name) => {
  const fixtures = join(import.meta.dirname, '../../../test/fixtures/packed')
  const response = await post(readFileSync(join(fixtures, name)), { 'content-type': 'application/octet-stream' })
  expect(response.status).toBe(202)
  expect(taken[0]!.text.trim()).toBe(readFileSync(join(fixtures, 'utf-8.log'), 'utf8').trim())
  const cut = await post(readFileSync(join(fixtures, name)).subarray(0, 3000), { 'content-type': 'application/octet-stream' })
  expect(cut.status).toBe(400)
  expect(cut.message).toMatch(/cannot be decompressed: .+, near byte/)
})
