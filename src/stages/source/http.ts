import { z } from 'zod'
import type { Encoding } from '../../util/encoding.ts'
import { ConfigError } from '../../util/errors.ts'
import { secretReference } from '../../util/secret.ts'
import type { BodyMemory } from './body-memory.ts'
import { cloudwatchLogs, isCloudwatchLogs } from './decoders/cloudwatch-logs.ts'
import { decodeText } from './decoders/decode.ts'
import { countApart } from './decoders/deliveries.ts'
import { firehoseAnswer, isFirehose, recordsOf, withAccessKey } from './firehose.ts'
import { withPlainBodies, withPlainBody } from './plain-body.ts'
import { AFTER_BODY_MS, allBodies, bodyKeys, clip, MAX_RECORDS, type Receiving, receive } from './receive.ts'
import { RequestRefused, refusalOf } from './refusal.ts'
import { authenticatorOf, bearerAuth, secretIn, senderAuth } from './sender-auth.ts'
import { defineSource, type Intake, type IntakeDeps, sourceBase } from './source.ts'
import { streamKeys, streamParameters } from './stream-keys.ts'

const config = z.object({
  ...sourceBase,
  ...streamKeys,
  token: secretReference
    .optional()
    .describe('Reference to the bearer token that senders must use. Default: the token in the data folder.'),
  auth: senderAuth.optional().describe('How senders prove who they are, in place of a bearer token.'),
  ...bodyKeys,
})

type Settings = z.output<typeof config>

/** `POST /ingest/<id>`: answers 2xx only when the records are on disk. */
export const http = defineSource({
  type: 'http',
  summary:
    'Receives lines, JSON objects, arrays, envelopes and text sequences by HTTP POST, plain or compressed (gzip, deflate, br, zstd, bzip2, snappy, zip).',
  config,
  example: { id: 'shipper' },
  onlyReceives: true,
  pushes: (settings, deps) => new HttpIntake(settings, deps),
  listens({ id, token, auth, body_timeout_ms }) {
    if (token && auth)
      throw new ConfigError(`source '${id}' has both \`token\` and \`auth\`: remove one, since a sender can only use one of them`)
    return { token, secrets: auth ? [secretIn(auth)] : [], requestMs: body_timeout_ms + AFTER_BODY_MS }
  },
})

/** Content types accepted for logs. */
const TYPES = {
  accepted:
    /^(application\/(json|x-ndjson|ndjson|jsonl|x-jsonlines|octet-stream|gzip|x-gzip|zstd|zip|x-bzip2|x-snappy-framed|x-www-form-urlencoded)|text\/plain)\b/i,
  advice: 'send application/json, application/x-ndjson or text/plain',
}
const XML_TYPES = {
  accepted: /^(application\/(xml|octet-stream|gzip|x-gzip|zstd|zip|x-bzip2|x-snappy-framed)|text\/(xml|plain))\b/i,
  advice: 'send application/xml or text/plain',
}
const OPEN_LIST = 0x5b
const OPEN_OBJECT = 0x7b

export class HttpIntake implements Intake {
  readonly #deps: IntakeDeps
  readonly #isSigned: boolean
  readonly #stream: string
  readonly #encoding: Encoding | undefined
  readonly #receiving: Omit<Receiving, 'receivedMs'>

  /** `memory` is shared by all sources of a process. */
  constructor(settings: Settings, deps: IntakeDeps, memory: BodyMemory = allBodies) {
    const { auth, max_body_bytes, body_timeout_ms } = settings
    this.#deps = deps
    this.#stream = streamParameters(settings)
    this.#encoding = settings.encoding
    this.#isSigned = auth?.type === 'hmac'
    this.#receiving = {
      maxBytes: max_body_bytes,
      timeoutMs: body_timeout_ms,
      memory,
      auth: auth ? authenticatorOf(auth, deps.secret(secretIn(auth))) : bearerAuth(deps.authorised),
      types: settings.stream_type === 'xml' ? XML_TYPES : TYPES,
    }
  }

  async handle(request: Request, path: string): Promise<Response> {
    if (path !== '')
      return answer(404, `there is nothing at '${clip(path)}' below the URL of this source: send logs to the URL itself`)
    if (request.method !== 'POST') return answer(405, `logs are sent with POST, not ${request.method}`, { allow: 'POST' })
    const receivedMs = this.#deps.now()
    if (isFirehose(request.headers)) return this.#takeFirehose(request, receivedMs)
    const type = request.headers.get('content-type') ?? ''
    try {
      return await receive(request, { ...this.#receiving, receivedMs }, (body) => this.#take(body, type, receivedMs))
    } catch (error) {
      const { status, message, headers } = refusalOf(error)
      return answer(status, message, headers)
    }
  }

  async #takeFirehose({ headers, body }: Request, receivedMs: number): Promise<Response> {
    const { maxBytes, memory } = this.#receiving
    const init = { method: 'POST', headers: withAccessKey(headers), body, duplex: 'half' }
    try {
      await receive(new Request('http://firehose/', init as RequestInit), { ...this.#receiving, receivedMs }, (delivery) =>
        withPlainBodies(recordsOf(delivery), { maxBytes, memory, encoding: this.#encoding }, async (all) =>
          all.some((byte) => byte > 0x20) ? this.#store(all, '', receivedMs) : undefined,
        ),
      )
      return firehoseAnswer(headers, { status: 200, nowMs: receivedMs })
    } catch (error) {
      const { status, message } = refusalOf(error)
      return firehoseAnswer(headers, { status, nowMs: receivedMs, error: message })
    }
  }

  async #take(received: Uint8Array, type: string, receivedMs: number): Promise<Response> {
    const { maxBytes, memory } = this.#receiving
    return withPlainBody(received, { maxBytes, memory, encoding: this.#encoding }, (body) =>
      this.#stream === '' && isCloudwatchLogs(body)
        ? this.#takeDeliveries(body, receivedMs)
        : this.#store(body, type, receivedMs),
    )
  }

  async #store(body: Uint8Array, type: string, receivedMs: number): Promise<Response> {
    const challenge = this.#isSigned ? challengeOf(body) : undefined
    if (challenge !== undefined) return new Response(challenge, { headers: { 'content-type': 'text/plain' } })
    const { records, count, state } = decodeText(body, {
      stream: this.#stream,
      isStart: true,
      final: true,
      maxRecords: MAX_RECORDS + 1,
    })
    const first = body.findIndex((byte) => byte > 0x20)
    if (count === 0) {
      // Senders send an empty list when there is nothing to send. An object without records can only be an envelope.
      const isEmptyArray = /^\s*\[\s*\]\s*$/.test(Buffer.from(body.subarray(0, 1000)).toString())
      if (isEmptyArray || (body[first] === OPEN_OBJECT && state === 'lines')) return answer(202, 'taken')
      throw new RequestRefused(400, 'the body is empty: send at least one record')
    }
    if (count > MAX_RECORDS || (this.#stream === '' && countApart({ bytes: body, records }, count) > MAX_RECORDS))
      throw new RequestRefused(413, `the body contains more than ${MAX_RECORDS} records; split it`)
    const isBrokenArray = body[first] === OPEN_LIST && (state === 'array' || (records?.[0] ?? 0) <= first)
    if (isBrokenArray && /^application\/json\b/i.test(type))
      throw new RequestRefused(400, 'the body begins with [ but is not a complete JSON array; none of it was accepted')
    if (state !== 'lines' && state !== 'array' && /^application\/json\b/i.test(type))
      throw new RequestRefused(400, 'the body breaks off within a list of records; none of it was accepted')
    await this.#deps.append(body, { decoding: this.#stream === '' ? 'lines' : `lines?${this.#stream}`, receivedMs })
    return answer(202, 'taken')
  }

  async #takeDeliveries(body: Uint8Array, receivedMs: number): Promise<Response> {
    const decoded = cloudwatchLogs.decode(body, new URLSearchParams())
    if ('broken' in decoded) throw new RequestRefused(400, `CloudWatch Logs: ${decoded.broken}; none of the body was accepted`)
    if (decoded.count > MAX_RECORDS) throw new RequestRefused(413, `the body contains more than ${MAX_RECORDS} records; split it`)
    await this.#deps.append(body, { decoding: 'lines', receivedMs })
    return answer(202, 'taken')
  }

  async close(): Promise<void> {}
}

/** Slack sends this once to a new URL, signed like its events, and expects the value of `challenge` in the response. */
function challengeOf(body: Uint8Array): string | undefined {
  if (body.length > 2000) return undefined
  try {
    const { type, challenge } = JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>
    return type === 'url_verification' && typeof challenge === 'string' ? challenge : undefined
  } catch {
    return undefined
  }
}

function answer(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify({ message }), { status, headers: { 'content-type': 'application/json', ...headers } })
}
