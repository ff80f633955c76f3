import { z } from 'zod'
import { BodyMemory } from './body-memory.ts'
import { CODINGS, type Coding, codingsOf } from './content-coding.ts'
import { discardBody, readBody } from './read-body.ts'
import { RequestRefused } from './refusal.ts'
import type { Authenticator } from './sender-auth.ts'

/** Config keys common to sources that receive bodies by HTTP. */
export const bodyKeys = {
  max_body_bytes: z
    .int()
    .min(1024)
    .max(256 * 1024 * 1024)
    .default(16 * 1024 * 1024)
    .describe('Maximum size of a request body in bytes, after decompression.'),
  body_timeout_ms: z.int().min(100).default(30_000).describe('Time limit for receiving a body, in milliseconds.'),
} as const

/** Maximum time for what follows a body's arrival within a request, milliseconds. */
export const AFTER_BODY_MS = 5000
/** A batch is processed in memory, where a record costs far more than its bytes, so a body of millions of tiny ones is refused. */
export const MAX_RECORDS = 200_000
/** Maximum memory of all bodies being read at the same time. */
const MAX_BYTES_IN_HAND = 256 * 1024 * 1024
/** Shared by all sources of a process. */
export const allBodies = new BodyMemory(MAX_BYTES_IN_HAND)

export interface Receiving {
  readonly maxBytes: number
  readonly timeoutMs: number
  readonly memory: BodyMemory
  readonly auth: Authenticator
  /** Content types accepted; a request without one is accepted. Anything else is more likely a mistake than a log. */
  readonly types: { readonly accepted: RegExp; readonly advice: string }
  /** Set if the protocol compresses bodies in its own way: what to undo in place of what the header says. */
  readonly codings?: readonly Coding[]
  /** When the request's first byte arrived, epoch ms. */
  readonly receivedMs: number
}

/**
 * Authenticates the sender, reads the body within the limits and passes it to `take`, decompressed. Throws `RequestRefused`,
 * `BodyRefused`, or what `take` has thrown; `refusalOf` turns all of them into a response.
 */
export async function receive<T>(request: Request, receiving: Receiving, take: (body: Uint8Array) => Promise<T>): Promise<T> {
  const { maxBytes, timeoutMs, memory, auth, receivedMs } = receiving
  try {
    const check = auth.begin(request.headers, receivedMs)
    const codings = acceptHead(request.headers, receiving)
    const onBytes = check.write && ((bytes: Uint8Array) => check.write?.(bytes))
    return await readBody(request, codings, { maxBytes, timeoutMs, memory, onBytes }, (body) => {
      check.end?.()
      return take(body)
    })
  } finally {
    await discardBody(request)
  }
}

/** The body's codings. Throws `RequestRefused` if the headers announce something that will not be read. */
function acceptHead(headers: Headers, { types, maxBytes, codings }: Receiving): readonly Coding[] {
  const type = headers.get('content-type')
  if (type && !types.accepted.test(type))
    throw new RequestRefused(415, `content type '${clip(type)}' is not accepted: ${types.advice}`)
  const announced = Number(headers.get('content-length') ?? 0)
  if (announced > maxBytes) throw new RequestRefused(413, `the body is larger than ${maxBytes} bytes; split it`)
  if (codings) return codings
  const encoding = codingsOf(headers.get('content-encoding'))
  if ('codings' in encoding) return encoding.codings
  const known = CODINGS.join(', ')
  const advice = `send the body as it is (identity), or compressed with ${known}`
  const message = `content encoding '${clip(encoding.unknown)}' cannot be decoded: ${advice}`
  throw new RequestRefused(415, message, { 'accept-encoding': known })
}

/** Untrusted text, for a message. */
export function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
