import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { z } from 'zod'
import { ConfigError, messageOf } from '../../util/errors.ts'

/** Config key of sources with a port of their own: `address:port`. */
export function listenKey(port: number) {
  return z
    .string()
    .regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, `address:port, as in 127.0.0.1:${port}`)
    .default(`127.0.0.1:${port}`)
    .describe('Address and port; `0.0.0.0:…` accepts senders on the network. Port 0: any free one.')
}

/** The two parts of such a key. */
export function hostAndPort(listen: string): { readonly host: string; readonly port: number } {
  const colon = listen.lastIndexOf(':')
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) }
}

/** Config key common to sources that accept connections. */
export const maxConnections = z
  .int()
  .min(1)
  .max(100_000)
  .default(10_000)
  .describe('Connections at the same time; further ones are closed at once and reported.')

export interface SocketServerOptions {
  readonly listen: string
  readonly maxConnections: number
  /** With certificate and key, connections are encrypted. */
  readonly tls?: TlsOptions | undefined
  /** Serves one connection until it ends. Whatever it throws ends only this connection. */
  readonly serve: (socket: Socket) => Promise<void>
  readonly now: () => number
}

const HANDSHAKE_MS = 20_000
/** A sender that has gone without a word is noticed after this time without data, and a few probes. */
const KEEP_ALIVE_MS = 60_000
/** Refused connections are a problem for this long. */
const RECENT_MS = 3_600_000

/** A TCP server whose connections are served one by one by an async function. */
export class SocketServer {
  readonly #options: SocketServerOptions
  readonly #server: Server
  readonly #sockets = new Map<Socket, Promise<void>>()
  #refused = { count: 0, lastMs: 0, why: '' }

  /** Rejects with `ConfigError` if it cannot listen. */
  static async open(options: SocketServerOptions): Promise<SocketServer> {
    const server = new SocketServer(options)
    await listening(() => server.#server.listen(hostAndPort(options.listen)), server.#server, options.listen)
    server.#server.on('error', (error) => server.refuse(messageOf(error)))
    return server
  }

  private constructor(options: SocketServerOptions) {
    this.#options = options
    const accept = (socket: Socket) => this.#accept(socket)
    const common = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }
    this.#server = options.tls
      ? createTlsServer({ ...options.tls, ...common, handshakeTimeout: HANDSHAKE_MS }, accept)
      : createServer(common, accept)
    this.#server.maxConnections = options.maxConnections
    this.#server.on('drop', () => this.refuse(`there are ${options.maxConnections} already (\`max_connections\`)`))
    this.#server.on('tlsClientError', (error) => this.refuse(`the TLS handshake failed: ${error.message}`))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Connections that were refused within the last hour. */
  get problem(): string | undefined {
    const { count, lastMs, why } = this.#refused
    if (count === 0 || this.#options.now() - lastMs > RECENT_MS) return undefined
    return `${count} connections were refused since the start, the last at ${new Date(lastMs).toISOString()}: ${why}`
  }

  /** Stops listening and ends all connections; resolves when each has been served. */
  async close(): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets.keys()) socket.destroy()
    await Promise.all(this.#sockets.values())
  }

  #accept(socket: Socket): void {
    // Also without a reader, as an error without a listener would end the program.
    socket.on('error', () => {})
    const served = this.#options
      .serve(socket)
      .catch(() => {})
      .finally(() => {
        socket.destroy()
        this.#sockets.delete(socket)
      })
    this.#sockets.set(socket, served)
  }

  /** Counts a connection that was refused; also for `serve`, which ends it. */
  refuse(why: string): void {
    this.#refused = { count: this.#refused.count + 1, lastMs: this.#options.now(), why }
  }
}

/** Waits until `server` listens. Throws `ConfigError` that says what to do. */
export async function listening(begin: () => void, server: NodeJS.EventEmitter, address: string): Promise<void> {
  const listens = once(server, 'listening')
  begin()
  try {
    await listens
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const advice =
      code === 'EADDRINUSE'
        ? 'another program uses this port: choose another one in `listen`'
        : code === 'EACCES'
          ? 'ports below 1024 need the capability CAP_NET_BIND_SERVICE: grant it, or choose a higher port in `listen`'
          : messageOf(error)
    throw new ConfigError(`cannot listen on ${address}: ${advice}`, {}, { cause: error })
  }
}
