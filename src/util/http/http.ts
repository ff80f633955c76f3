import { Readable } from 'node:stream'
import * as tls from 'node:tls'
import { Agent, type BodyInit, buildConnector, type Dispatcher, fetch, ProxyAgent, Response, request as requestOf } from 'undici'
import { type AddressRule, guardedLookup, isRefusedLiteral, privateAddress, publicOr } from './addresses.ts'
import type { OpenSocket } from './open-socket.ts'
import { type ProxySettings, proxyFor } from './proxy.ts'
import { isCertificateFault, reasonOf } from './reasons.ts'
import { checkedHeaders, type HttpAnswer, HttpError, type HttpRequest, type Send, shownUrl } from './send.ts'
import { socketOpener } from './socket.ts'
import { CREDENTIALS_IN_URL, holdsCredentials } from './target-url.ts'

export interface HttpSettings {
  readonly proxy: ProxySettings
  /** Certificates (PEM) of authorities to trust in addition to the usual ones. */
  readonly ca?: string | undefined
  /** Private addresses and ranges that content is allowed to reach. */
  readonly allowPrivate: readonly string[]
}

export interface Trusted {
  /** Certificates (PEM). */
  readonly ca?: string[]
}

export interface Http {
  /** For addresses from the operator's configuration: any address, including private ones. */
  readonly configured: Send
  /** WebSockets to addresses from the operator's configuration, and to those that a configured service names. */
  readonly socket: OpenSocket
  /** For addresses from content, which third parties may have written: only public addresses, and those that the configuration allows. */
  readonly fromContent: Send
  /** The authorities to trust, as an option of TLS connections that do not carry HTTP. Empty: the usual ones. */
  readonly trusted: Trusted
  /** Closes all connections. */
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 10_000
const MAX_HEADER_BYTES = 64 * 1024
const MAX_SOCKET_MESSAGE_BYTES = 1024 * 1024

/** Trust in these authorities (PEM) in addition to the usual ones. */
export function trustedWith(ca: string | undefined): Trusted {
  return ca === undefined ? {} : { ca: [...usualAuthorities(), ca] }
}

/** The HTTP client for all requests to the outside. */
export function createHttp({ proxy, ca, allowPrivate }: HttpSettings): Http {
  const open: Dispatcher[] = []
  const kept = <D extends Dispatcher>(agent: D): D => {
    open.push(agent)
    return agent
  }
  const trusted = trustedWith(ca)
  // No limit on silence: each request sets its own time limit.
  const limits = {
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    webSocket: { maxPayloadSize: MAX_SOCKET_MESSAGE_BYTES },
  }
  const proxies = new Map<string, Dispatcher>()
  const proxied = (uri: string) => {
    const known = proxies.get(uri)
    if (known) return known
    const connect = { timeout: CONNECT_TIMEOUT_MS, ...trusted }
    const made = kept(new ProxyAgent({ ...limits, uri, requestTls: connect, proxyTls: connect, proxyTunnel: false }))
    proxies.set(uri, made)
    return made
  }
  const chooser = (isAllowed?: AddressRule) => {
    const direct = kept(new Agent({ ...limits, connect: connector(trusted, isAllowed) }))
    return (url: URL): Dispatcher => {
      // With a proxy, the proxy resolves names and decides what they may reach; only literal addresses are checked here.
      if (isAllowed && isRefusedLiteral(url.hostname, isAllowed)) throw privateAddress(url.hostname)
      const through = proxyFor(url, proxy)
      return through === undefined ? direct : proxied(through)
    }
  }
  const toConfigured = chooser()
  const toPublic = chooser(publicOr(allowPrivate))
  return {
    configured: (request) => send(request, toConfigured),
    socket: socketOpener(toConfigured),
    fromContent: (request) => send(request, toPublic),
    trusted,
    async close() {
      await Promise.all(open.map((agent) => agent.destroy()))
    },
  }
}

function connector(trusted: Trusted, isAllowed: AddressRule | undefined): buildConnector.connector {
  const lookup = isAllowed && { lookup: guardedLookup(isAllowed) }
  return buildConnector({ timeout: CONNECT_TIMEOUT_MS, ...trusted, ...lookup })
}

/** Node's default trust store. Before Node 22.15 only its built-in list: NODE_EXTRA_CA_CERTS cannot be read back there. */
export function usualAuthorities(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] }
  return getCACertificates?.('default') ?? tls.rootCertificates
}

async function send(request: HttpRequest, agentFor: (url: URL) => Dispatcher): Promise<HttpAnswer> {
  const time = AbortSignal.timeout(request.timeoutMs)
  const signal = request.signal ? AbortSignal.any([request.signal, time]) : time
  try {
    const response = await follow(request, agentFor, signal)
    return { status: response.status, headers: new Map(response.headers), body: await bodyOf(response, request.maxBytes) }
  } catch (error) {
    if (request.signal?.aborted) throw request.signal.reason
    if (time.aborted) throw new HttpError('timeout', `no whole answer within ${request.timeoutMs / 1000} s`)
    throw failureOf(error)
  }
}

/** Follows at most `redirects` redirects and returns the last response. */
async function follow(request: HttpRequest, agentFor: (url: URL) => Dispatcher, signal: AbortSignal): Promise<Response> {
  const { redirects = 0, method = 'GET', body } = request
  let url = new URL(request.url)
  let headers = { 'user-agent': 'caracal', ...checkedHeaders(request.headers ?? {}) } as Record<string, string>
  for (let hop = 0; ; hop++) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new HttpError('invalid', `${url.protocol} is not HTTP`)
    if (holdsCredentials(url)) throw new HttpError('invalid', CREDENTIALS_IN_URL)
    const options = { dispatcher: agentFor(url), method, headers, signal, ...(body !== undefined && { body }) }
    const response = await (request.isRaw ? fetchRaw(url, options) : fetch(url, { ...options, redirect: 'manual' }))
    const next = redirects > 0 ? redirectOf(response, url) : undefined
    if (next === undefined) return response
    await response.body?.cancel().catch(() => {})
    if (hop === redirects) throw new HttpError('redirect', `it redirects more than ${redirects} times`)
    if (next.origin !== url.origin) headers = { 'user-agent': headers['user-agent']! }
    url = next
  }
}

/** Responses with these statuses have no body. */
const WITHOUT_BODY = new Set([204, 205, 304])

/** Like `fetch`, but the body stays compressed: `fetch` itself always decompresses it. */
async function fetchRaw(url: URL, options: Omit<NonNullable<Parameters<typeof requestOf>[1]>, 'path'>): Promise<Response> {
  const { statusCode: status, headers, body } = await requestOf(url, options)
  const list = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, one]),
  )
  if (!WITHOUT_BODY.has(status)) return new Response(Readable.toWeb(body) as BodyInit, { status, headers: list })
  await body.dump()
  return new Response(null, { status, headers: list })
}

/** The redirect target of a response; `undefined` if it does not redirect. Never from https to http, never to another protocol. */
function redirectOf({ status, headers }: Response, from: URL): URL | undefined {
  const location = headers.get('location')
  if (status < 300 || status > 399 || status === 304 || location === null) return undefined
  if (!URL.canParse(location, from.href)) throw new HttpError('redirect', `${shownUrl(from)} redirects to what is not a URL`)
  const next = new URL(location, from)
  if (next.protocol !== 'http:' && next.protocol !== 'https:')
    throw new HttpError('redirect', `${shownUrl(from)} redirects to ${next.protocol}, which is not HTTP`)
  if (from.protocol === 'https:' && next.protocol === 'http:')
    throw new HttpError('redirect', `${shownUrl(from)} redirects to plain HTTP at ${next.host}`)
  return next
}

/** The body; reading stops as soon as it exceeds the limit. */
async function bodyOf(response: Response, maxBytes: number): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array(0)
  if (maxBytes === 0) {
    // If the connection breaks now, it makes no difference.
    await response.body.cancel().catch(() => {})
    return new Uint8Array(0)
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maxBytes) throw new HttpError('too_large', `the answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function failureOf(error: unknown): HttpError {
  for (let at = error, depth = 0; depth < 5 && at instanceof Error; at = at.cause, depth++) {
    if (at instanceof HttpError) return at
  }
  return new HttpError(isCertificateFault(error) ? 'certificate' : 'unreachable', reasonOf(error))
}
