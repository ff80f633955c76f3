// First: see there.
import '../../test/support/own-response.ts'
import { createServer, type IncomingMessage, type RequestListener, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { afterEach, expect, test } from 'vitest'
import type { KnownActive } from '../model/node.ts'
import { FORWARDED, ForwardedHeaders } from '../util/http/forwarded.ts'
import { Forwarder } from './forwarder.ts'
import { startServer } from './server.ts'

/** A forwarder before a bare server, which shows what arrives there. */
const KEY = 'the key of this state'
const outcomes: string[] = []
const open: { close(): unknown }[] = []
let active: KnownActive | undefined

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
  outcomes.length = 0
  active = undefined
})

/** The active node. */
async function begin(handle: RequestListener = () => {}): Promise<Server> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({ close: () => server.close().closeAllConnections() })
  active = { node: 'a', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: KEY, isSilent: false }
  return server
}

function forwarderOf(node: string, to: () => KnownActive | undefined) {
  const forwarder = new Forwarder({ node, active: to, trusted: {}, onOutcome: (outcome) => outcomes.push(`${node} ${outcome}`) })
  open.push(forwarder)
  const answer = (_: Request, connection: object) => {
    const { incoming, outgoing } = connection as HttpBindings
    return forwarder.forward(incoming, outgoing)
  }
  return { forwarder, answer }
}

/** A node that forwards. */
async function door(node = 'door', to = () => active) {
  const { forwarder, answer } = forwarderOf(node, to)
  const server = await startServer(answer, { listen: '127.0.0.1:0' })
  open.push({ close: () => server.close(0) })
  return { url: server.url, forwarder }
}

function deferred() {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of message) text += piece
  return text
}

/** Sends bytes as they are, and resolves with what comes back until `until` matches. */
async function raw(url: string, bytes: string, until: RegExp): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(bytes, 'latin1')
  let text = ''
  for await (const piece of socket) {
    text += (piece as Buffer).toString('latin1')
    if (until.test(text)) break
  }
  socket.destroy()
  return text
}

test('a request arrives as it was sent, with what is proven about it, and its answer comes back as it was given', async () => {
  let seen: IncomingMessage | undefined
  let body = ''
  await begin(async (incoming, outgoing) => {
    seen = incoming
    body = await bodyOf(incoming)
    outgoing.writeHead(418, 'Teapot', [
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
      'X-Own',
      'é',
      'Keep-Alive',
      'timeout=7',
      'Content-Length',
      '3',
    ])
    outgoing.end(Buffer.from('one'))
  })
  const { url } = await door()
  const headers = {
    ...{ host: 'siem.example.com', cookie: 'x=1', 'x-forwarded-for': '203.0.113.9', te: 'trailers' },
    ...{
      connection: 'x-hop, keep-alive',
      'x-hop': '1',
      'proxy-authorization': 'secret',
      expect: '100-continue',
      'content-length': '17',
    },
  }
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, { path: '/a/../b%2F?c=%20d', method: 'POST', headers }, resolve)
    sent.on('error', reject)
    sent.end('body in one piece')
  })
  expect(await bodyOf(answer)).toBe('one')
  expect([answer.statusCode, answer.statusMessage]).toEqual([418, 'Teapot'])
  expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-own': 'é', 'content-length': '3' })
  expect(answer.headers['keep-alive']).not.toBe('timeout=7')
  // The active node's, or none.
  expect(answer.headers['x-frame-options']).toBeUndefined()
  expect([seen!.method, seen!.url, body]).toEqual(['POST', '/a/../b%2F?c=%20d', 'body in one piece'])
  const { [FORWARDED]: header, ...rest } = seen!.headers
  expect(rest).toEqual({
    ...{ host: 'siem.example.com', cookie: 'x=1', 'x-forwarded-for': '203.0.113.9' },
    ...{ connection: 'keep-alive', 'content-length': '17' },
  })
  expect(new ForwardedHeaders(KEY, 'a').accept(String(header), seen!)).toEqual({
    node: 'door',
    address: '127.0.0.1',
    isTls: false,
  })
  expect(outcomes).toEqual(['door answered'])
})

test('bytes of headers stay as they are', async () => {
  await begin((incoming, outgoing) =>
    outgoing.writeHead(200, { 'x-back': String(incoming.headers['x-odd']) }).end(Buffer.from('done')),
  )
  const { url } = await door()
  expect(await raw(url, 'GET /a HTTP/1.1\r\nHost: x\r\nX-Odd: \xe9\xff\r\n\r\n', /done/)).toContain('x-back: \xe9\xff\r\n')
})

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
test.each<[string, string]>([
  [
    'GET with a length that is called a header of the connection',
    `GET /a HTTP/1.1\r\nHost: x\r\nConnection: content-length\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ],
  [
    'DELETE in pieces',
    `DELETE /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ],
  [
    'GET in pieces that are called a header of the connection',
    `GET /a HTTP/1.1\r\nHost: x\r\nConnection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ],
])('the body of a request does not become another request: %s', async (_what, bytes) => {
  const seen: string[] = []
  await begin(async (incoming, outgoing) => {
    seen.push(`${incoming.url} ${await bodyOf(incoming)}`)
    outgoing.end('done')
  })
  const { url } = await door()
  expect(await raw(url, bytes, /done/)).toMatch(/^HTTP\/1.1 200 .*done/s)
  // Over the connection that a body without a frame would have left its rest in.
  expect(await (await fetch(`${url}/b`)).text()).toBe('done')
  expect(seen).toEqual([`/a ${SMUGGLED}`, '/b '])
})

test('two lengths, or a length and pieces, are refused here', async () => {
  await begin(() => expect.unreachable())
  const { url } = await door()
  for (const more of ['Content-Length: 5', 'Transfer-Encoding: chunked'])
    expect(await raw(url, `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n${more}\r\n\r\nabcd`, /\r\n\r\n/)).toMatch(
      /^HTTP\/1.1 400 /,
    )
})

test('pieces pass in both directions as they come', async () => {
  await begin((incoming, outgoing) => incoming.on('data', (piece) => outgoing.write(`got ${piece}`)))
  const { url } = await door()
  const sent = request(url, { method: 'POST' })
  const answered = new Promise<IncomingMessage>((resolve) => sent.on('response', resolve))
  sent.write('one')
  const answer = await answered
  const next = () => new Promise<string>((resolve) => answer.once('data', (piece) => resolve(String(piece))))
  expect(await next()).toBe('got one')
  sent.write('two')
  expect(await next()).toBe('got two')
  sent.destroy()
})

test('an answer that begins without a body is seen at once', async () => {
  await begin((_, outgoing) => outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders())
  const { url } = await door()
  const response = await fetch(url)
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  await response.body!.cancel()
})

test.each(['before', 'during'])('a client that leaves %s the answer is gone for the active node as well', async (when) => {
  const arrived = deferred()
  const left = deferred()
  await begin((_, outgoing) => {
    outgoing.on('close', left.resolve)
    if (when === 'during') outgoing.write('first')
    arrived.resolve()
  })
  const { url } = await door()
  const sent = request(url).on('error', () => {})
  const answered = new Promise((resolve) => sent.on('response', (answer) => answer.on('error', () => {}).once('data', resolve)))
  sent.end()
  await (when === 'during' ? answered : arrived.promise)
  sent.destroy()
  await left.promise
  expect(outcomes).toEqual(when === 'during' ? ['door answered'] : [])
})

test('an answer that breaks off is not taken for a whole one', async () => {
  await begin((_, outgoing) => {
    outgoing.writeHead(200, { 'content-length': 1000 })
    outgoing.write('half', () => outgoing.destroy())
  })
  const { url } = await door()
  await expect(fetch(url).then((response) => response.text())).rejects.toThrow()
})

test('an upload that is refused before its end gets the refusal', async () => {
  await begin((_, outgoing) => outgoing.writeHead(413, { connection: 'close' }).end('too large'))
  const { url } = await door()
  const sent = request(url, { method: 'POST' })
  sent.on('error', () => {})
  const answered = new Promise<IncomingMessage>((resolve) => sent.on('response', resolve))
  sent.write('x')
  const answer = await answered
  expect([answer.statusCode, await bodyOf(answer)]).toEqual([413, 'too large'])
  sent.destroy()
})

test('a connection on which a body was refused is not used again', async () => {
  let connections = 0
  const server = await begin((_, outgoing) => outgoing.writeHead(413).end('too large'))
  server.on('connection', () => connections++)
  const { url } = await door()
  for (let i = 0; i < 3; i++) await (await fetch(url, { method: 'POST', body: 'x' })).text()
  expect(connections).toBe(3)
})

test('a request that changes something is not sent again if there is no answer; one that does nothing may be', async () => {
  const seen: string[] = []
  await begin((incoming) => {
    seen.push(`${incoming.method}`)
    incoming.socket.destroy()
  })
  const { url } = await door()
  const posted = await fetch(url, { method: 'POST', body: 'x' })
  expect([posted.status, posted.headers.get('retry-after'), await posted.json()]).toEqual([
    502,
    null,
    expect.objectContaining({
      code: 'no_answer',
      detail: expect.stringMatching(/a, at http.*Whether it has carried out this POST is not known/),
    }),
  ])
  const got = await fetch(url)
  expect([got.status, got.headers.get('retry-after')]).toEqual([503, '5'])
  expect(seen).toEqual(['POST', 'GET'])
  expect(outcomes).toEqual(['door no_answer', 'door unreachable'])
})

test.each<[string, number, number]>([
  ['GET', 200, 3],
  ['POST', 502, 2],
])('when an idle connection turns out to be closed, a %s gets %i', async (method, status, requests) => {
  let n = 0
  await begin((incoming, outgoing) => {
    n++
    // As if it had been closed while the next request was on its way.
    if (n === 2) incoming.socket.destroy()
    else outgoing.end('done')
  })
  const { url } = await door()
  await (await fetch(url)).text()
  expect((await fetch(url, { method })).status).toBe(status)
  expect(n).toBe(requests)
})

test.each<[string, Partial<KnownActive> | undefined, RegExp, string]>([
  ['no node is active', undefined, /no node is active/, 'no_active'],
  ['its address is not known', { url: undefined }, /the active node is a, and its address or key/, 'no_active'],
  ['the key is not known', { key: undefined }, /its address or key/, 'no_active'],
  ['it gives no sign of life', { isSilent: true }, /a, at http:.*no sign of life/, 'no_active'],
  [
    'nothing listens there',
    { url: 'http://127.0.0.1:1' },
    /a, at http:\/\/127.0.0.1:1, and it cannot be reached: .*ECONNREFUSED/,
    'unreachable',
  ],
])('while %s, the answer says so', async (_what, more, detail, outcome) => {
  await begin(() => expect.unreachable())
  active = more && { ...active!, ...more }
  const { url } = await door()
  const response = await fetch(url, { method: 'POST', body: 'x'.repeat(100_000) })
  expect([response.status, response.headers.get('retry-after'), await response.json()]).toEqual([
    503,
    '5',
    expect.objectContaining({ code: 'standby', detail: expect.stringMatching(detail) }),
  ])
  expect(outcomes).toEqual([`door ${outcome}`])
})

test('requests that wait for a node that is no longer active are given up', async () => {
  const arrived = deferred()
  let n = 0
  await begin(() => ++n === 2 && arrived.resolve())
  const { url, forwarder } = await door()
  const waiting = [fetch(url), fetch(url, { method: 'POST' })]
  await arrived.promise
  forwarder.follow()
  active = { ...active!, node: 'b' }
  forwarder.follow()
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([503, 502])
})

test('two nodes that take each other for active do not send a request around', async () => {
  await begin()
  const other = await door('a', () => ({ ...active!, node: 'door', url }))
  const { url } = await door()
  active = { ...active!, url: other.url }
  const response = await fetch(url)
  expect([response.status, await response.json()]).toEqual([
    503,
    expect.objectContaining({ detail: expect.stringContaining('the node a is not the active one') }),
  ])
  expect(outcomes).toEqual(['a refused', 'door refused'])
})

test('more than 200 at a time are refused, and connections are used again', async () => {
  const waiting: ServerResponse[] = []
  let connections = 0
  const server = await begin((_, outgoing) => waiting.push(outgoing))
  server.on('connection', () => connections++)
  // Without the limits of one client.
  const front = createAdaptorServer({ fetch: forwarderOf('door', () => active).answer }) as Server
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  open.push({ close: () => front.close().closeAllConnections() })
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
  const all = Array.from({ length: 201 }, () => fetch(url).then(({ status }) => status))
  expect(await Promise.race(all)).toBe(503)
  await expect.poll(() => waiting.length).toBe(200)
  for (const outgoing of waiting) outgoing.end('done')
  expect((await Promise.all(all)).filter((status) => status === 200)).toHaveLength(200)
  const before = connections
  const again = fetch(url)
  await expect.poll(() => waiting.length).toBe(201)
  waiting.at(-1)!.end('done')
  expect((await again).status).toBe(200)
  expect(connections).toBe(before)
})
