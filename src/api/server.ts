import type { IncomingMessage, Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createAdaptorServer, type Http2Bindings, type HttpBindings } from '@hono/node-server'
import { ConfigError, messageOf } from '../util/errors.ts'
import { Connections } from './connections.ts'
import { removePrefix, setResponseHeaders } from './response-headers.ts'

export interface ServerOptions {
  /** `address:port`; port 0 picks a free one. */
  readonly listen: string
  /** Time limit for receiving a request, including its body. */
  readonly requestTimeoutMs?: number
  /** Time limit for receiving the headers. */
  readonly headersTimeoutMs?: number
  /** How often the two limits above are checked. */
  readonly checkMs?: number
  /** Speaks HTTPS with what this returns. It is called again every `reloadMs`, and a new pair serves the connections that follow. */
  readonly tls?: (() => KeyPair) | undefined
  readonly reloadMs?: number
  /** What went wrong when `tls` was called again, once per message; the pair before stays in use. */
  readonly onTlsProblem?: (message: string) => void
  /** Path at which a reverse proxy offers this server, `/siem`, if it passes it on. */
  readonly prefix?: string
  /** Answers requests to switch protocols; absent: there are none. */
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** Certificate chain and private key, PEM. */
interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface RunningServer {
  /** `http://127.0.0.1:4848`. */
  readonly url: string
  /** Accepts no more connections, lets calls in progress finish for at most `graceMs`, then cuts them. */
  close(graceMs?: number): Promise<void>
}

const MAX_HEADER_BYTES = 16 * 1024
const MAX_CONNECTIONS = 1000
/** A quarter: four addresses together cannot crowd out a fifth, and a proxy's idle connections fit in. */
const MAX_IDLE_PER_ADDRESS = 250
/** An idle connection is kept open longer than shippers and proxies keep theirs, so that they close first. */
const KEEP_ALIVE_MS = 65_000
/** A connection without a finished TLS handshake is closed after this time. */
const HANDSHAKE_MS = 10_000
const RELOAD_MS = 10_000

/** Starts to listen. Throws `ConfigError` if the address is not available. */
export async function startServer(
  fetch: (request: Request, connection: HttpBindings | Http2Bindings) => Response | Promise<Response>,
  options: ServerOptions,
): Promise<RunningServer> {
  const { listen, requestTimeoutMs = 60_000, headersTimeoutMs = 10_000, checkMs = 2000 } = options
  const pair = options.tls?.()
  const serverOptions = {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: requestTimeoutMs,
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    connectionsCheckingInterval: checkMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
  }
  const server = createAdaptorServer(
    pair
      ? { fetch, createServer: createTlsServer, serverOptions: { ...serverOptions, ...pair, handshakeTimeout: HANDSHAKE_MS } }
      : { fetch, serverOptions },
  ) as Server
  setResponseHeaders(server)
  removePrefix(server, options.prefix ?? '')
  if (options.onUpgrade) server.on('upgrade', options.onUpgrade)
  new Connections(server, { max: MAX_CONNECTIONS, maxIdlePerAddress: MAX_IDLE_PER_ADDRESS })
  await begin(server, listen)
  const stopReloading = pair ? reloading(server as TlsServer, pair, options) : () => {}
  return {
    url: `${pair ? 'https' : 'http'}://${addressOf(server)}`,
    async close(graceMs = 5000) {
      stopReloading()
      await end(server, graceMs)
    },
  }
}

/** Takes over new files for new connections; those that exist keep theirs. */
function reloading(server: TlsServer, first: KeyPair, { tls, reloadMs = RELOAD_MS, onTlsProblem }: ServerOptions): () => void {
  let current = first
  let problem: string | undefined
  const timer = setInterval(() => {
    const before = problem
    problem = undefined
    try {
      const next = tls!()
      if (next.cert === current.cert && next.key === current.key) return
      server.setSecureContext({ ...next })
      current = next
    } catch (error) {
      problem = messageOf(error)
      if (problem !== before) onTlsProblem?.(problem)
    }
  }, reloadMs)
  timer.unref()
  return () => clearInterval(timer)
}

async function begin(server: Server, listen: string): Promise<void> {
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(listen.slice(colon + 1))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const advice =
        error.code === 'EADDRINUSE' ? 'another process listens there: stop it, or set `listen` to another port' : messageOf(error)
      reject(new ConfigError(`cannot listen on ${listen}: ${advice}`, {}, { cause: error }))
    })
    server.listen({ host, port }, resolve)
  })
}

function addressOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}

/** How often connections whose call has ended are closed while shutting down. */
const CLOSE_LOOK_MS = 20

async function end(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // Without this, closing would wait for keep-alive connections after their last call.
  const idle = setInterval(() => server.closeIdleConnections(), CLOSE_LOOK_MS)
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearInterval(idle)
  clearTimeout(timer)
}
