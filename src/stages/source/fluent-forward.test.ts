import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { testAuthority } from '../../../test/support/certificates.ts'
import type { JsonObject } from '../../model/json.ts'
import { RetryLater } from '../../util/errors.ts'
import { sendNothing } from '../../util/http/send.ts'
import { MsgpackFrames } from '../../util/msgpack/frames.ts'
import { MsgpackReader } from '../../util/msgpack/reader.ts'
import { msgpackOf, type Writable } from '../../util/msgpack/write.ts'
import { decodeBody } from './decoders/decode.ts'
import { type ForwardIntake, fluentForward } from './fluent-forward.ts'
import type { IntakeDeps } from './source.ts'

let intake: ForwardIntake | undefined
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await intake?.close()
  intake = undefined
})

const secrets: Record<string, string> = { KEY: 'shared', ALICE: 'alice’s' }

/** Records in the spool with their hints. */
async function open(settings: object, refuse: () => boolean = () => false): Promise<[string, unknown][]> {
  const records: [string, unknown][] = []
  const deps: IntakeDeps = {
    append: async (body, { decoding }) => {
      if (refuse()) throw new RetryLater('the spool is full', 1)
      const decoded = decodeBody(body, decoding)
      if ('broken' in decoded) throw new Error(decoded.broken)
      const { bytes, records: spans, hints } = decoded
      for (let i = 0; i < spans!.length; i += 2)
        records.push([Buffer.from(bytes.subarray(spans![i], spans![i + 1])).toString(), hints![i / 2]!.hints])
    },
    now: () => 1_700_000_000_000,
    authorised: () => false,
    send: sendNothing,
    secret: (reference) => secrets[Object.values(reference)[0] as string]!,
  }
  const config = fluentForward.config.parse({ id: 'fluent', listen: '127.0.0.1:0', ...settings })
  intake = (await fluentForward.pushes!(config, deps)) as ForwardIntake
  return records
}

/** A sender, with the messages that it gets. */
class Client {
  readonly socket: Socket
  readonly #answers: AsyncIterator<JsonObject>

  constructor(socket: Socket = connect(intake!.port, '127.0.0.1')) {
    this.socket = socket
    sockets.push(socket)
    this.#answers = answersOf(socket)
  }

  send(...messages: readonly (Writable | Buffer)[]): void {
    for (const message of messages) this.socket.write(Buffer.isBuffer(message) ? message : msgpackOf(message))
  }

  /** `undefined`: the connection has ended. */
  async answer(): Promise<unknown> {
    return (await this.#answers.next()).value
  }
}

async function* answersOf(socket: Socket): AsyncGenerator<JsonObject, undefined> {
  const frames = new MsgpackFrames(100_000)
  try {
    for await (const piece of socket as AsyncIterable<Buffer>)
      for (const frame of frames.push(piece)) yield new MsgpackReader(frame).value() as JsonObject
  } catch {
    // Reset.
  }
}

const SECS = 1_700_000_000
const entries = (...records: Writable[]) => Buffer.concat(records.map((record) => msgpackOf([SECS, record])))
const hints = (tag: string, time = '2023-11-14T22:13:20Z') => ({ time, logType: undefined, fields: { fluent_tag: tag } })
const problem = () => intake!.status().problems

/** Waits until a refusal is reported, which is after the connection's end. */
async function refusal(): Promise<string> {
  for (;;) {
    const [first] = problem() ?? []
    if (first !== undefined) return first
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('all modes: Message, Forward, PackedForward, and compressed, several gzip members in one', async () => {
  const records = await open({})
  const client = new Client()
  client.send(['message', SECS, { n: 1 }, { chunk: 'a' }], null, ['forward', [[SECS, { n: 2 }]], { chunk: 'b' }])
  client.send(['packed', entries({ n: 3 }, { n: 4 }), { chunk: 'c', size: 2 }])
  const gzip = Buffer.concat([gzipSync(entries({ n: 5 })), gzipSync(entries({ n: 6 }))])
  client.send(['gzip', gzip, { chunk: 'd', compressed: 'gzip' }])
  for (const ack of ['a', 'b', 'c', 'd']) expect(await client.answer()).toEqual({ ack })
  expect(records).toEqual(
    ['message', 'forward', 'packed', 'packed', 'gzip', 'gzip'].map((tag, i) => [`{"n":${i + 1}}`, hints(tag)]),
  )
})

test('nanoseconds, metadata of Fluent Bit, a log type as tag, and lines', async () => {
  const records = await open({})
  const client = new Client()
  const eventTime = Buffer.from('d7006553f100075bcd15', 'hex')
  client.send(Buffer.concat([Buffer.from('94', 'hex'), msgpackOf('app'), eventTime, msgpackOf({ n: 1 }), msgpackOf({})]))
  client.send(['app', [[[SECS, { from: 'bit' }], { n: 2 }]]])
  client.send(['Nginx.Access', [[SECS, { log: 'GET /' }]], { chunk: 'a' }])
  await client.answer()
  expect(records).toEqual([
    ['{"n":1}', hints('app', '2023-11-14T22:13:20.123456789Z')],
    ['{"n":2}', { ...hints('app'), fields: { fluent_tag: 'app', from: 'bit' } }],
    ['GET /', { ...hints('Nginx.Access'), logType: 'Nginx.Access' }],
  ])
})

test('without room, a chunk is not acknowledged and its sender loses the connection; an event without one waits', async () => {
  let refused = 1
  const records = await open({}, () => refused-- > 0)
  const client = new Client()
  client.send(['app', [[SECS, { n: 1 }]], { chunk: 'a' }])
  expect(await client.answer()).toBeUndefined()
  expect(records).toEqual([])
  expect(problem()).toEqual(['messages wait: the spool is full'])
  refused = 3
  const other = new Client()
  other.send(['app', SECS, { n: 2 }])
  while (records.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(records.map(([text]) => text)).toEqual(['{"n":2}'])
  expect(problem()).toEqual([])
})

test.each<[string, Writable | Buffer, RegExp]>([
  ['a number', 5, /a message is not an array/],
  ['no MessagePack', Buffer.from([0xc1]), /no value begins with the byte 0xc1/],
  ['metrics', ['app', entries({}), { fluent_signal: 1 }], /metrics and traces are not accepted/],
  ['unknown compression', ['app', entries({}), { compressed: 'br' }], /the option compressed is "br"; send gzip/],
  ['damaged compression', ['app', Buffer.from('nothing'), { compressed: 'gzip' }], /incorrect header check/],
  ['too large a message', Buffer.from('93a3617070dbffffffff', 'hex'), /more than 2000 bytes \(`max_message_bytes`\)/],
  ['a bomb', ['app', gzipSync(Buffer.alloc(1_000_000)), { compressed: 'gzip' }], /more than 2000 bytes/],
])('%s ends the connection and is reported; the message before it is kept', async (_, bad, message) => {
  const records = await open({ max_message_bytes: 2000 })
  const client = new Client()
  client.send(['app', SECS, { n: 1 }, { chunk: 'a' }])
  expect(await client.answer()).toEqual({ ack: 'a' })
  client.send(bad)
  expect(await client.answer()).toBeUndefined()
  expect(await refusal()).toMatch(message)
  expect(records).toHaveLength(1)
})

test('a connection that ends within a message is reported', async () => {
  await open({})
  new Client().socket.end(msgpackOf(['app', SECS, { n: 1 }]).subarray(0, 8))
  expect(await refusal()).toMatch('127.0.0.1: the connection ended within a message')
})

const sha512 = (...parts: (string | Buffer)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha512')).digest('hex')

/** The PING of a sender that follows the specification. */
async function ping(client: Client, key: string, user = '', password = ''): Promise<[Writable, string]> {
  const [name, { nonce, auth }] = (await client.answer()) as [string, { nonce: string; auth: string }]
  expect(name).toBe('HELO')
  const digest = auth === '' ? '' : sha512(auth, user, password)
  return [['PING', 'web1', 'salt', sha512('salt', 'web1', nonce, key), user, digest], sha512('salt', 'caracal', nonce, key)]
}

const users = [{ name: 'alice', password: { env: 'ALICE' } }]

test.each([
  ['the shared key', {}, 'shared', '', '', ''],
  ['the shared key and a user', { users }, 'shared', 'alice', 'alice’s', ''],
  ['another key', {}, 'other', '', '', 'the shared key is wrong'],
  ['another password', { users }, 'shared', 'alice', 'bob’s', 'the user name or the password is wrong'],
  ['no password of an unknown user', { users }, 'shared', 'bob', '', 'the user name or the password is wrong'],
])('a sender with %s', async (_, settings, key, user, password, refused) => {
  const records = await open({ shared_key: { env: 'KEY' }, ...settings })
  const client = new Client()
  const [message, proof] = await ping(client, key, user, password)
  client.send(message)
  const isRight = refused === ''
  expect(await client.answer()).toEqual(['PONG', isRight, refused, isRight ? 'caracal' : '', isRight ? proof : ''])
  client.send(['app', SECS, { n: 1 }, { chunk: 'a' }])
  expect(await client.answer()).toEqual(isRight ? { ack: 'a' } : undefined)
  expect(records).toHaveLength(isRight ? 1 : 0)
  if (!isRight) expect(await refusal()).toMatch(refused)
})

test.each([10, 100_000])('events of %i bytes without the handshake are refused', async (size) => {
  const records = await open({ shared_key: { env: 'KEY' } })
  const client = new Client()
  client.send(['app', SECS, { text: 'x'.repeat(size) }])
  expect(await refusal()).toMatch('the sender does not use a shared key, which is needed here (`shared_key`)')
  expect(records).toEqual([])
})

test('TLS', async () => {
  const authority = testAuthority()
  const { cert, key } = authority.server('localhost')
  Object.assign(secrets, { 'cert.pem': cert, 'key.pem': key })
  const records = await open({ tls: { cert: { file: 'cert.pem' }, key: { file: 'key.pem' } } })
  const socket = connectTls({ port: intake!.port, host: '127.0.0.1', ca: authority.certificate, servername: 'localhost' })
  await once(socket, 'secureConnect')
  const client = new Client(socket)
  client.send(['app', SECS, { n: 1 }, { chunk: 'a' }])
  expect(await client.answer()).toEqual({ ack: 'a' })
  expect(records).toHaveLength(1)
})

test('users without a shared key are refused', async () => {
  await expect(open({ users })).rejects.toThrow("source 'fluent': `users` need a `shared_key`")
})
