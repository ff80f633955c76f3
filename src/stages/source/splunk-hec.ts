import { z } from 'zod'
import { type HecFault, walkHec } from './decoders/hec-event.ts'
import { LOG_TYPE } from './decoders/hec-raw.ts'
import { discardBody } from './read-body.ts'
import { MAX_RECORDS, type Receiving, receive } from './receive.ts'
import { RequestRefused, refusalOf } from './refusal.ts'
import { isSender, jsonAnswer, shipperConfig, shipperReceiving, shipperTerms } from './shipper.ts'
import { defineSource, type Intake, type IntakeDeps } from './source.ts'
import { sourcetypes, typeFor } from './sourcetypes.ts'

const config = z.object({ ...shipperConfig.shape, sourcetypes })

/** Splunk's HTTP Event Collector: `/services/collector/event`, `/raw`, `/ack` and `/health`. */
export const splunkHec = defineSource({
  type: 'splunk_hec',
  summary: 'Receives events as Splunk’s HTTP Event Collector does: event, raw and ack endpoints.',
  config,
  example: { id: 'hec' },
  onlyReceives: true,
  pushes: (settings, deps) => new HecIntake(settings, deps),
  listens: shipperTerms,
})

/** Senders write anything here: curl's form type, text, or none. */
const TYPES = {
  accepted: /^(application\/(json|x-www-form-urlencoded|octet-stream|x-ndjson)|text\/plain)\b/i,
  advice: 'send application/json',
}
const PATH = /^\/services\/collector(?:\/(event|raw|ack|health))?(?:\/1\.0)?\/?$/
/** What the URL of the raw endpoint may say about its lines. */
const PARAMETERS = ['host', 'source', 'sourcetype', 'index', 'time']
const MAX_PARAMETER_CHARS = 1000

/** Texts and codes of the protocol: https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data */
const FAULTS: Readonly<Record<HecFault, { readonly text: string; readonly code: number }>> = {
  format: { text: 'Invalid data format', code: 6 },
  'no event': { text: 'Event field is required', code: 12 },
  'blank event': { text: 'Event field cannot be blank', code: 13 },
  fields: { text: 'Error in handling indexed fields', code: 15 },
}

class HecIntake implements Intake {
  readonly #settings: z.output<typeof config>
  readonly #deps: IntakeDeps
  readonly #receiving: Omit<Receiving, 'receivedMs'>
  #lastAck = 0

  constructor(settings: z.output<typeof config>, deps: IntakeDeps) {
    this.#settings = settings
    this.#deps = deps
    this.#receiving = shipperReceiving(settings, deps, TYPES)
  }

  claims(path: string): boolean {
    return PATH.test(path)
  }

  knows(headers: Headers): boolean {
    return isSender(headers, this.#deps.authorised)
  }

  async handle(request: Request, path: string): Promise<Response> {
    try {
      const [isKnown, endpoint = 'event'] = PATH.exec(path) ?? []
      if (isKnown === undefined)
        throw new RequestRefused(404, 'the endpoints are /services/collector/event, /raw, /ack and /health')
      if (endpoint === 'health') return jsonAnswer(200, { text: 'HEC is healthy', code: 17 })
      if (request.method !== 'POST')
        throw new RequestRefused(405, `events are sent with POST, not ${request.method}`, { allow: 'POST' })
      const receivedMs = this.#deps.now()
      const url = new URL(request.url)
      const channel = request.headers.get('x-splunk-request-channel') ?? url.searchParams.get('channel') ?? undefined
      return await receive(request, { ...this.#receiving, receivedMs }, (body) => {
        if (endpoint === 'ack') return this.#acks(body, channel)
        if (endpoint === 'raw') return this.#raw(body, url.searchParams, channel, receivedMs)
        return this.#events(body, channel, receivedMs)
      })
    } catch (error) {
      await discardBody(request)
      return refused(refusalOf(error), request.headers.has('authorization'))
    }
  }

  async #events(body: Uint8Array, channel: string | undefined, receivedMs: number): Promise<Response> {
    const types = new URLSearchParams()
    const { count, fault } = walkHec(
      body,
      (_, __, sourcetype) => {
        const type = this.#typeFor(sourcetype)
        if (type !== undefined) types.set(sourcetype!, type)
      },
      MAX_RECORDS + 1,
    )
    if (count > MAX_RECORDS) throw new RequestRefused(413, `the body contains more than ${MAX_RECORDS} events; split it`)
    if (count > 0) await this.#deps.append(body, { decoding: types.size > 0 ? `hec-event?${types}` : 'hec-event', receivedMs })
    // The events before it were taken, as in Splunk: the sender continues with this one.
    if (fault) return jsonAnswer(400, { ...FAULTS[fault], 'invalid-event-number': count })
    return count === 0 ? jsonAnswer(400, { text: 'No data', code: 5 }) : this.#success(channel)
  }

  async #raw(body: Uint8Array, query: URLSearchParams, channel: string | undefined, receivedMs: number): Promise<Response> {
    if (!body.some((byte) => byte > 0x20)) return jsonAnswer(400, { text: 'No data', code: 5 })
    const lines = body.reduce((n, byte) => (byte === 0x0a ? n + 1 : n), 1)
    if (lines > MAX_RECORDS) throw new RequestRefused(413, `the body contains more than ${MAX_RECORDS} lines; split it`)
    const known = new URLSearchParams()
    for (const name of PARAMETERS) {
      const value = query.get(name)
      if (value) known.set(name, value.slice(0, MAX_PARAMETER_CHARS))
    }
    const type = this.#typeFor(query.get('sourcetype'))
    if (type !== undefined) known.set(LOG_TYPE, type)
    const decoding = known.size > 0 ? `hec-raw?${known}` : 'hec-raw'
    await this.#deps.append(body, { decoding, receivedMs })
    return this.#success(channel)
  }

  #typeFor(sourcetype: unknown): string | undefined {
    return typeFor(sourcetype, this.#settings.sourcetypes, this.#settings.log_types.length > 0)
  }

  /** Ids grow from one start to the next, so that those from before a restart are still known to be on disk. */
  #success(channel: string | undefined): Response {
    const done = { text: 'Success', code: 0 }
    if (channel === undefined) return jsonAnswer(200, done)
    this.#lastAck = Math.max(this.#lastAck + 1, this.#deps.now() * 1000)
    return jsonAnswer(200, { ...done, ackId: this.#lastAck })
  }

  /** An id was only ever given to a sender whose events were on disk. */
  async #acks(body: Uint8Array, channel: string | undefined): Promise<Response> {
    if (channel === undefined) return jsonAnswer(400, { text: 'Data channel is missing', code: 10 })
    const last = Math.max(this.#lastAck, this.#deps.now() * 1000)
    const ids = acksIn(body)
    if (!ids) return jsonAnswer(400, FAULTS.format)
    return jsonAnswer(200, { acks: Object.fromEntries(ids.map((id) => [id, id > FIRST_ACK && id <= last])) })
  }

  async close(): Promise<void> {}
}

const MAX_ACKS = 10_000
/** All ids are greater: they are derived from the clock, in microseconds. */
const FIRST_ACK = 1_500_000_000_000_000

function acksIn(body: Uint8Array): number[] | undefined {
  try {
    const { acks } = JSON.parse(Buffer.from(body).toString()) as { acks?: unknown }
    const isList = Array.isArray(acks) && acks.length <= MAX_ACKS && acks.every((id) => Number.isSafeInteger(id) && id >= 0)
    return isList ? (acks as number[]) : undefined
  } catch {
    return undefined
  }
}

/** The refusal in the words of the protocol. Senders repeat a request after 429 and 503. */
function refused({ status, message, headers }: RequestRefused, hasToken: boolean): Response {
  if (status === 401)
    return jsonAnswer(
      hasToken ? 403 : 401,
      hasToken ? { text: 'Invalid token', code: 4 } : { text: 'Token is required', code: 2 },
      headers,
    )
  if (status === 429 || status === 503) return jsonAnswer(503, { text: `Server is busy: ${message}`, code: 9 }, headers)
  return jsonAnswer(status, { text: message, code: status === 400 ? 6 : 8 }, headers)
}
