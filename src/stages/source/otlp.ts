import type { z } from 'zod'
import { walkOtlpJson } from './decoders/otlp-json.ts'
import { walkOtlpProtobuf } from './decoders/otlp-protobuf.ts'
import { discardBody } from './read-body.ts'
import { MAX_RECORDS, type Receiving, receive } from './receive.ts'
import { RequestRefused, refusalOf } from './refusal.ts'
import { isSender, jsonAnswer, refuseTinyValues, shipperConfig, shipperReceiving, shipperTerms } from './shipper.ts'
import { defineSource, type Intake, type IntakeDeps } from './source.ts'

/** OTLP/HTTP: `/v1/logs`. */
export const otlp = defineSource({
  type: 'otlp',
  summary: 'Receives log records by OTLP/HTTP, in JSON and in protocol buffers.',
  config: shipperConfig,
  example: { id: 'otel' },
  onlyReceives: true,
  pushes: (settings, deps) => new OtlpIntake(settings, deps),
  listens: shipperTerms,
})

const TYPES = {
  accepted: /^application\/(json|x-protobuf)\s*(;|$)/i,
  advice: 'send application/json or application/x-protobuf',
}

class OtlpIntake implements Intake {
  readonly #deps: IntakeDeps
  readonly #receiving: Omit<Receiving, 'receivedMs'>

  constructor(settings: z.output<typeof shipperConfig>, deps: IntakeDeps) {
    this.#deps = deps
    this.#receiving = shipperReceiving(settings, deps, TYPES)
  }

  claims(path: string): boolean {
    return path === '/v1/logs'
  }

  knows(headers: Headers): boolean {
    return isSender(headers, this.#deps.authorised)
  }

  async handle(request: Request, path: string): Promise<Response> {
    const isProtobuf = /^application\/x-protobuf/i.test(request.headers.get('content-type') ?? '')
    try {
      if (!this.claims(path)) throw new RequestRefused(404, `there is nothing at this path: log records are sent to /v1/logs`)
      if (request.method !== 'POST')
        throw new RequestRefused(405, `log records are sent with POST, not ${request.method}`, { allow: 'POST' })
      const receivedMs = this.#deps.now()
      return await receive(request, { ...this.#receiving, receivedMs }, (body) => this.#take(body, isProtobuf, receivedMs))
    } catch (error) {
      await discardBody(request)
      return failed(refusalOf(error), isProtobuf)
    }
  }

  async #take(body: Uint8Array, isProtobuf: boolean, receivedMs: number): Promise<Response> {
    if (!isProtobuf) refuseTinyValues(body)
    const walk = isProtobuf ? walkOtlpProtobuf : walkOtlpJson
    const { count, rejected, broken } = walk(body, () => {}, MAX_RECORDS + 1)
    if (broken !== undefined) throw new RequestRefused(400, `the request cannot be decoded: ${broken}`)
    if (count > MAX_RECORDS) throw new RequestRefused(413, `the request has more than ${MAX_RECORDS} log records; split it`)
    if (count > 0) await this.#deps.append(body, { decoding: isProtobuf ? 'otlp-protobuf' : 'otlp-json', receivedMs })
    // An empty message is full success.
    if (isProtobuf) return protobuf(200, Buffer.alloc(0))
    const message = `${rejected} log records are not objects; the others were taken`
    return jsonAnswer(
      200,
      rejected > 0 ? { partialSuccess: { rejectedLogRecords: String(rejected), errorMessage: message } } : {},
    )
  }

  async close(): Promise<void> {}
}

/** Codes of google.rpc.Code, which the body of a failure has to contain. */
const CODES: Readonly<Record<number, number>> = { 401: 16, 404: 5, 413: 8, 429: 8, 503: 14 }
const INVALID_ARGUMENT = 3

/** A google.rpc.Status. Senders repeat a request after 429 and 503. */
function failed({ status, message, headers }: RequestRefused, isProtobuf: boolean): Response {
  const code = CODES[status] ?? INVALID_ARGUMENT
  if (!isProtobuf) return jsonAnswer(status, { code, message }, headers)
  const text = Buffer.from(message.slice(0, 1000))
  const length = text.length < 0x80 ? [text.length] : [(text.length & 0x7f) | 0x80, text.length >> 7]
  return protobuf(status, Buffer.concat([Buffer.from([0x08, code, 0x12, ...length]), text]), headers)
}

function protobuf(status: number, body: Uint8Array<ArrayBuffer>, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { status, headers: { 'content-type': 'application/x-protobuf', ...headers } })
}
