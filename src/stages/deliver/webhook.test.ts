import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Refused, RetryLater } from '../../util/errors.ts'
import { webhook } from './webhook.ts'

interface Seen {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
const seen: Seen[] = []
let respond: (response: ServerResponse) => void = (response) => void response.writeHead(204).end()
const server = createServer((request, response) => {
  let body = ''
  request.on('data', (bytes) => {
    body += bytes
  })
  request.on('end', () => {
    seen.push({ headers: request.headers, body })
    respond(response)
  })
})
let url = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const NOW = Date.parse('2024-01-01T00:00:00Z')
const deps = { fetch, now: () => NOW, write: () => {}, secret: () => 'key' }
const open = (part: object = {}) => webhook.create(webhook.config.parse({ id: 'soc', url, ...part }), deps)
const alert = { id: 'delivery-1', alertId: 'a', body: '{"title":"é \\u0000"}' }

test.each<[number, Record<string, string>, Error | undefined]>([
  [200, {}, undefined],
  [204, {}, undefined],
  [408, {}, new RetryLater('the webhook answered 408')],
  [429, { 'retry-after': '7' }, new RetryLater('the webhook answered 429', 7000)],
  [503, { 'retry-after': 'Mon, 01 Jan 2024 00:00:30 GMT' }, new RetryLater('the webhook answered 503', 30_000)],
  [503, { 'retry-after': 'Sun, 31 Dec 2023 00:00:00 GMT' }, new RetryLater('the webhook answered 503', 0)],
  [503, { 'retry-after': '99999999' }, new RetryLater('the webhook answered 503', 3_600_000)],
  [503, { 'retry-after': 'soon' }, new RetryLater('the webhook answered 503')],
  [503, { 'retry-after': '-5' }, new RetryLater('the webhook answered 503')],
  [500, {}, new RetryLater('the webhook answered 500')],
  [301, { location: '/elsewhere' }, new Refused('the webhook answered 301')],
  [307, { location: '/elsewhere' }, new Refused('the webhook answered 307')],
  [400, {}, new Refused('the webhook answered 400')],
  [401, {}, new Refused('the webhook answered 401')],
])('an answer %i with %o', async (status, headers, gives) => {
  seen.length = 0
  respond = (response) => void response.writeHead(status, headers).end(status === 204 ? undefined : 'text')
  const destination = await open()
  const sent = destination.send(alert, AbortSignal.timeout(5000))
  if (!gives) await sent
  else {
    const error = await sent.catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(gives.constructor)
    expect((error as Error).message).toBe(gives.message)
    expect((error as RetryLater).afterMs).toBe((gives as RetryLater).afterMs)
  }
  expect(seen.length).toBe(1)
  await destination.close()
})

test('the signature is an HMAC over time and body, the id the same on every try', async () => {
  seen.length = 0
  respond = (response) => void response.writeHead(500).end()
  const destination = await open({
    secret: { env: 'KEY' },
    headers: { 'Content-Type': 'application/vnd.x+json', 'X-Team': 'soc', 'caracal-delivery': 'forged' },
  })
  for (let i = 0; i < 3; i++) await expect(destination.send(alert, AbortSignal.timeout(5000))).rejects.toThrow(RetryLater)
  for (const { headers, body } of seen) {
    expect(body).toBe(alert.body)
    const timestamp = headers['caracal-timestamp'] as string
    expect(timestamp).toBe(String(NOW / 1000))
    const wanted = createHmac('sha256', 'key')
      .update(Buffer.from(`${timestamp}.${body}`, 'utf8'))
      .digest('hex')
    expect(headers['caracal-signature']).toBe(`sha256=${wanted}`)
    expect([headers['caracal-delivery'], headers['content-type'], headers['x-team']]).toEqual([
      'delivery-1',
      'application/vnd.x+json',
      'soc',
    ])
  }
  expect(seen.length).toBe(3)
})

test('without a secret there is no signature', async () => {
  seen.length = 0
  respond = (response) => void response.writeHead(204).end()
  await (await open()).send(alert, AbortSignal.timeout(5000))
  expect(seen[0]!.headers['caracal-signature']).toBeUndefined()
})

test.each<[string, (response: ServerResponse) => void]>([
  ['never answers', () => {}],
  ['breaks the connection', (response) => void response.socket?.destroy()],
  ['speaks no HTTP', (response) => void response.socket?.end('hello\r\n\r\n')],
])('a receiver that %s is tried again later', async (_, how) => {
  respond = how
  const destination = await open({ timeout_ms: 200 })
  await expect(destination.send(alert, AbortSignal.timeout(5000))).rejects.toThrow(/the webhook cannot be reached/)
  await expect(destination.send(alert, AbortSignal.timeout(5000))).rejects.toBeInstanceOf(RetryLater)
})

test('an endless answer is not read', async () => {
  let timer: NodeJS.Timeout | undefined
  respond = (response) => {
    response.writeHead(200)
    timer = setInterval(() => response.write('x'.repeat(10_000)), 1)
  }
  await (await open()).send(alert, AbortSignal.timeout(5000))
  clearInterval(timer)
})

test.each([
  ['a header that cannot be sent', { headers: { 'X-Bad': 'a\nb' } }],
  ['a header name that is none', { headers: { 'X Bad': 'a' } }],
])('%s stops the start', async (_, part) => {
  await expect(open(part)).rejects.toThrow()
})

test.each(['ftp://x.example', 'file:///etc/passwd', 'x', ''])('%s is no address of a webhook', (bad) => {
  expect(webhook.config.safeParse({ id: 'soc', url: bad }).success).toBe(false)
})
