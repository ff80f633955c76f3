import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { pipeline } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { KnownActive } from '../model/node.ts'
import type { ForwardOutcome } from '../telemetry/metrics.ts'
import { messageOf } from '../util/errors.ts'
import { FORWARDED, forwardedHeader } from '../util/http/forwarded.ts'
import type { Trusted } from '../util/http/http.ts'
import { NOT_ACCEPTED } from './access/forwarded.ts'
import { problemResponse } from './problem.ts'
import { starting } from './starting.ts'

export interface ForwarderOptions {
  /** The name of this node. */
  readonly node: string
  /** The active node, as known now. */
  readonly active: () => KnownActive | undefined
  readonly trusted: Trusted
  readonly onOutcome: (outcome: ForwardOutcome) => void
}

const CONNECT_MS = 5000
/** Together fewer connections than the active node lets one address have before it closes some. */
const MAX_OPEN = 200
const MAX_FREE = 40
const PROBED_MS = 2000
const NOTHING = Buffer.alloc(0)
/** Less than the active node keeps an idle connection, so that this side closes first. */
const FREE_MS = 30_000
/** Headers about one connection, which are not those of the next (RFC 9110, 7.6.1). Those that frame the body are written again. */
const OF_CONNECTION = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
/** Requests that do nothing, and can be sent again. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const AGAIN = { 'retry-after': '5' }
// If the adapter's own class was in place of `Response` when this was made, its headers, which say that it was sent, are seen only once
// something else of it is read.
void RESPONSE_ALREADY_SENT.bodyUsed

interface Exchange {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly active: KnownActive & { readonly url: string; readonly key: string }
}

/** Passes requests on to the active node, and its answers back, as they arrive. */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #agents: { readonly http: HttpAgent; readonly https: HttpsAgent }
  /** By request that is in progress: the node that it goes to. */
  readonly #open = new Map<ClientRequest, string>()
  #probed: Promise<string | undefined> = Promise.resolve(undefined)
  #probedAt = Number.NEGATIVE_INFINITY

  constructor(options: ForwarderOptions) {
    this.#options = options
    const kept = { keepAlive: true, maxFreeSockets: MAX_FREE, timeout: FREE_MS }
    this.#agents = { http: new HttpAgent(kept), https: new HttpsAgent({ ...kept, ...options.trusted }) }
  }

  /** Answers a request. Nothing of its body may have been read. Never rejects. */
  async forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<Response> {
    const { node, active: activeNow } = this.#options
    if (incoming.headers[FORWARDED] !== undefined)
      return this.#refuse('refused', `the node ${node} is not the active one, and a request is forwarded only once`, NOT_ACCEPTED)
    const active = activeNow()
    if (!active) return this.#refuse('no_active', 'no node is active')
    const { url, key, isSilent } = active
    if (active.node === node) return starting()
    if (url === undefined || key === undefined)
      return this.#refuse('no_active', `the active node is ${active.node}, and its address or key is not in the state yet`)
    if (isSilent) return this.#refuse('no_active', `the active node is ${describe(active)}, and it gives no sign of life`)
    if (this.#open.size >= MAX_OPEN)
      return this.#refuse('busy', `the node ${node} is forwarding ${MAX_OPEN} requests, as many as it may`)
    return this.#exchange({ incoming, outgoing, active: { ...active, url, key } })
  }

  /** Gives up what is on its way to nodes that are no longer active. */
  follow(): void {
    const active = this.#options.active()
    for (const [request, node] of this.#open)
      if (active && (active.node !== node || active.isSilent)) request.destroy(new Error('it is no longer active'))
  }

  /** Why the active node cannot be reached from here, in words; `undefined`: it can. What was found is valid for two seconds. */
  probe(): Promise<string | undefined> {
    if (performance.now() - this.#probedAt > PROBED_MS) {
      this.#probedAt = performance.now()
      this.#probed = this.#probe()
    }
    return this.#probed
  }

  #probe(): Promise<string | undefined> {
    const active = this.#options.active()
    if (active?.url === undefined) return Promise.resolve('the state does not say which node is active, and where')
    return new Promise((resolve) => {
      const request = this.#request(active.url!, { method: 'HEAD', path: '/healthz' })
      const timer = setTimeout(() => request.destroy(new Error('no answer')), CONNECT_MS)
      request.on('response', (answer) => {
        answer.resume()
        resolve(undefined)
      })
      request.on('error', (error) => resolve(`the active node, ${describe(active)}, cannot be reached: ${messageOf(error)}`))
      request.on('close', () => clearTimeout(timer))
      request.end()
    })
  }

  /** Closes all connections. */
  close(): void {
    for (const request of this.#open.keys()) request.destroy(new Error('this node stops'))
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }

  /** `isAgain`: over a new connection, after one that had been idle was closed. */
  #exchange(exchange: Exchange, isAgain = false): Promise<Response> {
    const { incoming, outgoing, active } = exchange
    return new Promise((resolve) => {
      const request = this.#begin(exchange, isAgain)
      const sent = whenConnected(request)
      // Once it is answered, there is nothing to end.
      const left = () => request.destroyed || request.destroy(new Error('the client has left'))
      this.#open.set(request, active.node)
      outgoing.once('close', left)
      let response: IncomingMessage | undefined
      request.on('error', (error) => {
        incoming.unpipe(request)
        // What breaks off later ends the answer.
        if (response) return
        outgoing.off('close', left)
        if (outgoing.destroyed) return resolve(RESPONSE_ALREADY_SENT)
        const isSafe = SAFE.has(incoming.method!) && !hasBody(incoming)
        if (isSafe && request.reusedSocket && !isAgain) resolve(this.#exchange(exchange, true))
        else resolve(this.#failure(exchange, { isUnknown: sent() && !isSafe, why: messageOf(error) }))
      })
      request.on('close', () => this.#open.delete(request))
      request.on('response', (answer) => {
        response = answer
        // A body that is refused may not have been read, and the active node soon closes such a connection.
        if (hasBody(incoming) && answer.statusCode! >= 400) request.shouldKeepAlive = false
        this.#options.onOutcome(answer.headers[FORWARDED] === undefined ? 'answered' : 'refused')
        resolve(passBack(answer, incoming, outgoing))
      })
      if (hasBody(incoming)) incoming.pipe(request)
      else request.end()
    })
  }

  #begin({ incoming, active }: Exchange, isAgain: boolean): ClientRequest {
    const { method, url: path, socket } = incoming
    const isTls = (socket as Partial<TLSSocket>).encrypted === true
    const said = { node: this.#options.node, address: socket.remoteAddress ?? '', isTls }
    const proof = forwardedHeader(active.key, active.node, said, incoming)
    const headers = [...passedOn(incoming), ...framing(incoming), FORWARDED, proof]
    return this.#request(active.url, { method, path, headers, ...(isAgain && { agent: false }) })
  }

  #request(url: string, more: RequestOptions): ClientRequest {
    const { protocol, hostname, port } = new URL(url)
    const host = hostname.replace(/^\[|\]$/g, '')
    const options = { host, port, ...more }
    // Its certificate is that of its address, whatever name the client has called.
    const tls = { ...this.#options.trusted, servername: isIP(host) === 0 ? host : '' }
    return protocol === 'https:'
      ? httpsRequest({ agent: this.#agents.https, ...tls, ...options })
      : httpRequest({ agent: this.#agents.http, ...options })
  }

  #failure({ active, incoming }: Exchange, { isUnknown, why }: { readonly isUnknown: boolean; readonly why: string }): Response {
    if (!isUnknown) return this.#refuse('unreachable', `the active node is ${describe(active)}, and it cannot be reached: ${why}`)
    this.#options.onOutcome('no_answer')
    const message = `the active node, ${describe(active)}, has not answered: ${why}. Whether it has carried out this ${incoming.method} is not known`
    return problemResponse(502, 'no_answer', message)
  }

  #refuse(outcome: ForwardOutcome, why: string, headers: Readonly<Record<string, string>> = {}): Response {
    this.#options.onOutcome(outcome)
    return problemResponse(503, 'standby', `this node only forwards: ${why}. Try again in a moment`, { ...AGAIN, ...headers })
  }
}

function describe({ node, url }: KnownActive): string {
  return `${node}, at ${url}`
}

/** Limits the time for a connection. Returns whether anything may have been sent on it. */
function whenConnected(request: ClientRequest): () => boolean {
  let isConnected = false
  const timer = setTimeout(() => request.destroy(new Error(`no connection within ${CONNECT_MS / 1000} seconds`)), CONNECT_MS)
  const connected = () => {
    isConnected = true
    clearTimeout(timer)
  }
  request.on('socket', (socket) => {
    if (request.reusedSocket) connected()
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected)
  })
  request.on('close', () => clearTimeout(timer))
  return () => isConnected
}

function passBack(answer: IncomingMessage, { method }: IncomingMessage, outgoing: ServerResponse): Response {
  for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name)
  const length = answer.headers['content-length']
  const framed = length === undefined ? [] : ['content-length', length]
  const headers = [...passedOn(answer), ...framed]
  const pairs = Array.from({ length: headers.length / 2 }, (_, i) => [headers[i * 2]!, headers[i * 2 + 1]!] as [string, string])
  // Hono makes another response of one to HEAD, which could not say that it was sent.
  if (method === 'HEAD') return new Response(null, { status: answer.resume().statusCode!, headers: pairs })
  for (const [name, value] of pairs) outgoing.appendHeader(name, value)
  outgoing.writeHead(answer.statusCode!, answer.statusMessage)
  // Live updates begin long before their first byte. `flushHeaders` would encode the headers, which are bytes, as UTF-8.
  if (length === undefined) outgoing.write(NOTHING)
  // If one side breaks off, so does the other.
  pipeline(answer, outgoing, () => {})
  return RESPONSE_ALREADY_SENT
}

/** Names and values, in turn, of the headers that are not about the connection. */
function passedOn({ headers: { connection = '' }, rawHeaders }: IncomingMessage): string[] {
  const named = new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
  return rawHeaders.filter((_, i) => {
    const name = rawHeaders[i - (i % 2)]!.toLowerCase()
    return !OF_CONNECTION.has(name) && !named.has(name)
  })
}

/**
 * The header that frames the body, as the parser has understood it. Never none if there is a body: the active node would read it as the next
 * request.
 */
function framing({ method, headers }: IncomingMessage): string[] {
  if (headers['transfer-encoding'] !== undefined) return ['transfer-encoding', 'chunked']
  const length = headers['content-length'] ?? (method === 'GET' || method === 'HEAD' ? undefined : '0')
  return length === undefined ? [] : ['content-length', length]
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
