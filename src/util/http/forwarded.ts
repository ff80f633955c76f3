import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** The header by which a node that forwards a request says from whom, with a proof that it has the key of the state. */
export const FORWARDED = 'caracal-forwarded'

/** A request as another node received it. */
export interface Forwarded {
  /** The node that forwards it. */
  readonly node: string
  /** The address that it arrived there from. */
  readonly address: string
  /** Whether it arrived there over TLS. */
  readonly isTls: boolean
}

interface Request {
  readonly method?: string | undefined
  readonly url?: string | undefined
}

/** How far the clocks of two nodes may be apart, and how long a request may be on its way. */
const VALID_MS = 30_000
const NONCE_BYTES = 16

/** A header for one request to the node `to`. `key`: that of the state, which all its nodes have. */
export function forwardedHeader(key: string, to: string, { node, address, isTls }: Forwarded, request: Request): string {
  const nonce = randomBytes(NONCE_BYTES).toString('base64url')
  const text = Buffer.from(JSON.stringify([node, address, isTls, Date.now(), nonce])).toString('base64url')
  return `${text}.${proofOf(key, to, text, request).toString('base64url')}`
}

/** Checks such headers on the node that they are for. Each is accepted once. */
export class ForwardedHeaders {
  readonly #key: string
  readonly #node: string
  readonly #now: () => number
  /** Those accepted since `#sinceMs`, and those of the time before: older ones are no longer valid. */
  #nonces = new Set<string>()
  #before = new Set<string>()
  #sinceMs: number

  constructor(key: string, node: string, now: () => number = Date.now) {
    this.#key = key
    this.#node = node
    this.#now = now
    this.#sinceMs = now()
  }

  /** What the other node says; `undefined`: there is no proof that it is one, or the header is too old or was used before. */
  accept(header: string, request: Request): Forwarded | undefined {
    const [text = '', proof = ''] = header.split('.')
    const [given, right] = [Buffer.from(proof, 'base64url'), proofOf(this.#key, this.#node, text, request)]
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
    const said = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as [string, string, boolean, number, string]
    const [node, address, isTls, atMs, nonce] = said
    const nowMs = this.#now()
    if (Math.abs(nowMs - atMs) > VALID_MS || this.#isUsed(nonce, nowMs)) return undefined
    return { node, address, isTls }
  }

  #isUsed(nonce: string, nowMs: number): boolean {
    // One from a clock that is ahead stays valid for twice the time.
    if (Math.abs(nowMs - this.#sinceMs) > 2 * VALID_MS) {
      this.#before = this.#nonces
      this.#nonces = new Set()
      this.#sinceMs = nowMs
    }
    if (this.#nonces.has(nonce) || this.#before.has(nonce)) return true
    this.#nonces.add(nonce)
    return false
  }
}

function proofOf(key: string, to: string, text: string, { method, url }: Request): Buffer {
  return createHmac('sha256', createHmac('sha256', key).update('caracal forwarding').digest())
    .update([to, method, url, text].join('\n'))
    .digest()
}
