import { z } from 'zod'
import { bearerOf } from '../../util/bearer.ts'
import { CaracalError, messageOf, RetryLater } from '../../util/errors.ts'
import { withoutHostPaths } from '../../util/host-paths.ts'
import { BodyMemory } from './body-memory.ts'
import { CODINGS, codingsOf } from './content-coding.ts'
import { decodeText } from './decoders/decode.ts'
import { BodyRefused, discardBody, readBody } from './read-body.ts'
import { defineSource, type Intake, type IntakeDeps, sourceBase } from './source.ts'

const config = z.object({
  ...sourceBase,
  token: z
    .union([z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })])
    .optional()
    .describe('Bearer token that senders must use. Default: the token in the data folder.'),
  max_body_bytes: z
    .int()
    .min(1024)
    .max(256 * 1024 * 1024)
    .default(16 * 1024 * 1024)
    .describe('Maximum size of a request body in bytes, after decompression.'),
  body_timeout_ms: z.int().min(100).default(30_000).describe('Time limit for receiving a body, in milliseconds.'),
})

/** `POST /ingest/<id>`: answers 2xx only when the records are on disk. */
export const http = defineSource({
  type: 'http',
  summary: 'Receives lines, JSON objects, arrays and text sequences by HTTP POST, plain or compressed (gzip, deflate, br, zstd).',
  config,
  example: { id: 'shipper' },
  pushes: (settings, deps) => new HttpIntake(settings, deps),
  listens: ({ token, body_timeout_ms }) => ({ token, requestMs: body_timeout_ms + AFTER_BODY_MS }),
})

/** Content types accepted for logs. Anything else is more likely a mistake than a log. */
const TYPES =
  /^(application\/(json|x-ndjson|ndjson|jsonl|x-jsonlines|octet-stream|gzip|x-gzip|x-www-form-urlencoded)|text\/plain)\b/i
/** Maximum time for what follows a body's arrival within a request. */
const AFTER_BODY_MS = 5000
/** Maximum memory of all bodies being read at the same time. */
const MAX_BYTES_IN_HAND = 256 * 1024 * 1024
const allBodies = new BodyMemory(MAX_BYTES_IN_HAND)
/** Retry-After in seconds when the above is used up. */
const BUSY_SECS = 1
/** A batch is processed in memory, where a record costs far more than its bytes, so a body of millions of tiny ones is refused. */
const MAX_RECORDS = 200_000
const OPEN_LIST = 0x5b

export class HttpIntake implements Intake {
  readonly #config: z.output<typeof config>
  readonly #deps: IntakeDeps
  readonly #memory: BodyMemory

  /** `memory` is shared by all sources of a process. */
  constructor(settings: z.output<typeof config>, deps: IntakeDeps, memory = allBodies) {
    this.#config = settings
    this.#deps = deps
    this.#memory = memory
  }

  async handle(request: Request): Promise<Response> {
    const receivedMs = this.#deps.now()
    const refused = this.#refuse(request)
    if (refused) {
      await discardBody(request)
      return refused
    }
    try {
      return await this.#receive(request, receivedMs)
    } catch (error) {
      return refusal(error)
    }
  }

  /** The refusal for the request's headers; `undefined`: read the body. */
  #refuse(request: Request): Response | undefined {
    const { max_body_bytes: maxBytes } = this.#config
    const token = bearerOf(request.headers.get('authorization'))
    if (!this.#deps.authorised(token))
      return answer(401, 'a bearer token is needed: Authorization: Bearer <token> (see the file `token` in the data folder)')
    const type = request.headers.get('content-type')
    if (type && !TYPES.test(type))
      return answer(
        415,
        `content type '${clip(type)}' is not accepted: send application/json, application/x-ndjson or text/plain`,
      )
    const announced = Number(request.headers.get('content-length') ?? 0)
    if (announced > maxBytes) return answer(413, `the body is larger than ${maxBytes} bytes; split it`)
    return undefined
  }

  async #receive(request: Request, receivedMs: number): Promise<Response> {
    const encoding = codingsOf(request.headers.get('content-encoding'))
    if ('unknown' in encoding) {
      await discardBody(request)
      return undecodable(encoding.unknown)
    }
    const { max_body_bytes: maxBytes, body_timeout_ms: timeoutMs } = this.#config
    const type = request.headers.get('content-type') ?? ''
    const limits = { maxBytes, timeoutMs, memory: this.#memory }
    return readBody(request, encoding.codings, limits, (body) => this.#take(body, type, receivedMs))
  }

  async #take(body: Uint8Array, type: string, receivedMs: number): Promise<Response> {
    const { records, count, state } = decodeText(body, { isStart: true, final: true, maxRecords: MAX_RECORDS + 1 })
    if (count === 0) {
      // Senders send this when there is nothing to send.
      if (/^\s*\[\s*\]\s*$/.test(Buffer.from(body.subarray(0, 1000)).toString())) return answer(202, 'taken')
      return answer(400, 'the body is empty: send at least one record')
    }
    if (count > MAX_RECORDS) return answer(413, `the body contains more than ${MAX_RECORDS} records; split it`)
    const first = body.findIndex((byte) => byte > 0x20)
    const isBrokenArray = body[first] === OPEN_LIST && (state === 'array' || (records?.[0] ?? 0) <= first)
    if (isBrokenArray && /^application\/json\b/i.test(type))
      return answer(400, 'the body begins with [ but is not a complete JSON array; none of it was accepted')
    await this.#deps.append(body, { decoding: 'lines', receivedMs })
    return answer(202, 'taken')
  }

  async close(): Promise<void> {}
}

function refusal(error: unknown): Response {
  if (error instanceof BodyRefused) return answer(error.status, error.message, error.status === 503 ? BUSY_SECS : undefined)
  // Identified by its code, because an error from the spool's thread has lost its class.
  const code = error instanceof CaracalError ? error.code : undefined
  const afterMs = error instanceof RetryLater ? error.afterMs : undefined
  const message = withoutHostPaths(messageOf(error))
  if (code === 'retry_later') return answer(429, message, Math.max(1, Math.ceil((afterMs ?? 2000) / 1000)))
  if (code === 'storage') return answer(503, message, 10)
  return answer(503, `the records could not be accepted: ${message}`, 5)
}

/** Refusals that can be sent before the body is read. Its unread rest ends the connection, and the sender must be informed. */
const CLOSING = new Set([400, 401, 408, 413, 415])

function answer(status: number, message: string, retryAfterSecs?: number): Response {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (retryAfterSecs !== undefined) headers['retry-after'] = String(retryAfterSecs)
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  if (CLOSING.has(status) || (status === 503 && retryAfterSecs === BUSY_SECS)) headers['connection'] = 'close'
  return new Response(JSON.stringify({ message }), { status, headers })
}

function undecodable(encoding: string): Response {
  const known = CODINGS.join(', ')
  const message = `content encoding '${clip(encoding)}' cannot be decoded: send the body as it is (identity), or compressed with ${known}`
  const refused = answer(415, message)
  refused.headers.set('accept-encoding', known)
  return refused
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
