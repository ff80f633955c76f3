import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { testAuthority } from '../../../test/support/certificates.ts'
import { RetryLater } from '../../util/errors.ts'
import { sendNothing } from '../../util/http/send.ts'
import { decodeBody } from './decoders/decode.ts'
import type { IntakeDeps } from './source.ts'
import { type SyslogIntake, syslog } from './syslog.ts'

let intake: SyslogIntake | undefined
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await intake?.close()
  intake = undefined
})

/** Messages in the spool, with the address that each came from. */
class Spool {
  readonly messages: [string, unknown][] = []
  /** Whether it has no room. */
  isFull = false
  #changed = () => {}

  readonly deps: IntakeDeps = {
    append: async (body, { decoding }) => {
      if (this.isFull) {
        this.#changed()
        throw new RetryLater('the spool is full', 1)
      }
      const decoded = decodeBody(body, decoding)
      if ('broken' in decoded) throw new Error(decoded.broken)
      const { bytes, records, hints } = decoded
      for (let i = 0; i < records!.length; i += 2)
        this.messages.push([
          Buffer.from(bytes.subarray(records![i], records![i + 1])).toString(),
          hints![i / 2]!.hints.fields!['sender_ip'],
        ])
      this.#changed()
    },
    now: () => 1_700_000_000_000,
    authorised: () => false,
    send: sendNothing,
    secret: (reference) => secrets[Object.values(reference)[0] as string]!,
  }

  /** Waits until `isDone`, which is asked after each append. */
  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) await this.change()
  }

  /** Waits for the next append, also if it is refused. */
  async change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#changed = resolve
    })
  }
}

let secrets: Record<string, string> = {}

async function open(settings: object, spool = new Spool()): Promise<Spool> {
  intake = (await syslog.pushes!(
    syslog.config.parse({ id: 'logs', listen: '127.0.0.1:0', ...settings }),
    spool.deps,
  )) as SyslogIntake
  return spool
}

async function connected(): Promise<Socket> {
  const socket = connect(intake!.port, '127.0.0.1')
  socket.on('error', () => {})
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

test('UDP: each datagram is a message, whatever it contains', async () => {
  const spool = await open({ transports: ['udp'] })
  const sender = createSocket('udp4')
  for (const text of ['<13>one\n', 'two\nlines', ' \n', '5 <13>x'])
    await new Promise((resolve) => sender.send(text, intake!.port, '127.0.0.1', resolve))
  await spool.until(() => spool.messages.length === 3)
  sender.close()
  expect(spool.messages).toEqual([
    ['<13>one', '127.0.0.1'],
    ['two\nlines', '127.0.0.1'],
    ['5 <13>x', '127.0.0.1'],
  ])
  expect(intake!.status().notices).toEqual([
    expect.stringMatching(/^The buffer for datagrams has \d+ bytes/),
    process.platform === 'linux' ? '0 datagrams were lost' : expect.any(String),
  ])
})

test('TCP and UDP are on the same port, and a message in two pieces is one', async () => {
  const spool = await open({})
  const socket = await connected()
  socket.write('<13>be')
  const sender = createSocket('udp4')
  await new Promise((resolve) => sender.send('<13>datagram', intake!.port, '127.0.0.1', resolve))
  sender.close()
  await spool.until(() => spool.messages.length === 1)
  socket.write('gun\n9 <13>a\nb c')
  await spool.until(() => spool.messages.length === 3)
  expect(spool.messages.map(([text]) => text)).toEqual(['<13>datagram', '<13>begun', '<13>a\nb c'])
})

test('what a connection ends with is a message', async () => {
  const spool = await open({})
  const socket = await connected()
  socket.end('<13>whole\n40 <13>cut')
  await spool.until(() => spool.messages.length === 2)
  expect(spool.messages.map(([text]) => text)).toEqual(['<13>whole', '<13>cut'])
})

test('while the spool is full, senders over TCP wait, and all arrives in order once there is room', async () => {
  const spool = await open({ transports: ['tcp'] })
  spool.isFull = true
  const socket = await connected()
  const line = (n: number) => `<13>${String(n).padStart(7, '0')}${'x'.repeat(20_000)}\n`
  const sent = 3000
  // Far more than the queue and the kernel's buffers take.
  for (let n = 0; n < sent; n++) socket.write(line(n))
  for (let left = -1, same = 0; same < 50; left = socket.writableLength) {
    await spool.change()
    same = socket.writableLength === left ? same + 1 : 0
  }
  expect(socket.writableLength).toBeGreaterThan(0)
  expect(spool.messages).toEqual([])
  expect(intake!.status().problems).toEqual(['messages wait: the spool is full'])
  spool.isFull = false
  await spool.until(() => spool.messages.length === sent)
  expect(spool.messages.every(([text], n) => text === line(n).trimEnd())).toBe(true)
  expect(intake!.status().problems).toEqual([])
}, 60_000)

test('datagrams that come while the spool is full are counted and reported', async () => {
  const spool = await open({ transports: ['udp'] })
  spool.isFull = true
  const sender = createSocket('udp4')
  const datagram = Buffer.alloc(60_000, 'x')
  // More than the queue takes.
  for (let n = 0; n < 320; n++) await new Promise((resolve) => sender.send(datagram, intake!.port, '127.0.0.1', resolve))
  let lost: string | undefined
  while (lost === undefined) {
    await new Promise((resolve) => setImmediate(resolve))
    lost = intake!.status().lost
  }
  sender.close()
  expect(lost).toMatch(/^\d+ datagrams were lost since the start, the last at 2023-11-14T22:13:20.000Z/)
  spool.isFull = false
})

test('connections over the limit are refused and reported, and the others go on', async () => {
  const spool = await open({ transports: ['tcp'], max_connections: 1 })
  const first = await connected()
  const second = await connected()
  await once(second, 'close')
  first.write('<13>first\n')
  await spool.until(() => spool.messages.length === 1)
  expect(intake!.status().problems).toEqual([
    '1 connections were refused since the start, the last at 2023-11-14T22:13:20.000Z: there are 1 already (`max_connections`)',
  ])
})

test('TLS, with certificates of senders', async () => {
  const [ours, theirs] = [testAuthority(), testAuthority('Another')]
  const [server, client, other] = [ours.server('localhost'), ours.server('client'), theirs.server('client')]
  secrets = { 'cert.pem': server.cert, 'key.pem': server.key, 'ca.pem': ours.certificate }
  const tls = { cert: { file: 'cert.pem' }, key: { file: 'key.pem' }, client_ca: { file: 'ca.pem' } }
  const spool = await open({ transports: ['tls'], tls })
  const options = { port: intake!.port, host: '127.0.0.1', ca: ours.certificate, servername: 'localhost' }
  const known = connectTls({ ...options, cert: client.cert, key: client.key })
  known.end('11 <13>known\nx')
  sockets.push(known)
  await spool.until(() => spool.messages.length === 1)
  expect(spool.messages).toEqual([['<13>known\nx', '127.0.0.1']])
  const unknown = connectTls({ ...options, cert: other.cert, key: other.key })
  unknown.on('error', () => {})
  unknown.write('<13>unknown\n')
  await once(unknown, 'close')
  expect(spool.messages).toHaveLength(1)
  expect(intake!.status().problems?.[0]).toMatch(/^1 connections were refused .*the TLS handshake failed/)
})

test.each([
  [{ transports: ['tls'] }, /only of use together/],
  [{ transports: ['udp'], tls: { cert: { file: 'c' }, key: { file: 'k' } } }, /only of use together/],
  [{ transports: ['tcp', 'tls'], tls: { cert: { file: 'c' }, key: { file: 'k' } } }, /a source of its own/],
])('%j is refused', async (settings, message) => {
  await expect(open(settings)).rejects.toThrow(message)
})

test('a port in use is named, with what to do', async () => {
  await open({ transports: ['tcp'] })
  const taken = `127.0.0.1:${intake!.port}`
  await expect(syslog.pushes!(syslog.config.parse({ id: 'second', listen: taken }), new Spool().deps)).rejects.toThrow(
    `source 'second': cannot listen on ${taken}: another program uses this port: choose another one in \`listen\``,
  )
})
