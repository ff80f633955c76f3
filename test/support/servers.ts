import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Server as NetServer } from 'node:net'
import type { Duplex } from 'node:stream'

/** A request as a test server received it. */
export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A real HTTP server on 127.0.0.1 whose answers the test sets, one after another. */
export class TestServer {
  readonly received: Received[] = []
  /** Connections that were opened. */
  connections = 0
  answer: (response: ServerResponse, request: Received) => void = (response) => void response.writeHead(204).end()
  /** Takes over connections that ask for another protocol. Default: they are refused. */
  onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void = (_, socket) => void socket.destroy()
  readonly #server: Server

  constructor(tls?: { readonly key: string; readonly cert: string }) {
    const listener: RequestListener = (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { method = '', url = '', headers } = request
        const received = { method, url, headers, body: Buffer.concat(chunks).toString() }
        this.received.push(received)
        this.answer(response, received)
      })
    }
    this.#server = tls ? createTlsServer(tls, listener) : createServer(listener)
    this.#server.on('connection', () => this.connections++)
    this.#server.on('upgrade', (request, socket, head) => this.onUpgrade(request, socket, head))
  }

  async listen(): Promise<this> {
    await listening(this.#server)
    return this
  }

  get port(): number {
    return portOf(this.#server)
  }

  get url(): string {
    return `${'setSecureContext' in this.#server ? 'https' : 'http'}://127.0.0.1:${this.port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }
}

/**
 * An HTTP proxy: opens tunnels (CONNECT) and forwards plain requests, each to 127.0.0.1 whatever the requested name, like a proxy
 * that resolves names itself.
 */
export class TestProxy {
  /** The requests: `CONNECT name:port`, or `GET http://name:port/path`. */
  readonly asked: string[] = []
  readonly authorizations: (string | undefined)[] = []
  /** Status of every response, if not 200. */
  refusesWith: number | undefined
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      this.#note(`${request.method} ${request.url}`, request)
      if (this.refusesWith !== undefined) return void response.writeHead(this.refusesWith).end()
      const url = new URL(request.url!)
      const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = request.headers
      void fetch(`http://127.0.0.1:${url.port}${url.pathname}`, { headers: { 'x-via': String(headers.host) } }).then(
        async (answer) => response.writeHead(answer.status).end(await answer.text()),
      )
    })
    this.#server.on('connect', (request, client) => {
      this.#note(`CONNECT ${request.url}`, request)
      if (this.refusesWith !== undefined) return client.end(`HTTP/1.1 ${this.refusesWith} No\r\n\r\n`)
      const upstream = connect(Number(request.url!.split(':').at(-1)), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        upstream.pipe(client)
        client.pipe(upstream)
      })
      for (const socket of [client, upstream]) socket.on('error', () => {})
    })
  }

  #note(asked: string, request: IncomingMessage): void {
    this.asked.push(asked)
    this.authorizations.push(request.headers['proxy-authorization'])
  }

  async listen(): Promise<this> {
    await listening(this.#server)
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.#server)}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

export async function listening(server: NetServer): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
}

export function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port
}
