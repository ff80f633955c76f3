import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { MalformedMsgpack } from '../../util/msgpack/head.ts'
import { MsgpackReader } from '../../util/msgpack/reader.ts'
import { msgpackOf } from '../../util/msgpack/write.ts'

/** The name by which senders know this server. Fluentd refuses one that is its own. */
const SERVER_NAME = 'caracal'
/** As long as Fluentd's nonces. Printable, because some senders take them for text. */
const NONCE_BYTES = 12

/** The sender begins with something other than a PING. */
export const NO_KEY = 'the sender does not use a shared key, which is needed here (`shared_key`)'

/** What senders have to know. */
export interface ForwardSecrets {
  readonly sharedKey: string
  /** Passwords by user name; if there are none, senders need no user. */
  readonly users: ReadonlyMap<string, string>
}

/** The server's answer to a PING. */
export interface Pong {
  readonly bytes: Buffer
  /** Why the sender is refused. */
  readonly refused: string | undefined
}

/** Proves on one connection that both sides know the shared key (HELO, PING, PONG), without sending it. */
export class ForwardHandshake {
  readonly #secrets: ForwardSecrets
  readonly #nonce = nonce()
  readonly #userNonce: Buffer

  constructor(secrets: ForwardSecrets) {
    this.#secrets = secrets
    this.#userNonce = secrets.users.size > 0 ? nonce() : Buffer.alloc(0)
  }

  /** The first message of the connection. */
  get hello(): Buffer {
    return msgpackOf(['HELO', { nonce: this.#nonce, auth: this.#userNonce, keepalive: true }])
  }

  /** Judges the sender's first message. Throws `MalformedMsgpack` if that is not a PING. */
  answer(message: Uint8Array): Pong {
    const reader = new MsgpackReader(message)
    const parts = reader.array('the first message')
    if (parts !== 6 || reader.bytes('the first part of the first message').toString() !== 'PING')
      throw new MalformedMsgpack(NO_KEY)
    const [host, salt, digest, user, userDigest] = Array.from({ length: 5 }, () => reader.bytes('a part of PING'))
    const { sharedKey } = this.#secrets
    let refused: string | undefined
    if (!isDigest(digest!, salt!, host!, this.#nonce, sharedKey)) refused = 'the shared key is wrong'
    else if (!this.#isUser(user!, userDigest!)) refused = 'the user name or the password is wrong'
    const proof = refused === undefined ? digestOf(salt!, SERVER_NAME, this.#nonce, sharedKey) : ''
    const pong = ['PONG', refused === undefined, refused ?? '', refused === undefined ? SERVER_NAME : '', proof]
    return { bytes: msgpackOf(pong), refused }
  }

  #isUser(user: Buffer, digest: Buffer): boolean {
    const { users } = this.#secrets
    if (users.size === 0) return true
    const password = users.get(user.toString())
    const isRight = isDigest(digest, this.#userNonce, user, password ?? '')
    return isRight && password !== undefined
  }
}

function nonce(): Buffer {
  return Buffer.from(randomBytes(NONCE_BYTES).toString('base64url'))
}

function digestOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

function isDigest(sent: Buffer, ...parts: readonly (string | Uint8Array)[]): boolean {
  const right = Buffer.from(digestOf(...parts))
  return sent.length === right.length && timingSafeEqual(sent, right)
}
