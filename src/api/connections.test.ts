import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type NetConnectOpts, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { createAdaptorServer } from '@hono/node-server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { testAuthority } from '../../test/support/certificates.ts'
import { fakeEngine, KEY, TOKEN } from '../../test/support/fake-engine.ts'
import { FORWARDED, forwardedHeader } from '../util/http/forwarded.ts'
import { createApp } from './app.ts'
import { Connections } from './connections.ts'

const pair = testAuthority().server()

describe.each([{ isTls: false }, { isTls: true }])('with TLS: $isTls', ({ isTls }) => {
  let server: Server
  let sockets: Socket[]
  let answers: ServerResponse[]

  beforeEach(async () => {
    sockets = []
    answers = []
    const listener: RequestListener = (request, response) => {
      if (request.headers.authorization === 'Bearer bad') response.statusCode = 401
      if (request.url === '/wait') answers.push(response)
      else response.end('served')
    }
    server = isTls ? createTlsServer(pair, listener) : createServer(listener)
    server.on('tlsClientError', () => {})
    new Connections(server, { max: 20, maxIdlePerAddress: 8 })
    server.listen(0, '::')
    await once(server, 'listening')
  })
  afterEach(async () => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  /** A connection from `address`, a loopback one. */
  async function open(address = '127.0.0.1'): Promise<Socket & { answer: string }> {
    const { port } = server.address() as AddressInfo
    const begin = (to: object) => (isTls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to as NetConnectOpts))
    const socket = Object.assign(begin({ port, host: '127.0.0.1', localAddress: address }), { answer: '' })
    sockets.push(socket)
    socket.on('data', (bytes) => {
      socket.answer += bytes
    })
    socket.on('error', () => {})
    await once(socket, isTls ? 'secureConnect' : 'connect')
    return socket
  }

  /** A connection that the server closes at once, perhaps before TLS begins. */
  async function refused(address: string): Promise<void> {
    const { port } = server.address() as AddressInfo
    const socket = connect({ port, host: '127.0.0.1', localAddress: address })
    sockets.push(socket as (typeof sockets)[number])
    socket.resume().on('error', () => {})
    await once(socket, 'close')
  }

  async function openMany(n: number, address?: string) {
    const opened = []
    for (let i = 0; i < n; i++) opened.push(await open(address))
    return opened
  }

  const ask = (path: string, token = 'good') => `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`
  const served = (socket: { answer: string }) => vi.waitFor(() => expect(socket.answer).toMatch(/served/))

  test('a new sender is served despite too many idle connections, even from its own address', async () => {
    await openMany(60)
    const sender = await open()
    sender.write(ask('/'))
    await served(sender)
  })

  test('idle connections of one address do not close those of another', async () => {
    const [other] = await openMany(1, '127.0.0.2')
    await openMany(60)
    other!.write(ask('/'))
    await served(other!)
  })

  test('requests of a known sender are not interrupted, however many connect', async () => {
    const sender = await open()
    sender.write(ask('/'))
    await served(sender)
    sender.write(ask('/wait'))
    await vi.waitFor(() => expect(answers.length).toBe(1))
    for (const address of ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4']) await openMany(20, address)
    answers[0]!.end('done')
    await vi.waitFor(() => expect(sender.answer).toMatch(/done/))
  })

  test('requests without a valid token count as idle: they give way', async () => {
    const unknown = await openMany(20)
    for (const socket of unknown) socket.write(ask('/wait', 'bad'))
    const sender = await open()
    sender.write(ask('/'))
    await served(sender)
  })

  test('if all connections belong to busy known senders, a new one is refused until one of them ends', async () => {
    const senders = await openMany(8)
    for (const address of ['127.0.0.2', '127.0.0.3']) senders.push(...(await openMany(6, address)))
    for (const socket of senders) {
      socket.write(ask('/'))
      await served(socket)
      socket.write(ask('/wait'))
    }
    await vi.waitFor(() => expect(answers.length).toBe(20))
    await refused('127.0.0.5')
    answers[0]!.end('done')
    await vi.waitFor(() => expect(senders[0]!.answer).toMatch(/done/))
    const next = await open('127.0.0.5')
    next.write(ask('/'))
    await served(next)
  })
})

test('a connection of another node is kept during its requests, as of a sender that is known', async () => {
  const engine = await fakeEngine({ node: 'a' })
  const server = createAdaptorServer({ fetch: createApp(engine).fetch }) as Server
  new Connections(server, { max: 20, maxIdlePerAddress: 1 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const headers = (more: object) =>
    Object.entries({ host: 'localhost', authorization: `Bearer ${TOKEN}`, ...more }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
  async function stream(more: object = {}) {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.write(`GET /api/v1/stream HTTP/1.1\r\n${headers(more).join('')}\r\n`)
    await once(socket, 'data')
    return socket
  }
  const said = { node: 'door', address: '192.0.2.7', isTls: true }
  const forwarded = await stream({ [FORWARDED]: forwardedHeader(KEY, 'a', said, { method: 'GET', url: '/api/v1/stream' }) })
  const own = await stream()
  const closed = once(own, 'close')
  await stream()
  await closed
  expect(forwarded.closed).toBe(false)
  server.close().closeAllConnections()
  await engine.dispose()
})
