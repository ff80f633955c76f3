import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { testAuthority } from '../../../test/support/certificates.ts'
import { trustedWith } from '../../util/http/http.ts'
import { version } from '../../util/version.ts'
import { toWire } from '../../util/wire.ts'
import { dial } from './dial.ts'
import { proofOf } from './handshake.ts'
import { MakersHere } from './makers-here.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'caracal-makers-here-'))
const KEY = 'the key of this state'
const said: string[] = []
const open: { readonly makers: MakersHere; readonly server: Server; readonly sockets: Socket[] }[] = []

afterEach(async () => {
  said.length = 0
  for (const { makers, server, sockets } of open.splice(0)) {
    await makers.stop()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
})
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

/** A worker that listens; resolves with its port. */
async function listen({ tls, ...given }: { key?: string | undefined; tls?: { cert: string; key: string } } = {}) {
  const key = 'key' in given ? given.key : KEY
  const tell = (sentence: string) => said.push(sentence)
  const makers = new MakersHere({ threads: 2, dataDir, key: async () => key, tell })
  const server = tls ? createTlsServer(tls) : createServer()
  const sockets: Socket[] = []
  server.on('connection', (socket: Socket) => sockets.push(socket))
  server.on('upgrade', (request, socket, head) => void makers.upgrade(request, socket, head))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({ makers, server, sockets })
  return { makers, port: (server.address() as AddressInfo).port }
}

const known = (port: number, key = KEY) => dial({ url: `http://127.0.0.1:${port}`, key, trusted: {} })

/** A request to switch protocols, byte by byte, and what comes back until `until`. */
async function raw(port: number, headers: Record<string, string>, until: RegExp, path = '/worker') {
  const socket = connect(port, '127.0.0.1')
  const lines = Object.entries({ host: 'x', connection: 'Upgrade', upgrade: 'caracal-worker', ...headers })
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
  let text = ''
  await new Promise<void>((resolve) => {
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      if (until.test(text)) resolve()
    })
    socket.on('close', () => resolve())
    socket.on('error', () => resolve())
  })
  return { socket, text }
}
const right = { 'caracal-version': version(), 'caracal-nonce': 'n' }
const closed = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.on('close', () => resolve())))

test('who knows the key connects, as often as there are threads, and again when one is free', async () => {
  const { makers, port } = await listen()
  const one = await known(port)
  expect(one.threads).toBe(2)
  await known(port)
  await expect.poll(() => makers.running).toBe(2)
  await expect(known(port)).rejects.toThrow('it answered 503: all 2 threads of this node are taken')
  one.port.close(new Error('enough'))
  await expect.poll(() => makers.running).toBe(1)
  await known(port)
})

test.each<[string, Record<string, string>, RegExp, string?]>([
  ['another version', { ...right, 'caracal-version': '0.0.0' }, /409 .*this node runs version .* and the active one 0\.0\.0/s],
  ['no nonce', { 'caracal-version': version() }, /400 .*nonce is missing/s],
  ['another protocol', { ...right, upgrade: 'websocket' }, /404 /],
  ['another path', right, /404 /, '/api/v1/alerts'],
])('%s is refused with the reason', async (_what, headers, answer, path) => {
  const { makers, port } = await listen()
  const { text, socket } = await raw(port, headers, answer, path)
  expect(text).toMatch(answer)
  await closed(socket)
  expect(makers.running).toBe(0)
})

test('the state has no key before a node has been active', async () => {
  const { port } = await listen({ key: undefined })
  await expect(known(port)).rejects.toThrow('it answered 503: the state has no key yet')
})

test('a worker that stops takes no more', async () => {
  const { makers, port } = await listen()
  await makers.stop()
  await expect(known(port)).rejects.toThrow('it answered 503: this node stops')
  expect(makers.running).toBe(0)
})

test('a worker of another state is recognised, and recognises the active node of another state', async () => {
  const { makers, port } = await listen()
  await expect(known(port, 'another key')).rejects.toThrow('does not have the key of this state')
  expect(makers.running).toBe(0)
})

test.each<[string, Buffer]>([
  ['a wrong proof', Buffer.alloc(32, 1)],
  ['the proof of the worker itself', Buffer.alloc(0)],
  ['a message instead', toWire({ id: 1, method: 'start', argument: {} })],
  ['very many bytes', Buffer.alloc(1_000_000, 65)],
])('after %s nothing of the other side is read', async (what, bytes) => {
  const { makers, port } = await listen()
  const { socket, text } = await raw(port, right, /\r\n\r\n/)
  const own = Buffer.from(/caracal-proof: (\S+)/i.exec(text)![1]!, 'base64url')
  socket.write(what.includes('itself') ? own : bytes)
  await closed(socket)
  expect(makers.running).toBe(0)
  expect(said.join()).toContain('was refused: it does not have the key of this state')
})

test('a proof does not count for another connection', async () => {
  const { makers, port } = await listen()
  const proofFor = (text: string) => proofOf('active', KEY, ['n', /caracal-nonce: (\S+)/i.exec(text)![1]!])
  const first = await raw(port, right, /\r\n\r\n/)
  const second = await raw(port, right, /\r\n\r\n/)
  second.socket.write(proofFor(first.text))
  await closed(second.socket)
  expect(makers.running).toBe(0)
  first.socket.write(proofFor(first.text))
  await expect.poll(() => makers.running).toBe(1)
})

test('strangers who say nothing are few, and make no room for others', async () => {
  const { makers, port } = await listen()
  const silent = await Promise.all(Array.from({ length: 16 }, () => raw(port, right, /\r\n\r\n/)))
  const { text } = await raw(port, right, /taken/)
  expect(text).toContain('503 Service Unavailable')
  for (const { socket } of silent) socket.destroy()
  await expect
    .poll(() =>
      known(port).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true)
  await expect.poll(() => makers.running).toBe(1)
})

test('calls that do not exist, or come too early, are answered with an error', async () => {
  const { makers, port } = await listen()
  const { port: connection } = await known(port)
  await expect.poll(() => makers.running).toBe(1)
  connection.postMessage({ id: 1, method: 'constructor', argument: {} })
  connection.postMessage({ id: 2, method: 'make', argument: {} })
  const answers: unknown[] = []
  connection.on('message', (message: never) => answers.push(message))
  await expect.poll(() => answers.length).toBe(2)
  expect(answers).toMatchObject([
    { id: 1, error: { message: "there is no call 'constructor'" } },
    { id: 2, error: { message: 'no thread has been started' } },
  ])
})

test('with TLS, the authority in the configuration is trusted, and no other', async () => {
  const authority = testAuthority('workers')
  const { makers, port } = await listen({ tls: authority.server('localhost') })
  const url = `https://localhost:${port}`
  await dial({ url, key: KEY, trusted: trustedWith(authority.certificate) })
  await expect.poll(() => makers.running).toBe(1)
  await expect(dial({ url, key: KEY, trusted: {} })).rejects.toThrow(/certificate/)
})
