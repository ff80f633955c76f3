import type { Socket } from 'node:net'
import { z } from 'zod'
import { ConfigError, messageOf } from '../../util/errors.ts'
import { MsgpackFrames, MsgpackTooLarge } from '../../util/msgpack/frames.ts'
import { msgpackOf } from '../../util/msgpack/write.ts'
import { secretReference } from '../../util/secret.ts'
import { appendUntilTaken } from './append.ts'
import { TooMuch } from './content-coding.ts'
import { type ForwardChunk, forwardChunk } from './forward-chunk.ts'
import { ForwardHandshake, type ForwardSecrets, NO_KEY } from './forward-handshake.ts'
import { allBodies } from './receive.ts'
import { listenKey, maxConnections, SocketServer } from './socket-server.ts'
import { socketTls, tlsOptions } from './socket-tls.ts'
import { defineSource, type Intake, type IntakeDeps, type IntakeStatus, sourceBase } from './source.ts'

const config = z.object({
  ...sourceBase,
  listen: listenKey(24224),
  tls: socketTls.optional().describe('Certificate and key. Default: connections are not encrypted.'),
  shared_key: secretReference
    .optional()
    .describe('Reference to the shared key, which senders must know. Default: none is needed.'),
  users: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(200).describe('Name of the user.'),
        password: secretReference.describe('Reference to the password.'),
      }),
    )
    .max(1000)
    .default([])
    .describe('Users, one of which senders must be in addition to knowing the shared key. Default: any sender.'),
  max_message_bytes: z
    .int()
    .min(1024)
    .max(256 * 1024 * 1024)
    .default(16 * 1024 * 1024)
    .describe('Maximum size of a message (a chunk) in bytes, after decompression. A larger one ends its connection.'),
  max_connections: maxConnections,
})

type Settings = z.output<typeof config>

/** Fluentd's forward protocol, version 1: https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1. */
export const fluentForward = defineSource({
  type: 'fluent_forward',
  summary: 'Receives events of Fluentd, Fluent Bit and their clients by the forward protocol.',
  config,
  example: { id: 'fluent' },
  onlyReceives: true,
  pushes: (settings, deps) => ForwardIntake.open(settings, deps),
})

/** Unknown senders may send no more than this. */
const MAX_PING_BYTES = 16 * 1024
/** What waits is put into the spool at this size. */
const BODY_BYTES = 1024 * 1024
/** A message that has begun, and a handshake, must go on within this time. */
const STALLED_MS = 60_000
/** A sender that lets more acknowledgements wait does not read them. */
const MAX_UNREAD_BYTES = 1024 * 1024
const NIL = 0xc0

export class ForwardIntake implements Intake {
  readonly #settings: Settings
  readonly #deps: IntakeDeps
  readonly #secrets: ForwardSecrets | undefined
  readonly #stopping = new AbortController()
  #server: SocketServer | undefined
  /** Why the spool does not take messages at the moment. */
  #waiting: string | undefined

  /** Rejects with `ConfigError` if it cannot listen, or if a secret or a file of `tls` cannot be used. */
  static async open(settings: Settings, deps: IntakeDeps): Promise<ForwardIntake> {
    try {
      const intake = new ForwardIntake(settings, deps)
      intake.#server = await SocketServer.open({
        listen: settings.listen,
        maxConnections: settings.max_connections,
        tls: settings.tls && tlsOptions(settings.tls, deps.secret),
        serve: (socket) => intake.#serve(socket),
        now: deps.now,
      })
      return intake
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(`source '${settings.id}': ${error.message}`, {}, { cause: error })
      throw error
    }
  }

  private constructor(settings: Settings, deps: IntakeDeps) {
    const { shared_key, users } = settings
    if (users.length > 0 && !shared_key)
      throw new ConfigError('`users` need a `shared_key`: the protocol has no users without one')
    this.#settings = settings
    this.#deps = deps
    this.#secrets = shared_key && {
      sharedKey: deps.secret(shared_key),
      users: new Map(users.map(({ name, password }) => [name, deps.secret(password)])),
    }
  }

  get port(): number {
    return this.#server!.port
  }

  status(): IntakeStatus {
    const refused = this.#server?.problem
    const problems = [...(refused ? [refused] : []), ...(this.#waiting ? [`messages wait: ${this.#waiting}`] : [])]
    return { notices: [`${this.#server?.connections ?? 0} connections`, ...problems], problems }
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#server?.close()
  }

  async #serve(socket: Socket): Promise<void> {
    const memory = new Held()
    const sender = socket.remoteAddress ?? 'a sender'
    try {
      await this.#read(socket, memory)
    } catch (error) {
      if (error instanceof ConnectionLost || isDisconnect(error) || this.#stopping.signal.aborted) return
      this.#server!.refuse(`${sender}: ${this.#reason(error)}`)
    } finally {
      memory.set(0)
    }
  }

  async #read(socket: Socket, memory: Held): Promise<void> {
    const { max_message_bytes: maxBytes } = this.#settings
    let handshake = this.#secrets && new ForwardHandshake(this.#secrets)
    const frames = new MsgpackFrames(handshake ? MAX_PING_BYTES : maxBytes)
    socket.on('timeout', () => socket.destroy(new Error(`nothing came for ${STALLED_MS / 1000} s within a message`)))
    if (handshake) {
      socket.setTimeout(STALLED_MS)
      socket.write(handshake.hello)
    }
    for await (const piece of socket as AsyncIterable<Buffer>) {
      let batch: ForwardChunk[] = []
      let size = 0
      for (const frame of frames.push(piece)) {
        if (handshake) {
          await admit(socket, handshake, frame)
          handshake = undefined
          frames.maxBytes = maxBytes
        } else if (frame[0] !== NIL) {
          const hold = (bytes: number) => memory.set(memory.bytes + bytes)
          const chunk = await forwardChunk(frame, { maxBytes, hold })
          batch.push(chunk)
          size += chunk.bytes.length
          if (size < BODY_BYTES) continue
          await this.#store(batch, socket)
          batch = []
          size = 0
        }
      }
      await this.#store(batch, socket)
      memory.set(frames.held)
      socket.setTimeout(handshake || frames.held > 0 ? STALLED_MS : 0)
    }
    if (frames.held > 0) throw new Error('the connection ended within a message')
  }

  /** Puts messages into the spool and acknowledges them. Nothing more is read from the connection meanwhile. */
  async #store(batch: readonly ForwardChunk[], socket: Socket): Promise<void> {
    if (batch.length === 0) return
    const names = batch.flatMap(({ name }) => name ?? [])
    if (batch.some(({ entries }) => entries > 0)) {
      const body = Buffer.concat(batch.map(({ bytes }) => bytes))
      await this.#append(body, names.length === batch.length)
    }
    if (socket.writableLength > MAX_UNREAD_BYTES) throw new Error('it does not read its acknowledgements')
    for (const name of names) socket.write(msgpackOf({ ack: name }))
  }

  /** Without room in the spool, senders that can send again lose their connection and do so; others have to wait. */
  async #append(body: Buffer, canSendAgain: boolean): Promise<void> {
    const entry = { decoding: 'fluent-forward', receivedMs: this.#deps.now() }
    const onProblem = (problem: string | undefined) => {
      this.#waiting = problem
    }
    if (!canSendAgain) {
      let isTaken = false
      const onTry = (problem: string | undefined) => {
        isTaken = problem === undefined
        onProblem(problem)
      }
      const { signal } = this.#stopping
      await appendUntilTaken(this.#deps.append, body, entry, { signal, onProblem: onTry, what: 'messages' })
      if (!isTaken) throw new ConnectionLost()
      return
    }
    try {
      await this.#deps.append(Uint8Array.from(body), entry)
      onProblem(undefined)
    } catch (error) {
      onProblem(messageOf(error))
      throw new ConnectionLost()
    }
  }

  #reason(error: unknown): string {
    if (!(error instanceof MsgpackTooLarge) && !(error instanceof TooMuch)) return messageOf(error)
    if (error instanceof MsgpackTooLarge && error.maxBytes === MAX_PING_BYTES) return NO_KEY
    const most = this.#settings.max_message_bytes
    return `a message has more than ${most} bytes (\`max_message_bytes\`): let the sender make smaller chunks, or raise the limit`
  }
}

/** The connection ends for a reason that is known elsewhere. */
class ConnectionLost extends Error {}

/** The other side has gone: an error of the system or of the socket. */
function isDisconnect(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('E')
}

/** Memory of one connection, as part of that of all. */
class Held {
  bytes = 0

  set(bytes: number): void {
    if (bytes > this.bytes && !allBodies.take(bytes - this.bytes)) throw new Error('too many messages are being read')
    if (bytes < this.bytes) allBodies.release(this.bytes - bytes)
    this.bytes = bytes
  }
}

/** Answers a sender's PING. Throws if it is refused, once the answer is on its way. */
async function admit(socket: Socket, handshake: ForwardHandshake, ping: Buffer): Promise<void> {
  const { bytes, refused } = handshake.answer(ping)
  if (refused === undefined) return void socket.write(bytes)
  await new Promise<void>((resolve) => socket.end(bytes, () => resolve()))
  throw new Error(refused)
}
