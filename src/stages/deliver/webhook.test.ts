import { createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { outgoingAlert } from '../../../test/support/alerts.ts'
import { TestServer } from '../../../test/support/servers.ts'
import { Refused, RetryLater } from '../../util/errors.ts'
import { createHttp, type Http } from '../../util/http/http.ts'
import { connectNowhere } from '../../util/http/open-socket.ts'
import { HttpError } from '../../util/http/send.ts'
import type { Delivery } from './destination.ts'
import { webhook } from './webhook.ts'
import { webhookBody } from './webhook-body.ts'

let server: TestServer
let http: Http
beforeEach(async () => {
  server = await new TestServer().listen()
  http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })
})
afterEach(async () => {
  await http.close()
  await server.close()
})

const NOW = Date.parse('2024-01-01T00:00:00Z')
const open = (part: object = {}) =>
  webhook.create(webhook.config.parse({ id: 'soc', url: `${server.url}/hook`, ...part }), {
    send: http.configured,
    socket: connectNowhere,
    trusted: {},
    now: () => NOW,
    write: () => {},
    secret: (reference) => {
      if ('file' in reference && reference.file?.startsWith('http')) return reference.file
      return 'env' in reference && reference.env === 'URL' ? `${server.url}/hidden` : 'key'
    },
  })
const delivery: Delivery = { id: 'delivery-1', kind: 'opened', alert: outgoingAlert({ title: 'é \0' }) }
const shown = (message: string) => message.replace('HOST', server.url)

test.each<[number, Record<string, string>, Error | undefined]>([
  [200, {}, undefined],
  [204, {}, undefined],
  [408, {}, new RetryLater('the webhook at HOST answered 408')],
  [429, {}, new RetryLater('the webhook at HOST answered 429', 30_000)],
  [429, { 'retry-after': '7' }, new RetryLater('the webhook at HOST answered 429', 7000)],
  [503, { 'retry-after': 'Mon, 01 Jan 2024 00:00:30 GMT' }, new RetryLater('the webhook at HOST answered 503', 30_000)],
  [503, { 'retry-after': 'Sun, 31 Dec 2023 00:00:00 GMT' }, new RetryLater('the webhook at HOST answered 503', 0)],
  [503, { 'retry-after': '99999999' }, new RetryLater('the webhook at HOST answered 503', 3_600_000)],
  [503, { 'retry-after': 'soon' }, new RetryLater('the webhook at HOST answered 503')],
  [503, { 'retry-after': '-5' }, new RetryLater('the webhook at HOST answered 503')],
  [500, {}, new RetryLater('the webhook at HOST answered 500')],
  [
    301,
    { location: '/elsewhere' },
    new Refused('the webhook at HOST answered 301, and redirects are not followed: name the final URL'),
  ],
  [
    307,
    { location: '/elsewhere' },
    new Refused('the webhook at HOST answered 307, and redirects are not followed: name the final URL'),
  ],
  [400, {}, new Refused('the webhook at HOST answered 400')],
  [401, {}, new Refused('the webhook at HOST answered 401')],
])('an answer %i with %o', async (status, headers, gives) => {
  server.answer = (response) => void response.writeHead(status, headers).end(status === 204 ? undefined : 'text')
  const destination = await open()
  const sent = destination.send(delivery, AbortSignal.timeout(5000))
  if (!gives) await sent
  else {
    const error = await sent.catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(gives.constructor)
    expect((error as Error).message).toBe(shown(gives.message))
    expect((error as RetryLater).afterMs).toBe((gives as RetryLater).afterMs)
  }
  expect(server.received.length).toBe(1)
  await destination.close()
})

test('the signature is an HMAC over time and body, and the id is the same on every attempt', async () => {
  server.answer = (response) => void response.writeHead(500).end()
  const destination = await open({
    secret: { env: 'KEY' },
    headers: { 'Content-Type': 'application/vnd.x+json', 'X-Team': 'soc', 'caracal-delivery': 'forged' },
  })
  for (let i = 0; i < 3; i++) await expect(destination.send(delivery, AbortSignal.timeout(5000))).rejects.toThrow(RetryLater)
  for (const { headers, body } of server.received) {
    expect(body).toBe(webhookBody(delivery.alert))
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
  expect(server.received.length).toBe(3)
})

test('without a secret there is no signature', async () => {
  server.answer = (response) => void response.writeHead(204).end()
  await (await open()).send(delivery, AbortSignal.timeout(5000))
  expect(server.received[0]!.headers['caracal-signature']).toBeUndefined()
})

test.each<[string, (response: ServerResponse) => void]>([
  ['never answers', () => {}],
  ['breaks the connection', (response) => void response.socket?.destroy()],
  ['speaks no HTTP', (response) => void response.socket?.end('hello\r\n\r\n')],
])('a receiver that %s is tried again later', async (_, how) => {
  server.answer = how
  const destination = await open({ timeout_ms: 200 })
  await expect(destination.send(delivery, AbortSignal.timeout(5000))).rejects.toThrow(
    /the webhook at http:\/\/127\.0\.0\.1:\d+ cannot be reached: /,
  )
  await expect(destination.send(delivery, AbortSignal.timeout(5000))).rejects.toBeInstanceOf(RetryLater)
})

test('an endless response is not read', async () => {
  let timer: NodeJS.Timeout | undefined
  server.answer = (response) => {
    response.writeHead(200)
    timer = setInterval(() => response.write('x'.repeat(10_000)), 1)
  }
  await (await open()).send(delivery, AbortSignal.timeout(5000))
  clearInterval(timer)
})

test.each([
  ['a header that cannot be sent', { headers: { 'X-Bad': 'a\nb' } }],
  ['an invalid header name', { headers: { 'X Bad': 'a' } }],
])('%s stops the start', async (_, part) => {
  await expect(open(part)).rejects.toThrow()
})

test.each(['ftp://x.example', 'file:///etc/passwd', 'x', ''])('%s is not a valid webhook URL', (bad) => {
  expect(webhook.config.safeParse({ id: 'soc', url: bad }).success).toBe(false)
})

test.each([
  ['written down', (address: string) => ({ url: address })],
  ['a secret', (address: string) => ({ url: { file: address } })],
])('a URL with a password in it stops the start, whatever is done with it: %s', async (_, part) => {
  const address = server.url.replace('//', '//user:s3cr3t@')
  const start = async () => open(part(address))
  await expect(start()).rejects.toThrow(/holds a user name or password.*header Authorization/)
  await expect(start()).rejects.not.toThrow(/s3cr3t/)
})

test('a request that cannot be sent at all is refused, not retried', async () => {
  const send = () => Promise.reject(new HttpError('invalid', 'it cannot be sent'))
  const config = webhook.config.parse({ id: 'soc', url: server.url })
  const destination = await webhook.create(config, {
    send,
    socket: connectNowhere,
    trusted: {},
    now: () => NOW,
    write: () => {},
    secret: () => '',
  })
  const sent = destination.send(delivery, AbortSignal.timeout(5000))
  await expect(sent).rejects.toEqual(new Refused(shown('the webhook at HOST cannot be reached: it cannot be sent')))
})

test('the body is as documented', async () => {
  await (await open()).send(delivery, AbortSignal.timeout(5000))
  expect(server.received[0]!.body).toBe(webhookBody(delivery.alert))
})

test('URL and headers can be references to secrets', async () => {
  const destination = await open({ url: { env: 'URL' }, headers: { Authorization: { file: 'x' } } })
  await destination.send(delivery, AbortSignal.timeout(5000))
  expect(server.received[0]).toMatchObject({ url: '/hidden', headers: { authorization: 'key' } })
  await expect(open({ url: { env: 'OTHER' } })).rejects.toThrow(/^url: the secret that it refers to is not an http or https URL$/)
})
