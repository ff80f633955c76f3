import type { z } from 'zod'
import { messageOf } from '../../util/errors.ts'
import { BlockTooLarge, snappyBlock } from '../../util/unpack/snappy-block.ts'
import { walkLokiJson } from './decoders/loki-json.ts'
import { walkLokiProtobuf } from './decoders/loki-protobuf.ts'
import { discardBody } from './read-body.ts'
import { MAX_RECORDS, type Receiving, receive } from './receive.ts'
import { RequestRefused, refusalOf } from './refusal.ts'
import { isSender, refuseTinyValues, shipperConfig, shipperReceiving, shipperTerms } from './shipper.ts'
import { defineSource, type Intake, type IntakeDeps } from './source.ts'

/** Loki's `/loki/api/v1/push`. */
export const loki = defineSource({
  type: 'loki',
  summary: 'Receives lines as Loki does, in JSON and in compressed protocol buffers.',
  config: shipperConfig,
  example: { id: 'promtail' },
  onlyReceives: true,
  pushes: (settings, deps) => new LokiIntake(settings, deps),
  listens: shipperTerms,
})

const TYPES = {
  accepted: /^application\/(json|x-protobuf)\s*(;|$)/i,
  advice: 'send application/json or application/x-protobuf',
}
const MAX_TENANT_CHARS = 200

class LokiIntake implements Intake {
  readonly #deps: IntakeDeps
  readonly #receiving: Omit<Receiving, 'receivedMs'>

  constructor(settings: z.output<typeof shipperConfig>, deps: IntakeDeps) {
    this.#deps = deps
    this.#receiving = shipperReceiving(settings, deps, TYPES)
  }

  claims(path: string): boolean {
    return path === '/loki/api/v1/push'
  }

  knows(headers: Headers): boolean {
    return isSender(headers, this.#deps.authorised)
  }

  async handle(request: Request, path: string): Promise<Response> {
    try {
      if (!this.claims(path)) throw new RequestRefused(404, 'there is nothing at this path: lines are sent to /loki/api/v1/push')
      if (request.method !== 'POST')
        throw new RequestRefused(405, `lines are sent with POST, not ${request.method}`, { allow: 'POST' })
      const { headers } = request
      const isProtobuf = /^application\/x-protobuf/i.test(headers.get('content-type') ?? '')
      const receivedMs = this.#deps.now()
      const receiving = { ...this.#receiving, receivedMs, ...(isProtobuf && isSnappy(headers) && { codings: [] }) }
      const tenant = headers.get('x-scope-orgid')?.slice(0, MAX_TENANT_CHARS)
      return await receive(request, receiving, (body) => this.#take(body, isProtobuf, tenant, receivedMs))
    } catch (error) {
      await discardBody(request)
      const { status, message, headers } = refusalOf(error)
      return new Response(`${message}\n`, { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } })
    }
  }

  async #take(sent: Uint8Array, isProtobuf: boolean, tenant: string | undefined, receivedMs: number): Promise<Response> {
    const body = isProtobuf ? unsnap(sent, this.#receiving.maxBytes) : sent
    if (!isProtobuf) refuseTinyValues(body)
    const { count, broken } = (isProtobuf ? walkLokiProtobuf : walkLokiJson)(body, () => {}, MAX_RECORDS + 1)
    if (broken !== undefined) throw new RequestRefused(400, `the request cannot be decoded: ${broken}`)
    if (count > MAX_RECORDS) throw new RequestRefused(413, `the request has more than ${MAX_RECORDS} lines; split it`)
    const decoding = `${isProtobuf ? 'loki-protobuf' : 'loki-json'}${tenant ? `?${new URLSearchParams({ tenant })}` : ''}`
    if (count > 0) await this.#deps.append(body, { decoding, receivedMs })
    return new Response(null, { status: 204 })
  }

  async close(): Promise<void> {}
}

/** Protocol buffers are always compressed in snappy's block format, whether a header says so or not. */
function isSnappy(headers: Headers): boolean {
  return /^(|identity|snappy)$/i.test(headers.get('content-encoding') ?? '')
}

/** The body without snappy's block format. */
function unsnap(bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return snappyBlock(bytes, maxBytes)
  } catch (error) {
    if (error instanceof BlockTooLarge)
      throw new RequestRefused(413, `the body is larger than ${maxBytes} bytes uncompressed; split it`)
    throw new RequestRefused(400, `the body cannot be decompressed: ${messageOf(error)}`)
  }
}
