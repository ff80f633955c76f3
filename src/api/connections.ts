import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface ConnectionLimits {
  /** Maximum number of simultaneous connections. */
  readonly max: number
  /** Maximum number per address that are idle or have not presented a valid token. */
  readonly maxIdlePerAddress: number
}

interface Connection {
  readonly socket: Socket
  readonly address: string
  /** Requests in progress. */
  busy: number
  /** A request succeeded that had a token or was a POST, which all are authenticated; so its sender is known. */
  isProven: boolean
}

/**
 * Keeps idle and unknown connections from crowding out senders: if there are too many, the one that has been idle longest is
 * closed. A connection of a known sender is never closed during a request.
 */
export class Connections {
  readonly #limits: ConnectionLimits
  /** Least recently active first. */
  readonly #all = new Map<Socket, Connection>()
  /** Address → its connections that may be closed. */
  readonly #idle = new Map<string, number>()

  constructor(server: Server, limits: ConnectionLimits) {
    this.#limits = limits
    server.on('connection', (socket: Socket) => this.#opened(socket))
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#requested(request, response))
  }

  #opened(socket: Socket): void {
    const connection: Connection = { socket, address: socket.remoteAddress ?? '', busy: 0, isProven: false }
    socket.once('close', () => this.#forget(connection))
    if (this.#idleOf(connection) >= this.#limits.maxIdlePerAddress) this.#closeOne(connection.address)
    if (this.#all.size >= this.#limits.max && !this.#closeOne()) {
      socket.destroy()
      return
    }
    this.#all.set(socket, connection)
    this.#count(connection, 1)
  }

  #requested(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#all.get(request.socket)
    if (!connection) return
    // Senders may have their secret in another header, or sign their bodies.
    const isAuthenticated = request.headers.authorization !== undefined || request.method === 'POST'
    this.#change(connection, () => connection.busy++)
    response.once('close', () => {
      this.#change(connection, () => {
        connection.busy--
        connection.isProven ||= isAuthenticated && response.writableFinished && response.statusCode < 400
      })
    })
  }

  /** Closes the connection that has been idle longest or, if none is idle, the oldest one of an unknown sender. */
  #closeOne(address = this.#busiestAddress()): boolean {
    let victim: Connection | undefined
    for (const connection of this.#all.values()) {
      if (connection.address !== address || !mayClose(connection)) continue
      if (connection.busy === 0) {
        victim = connection
        break
      }
      victim ??= connection
    }
    if (!victim) return false
    this.#forget(victim)
    victim.socket.destroy()
    return true
  }

  /** The address with the most connections that may be closed. */
  #busiestAddress(): string | undefined {
    let most: string | undefined
    for (const [address, n] of this.#idle) if (n > (this.#idle.get(most ?? '') ?? 0)) most = address
    return most
  }

  #change(connection: Connection, act: () => void): void {
    if (!this.#all.has(connection.socket)) return
    this.#count(connection, -1)
    act()
    this.#count(connection, 1)
    this.#all.delete(connection.socket)
    this.#all.set(connection.socket, connection)
  }

  #forget(connection: Connection): void {
    if (!this.#all.delete(connection.socket)) return
    this.#count(connection, -1)
  }

  #count(connection: Connection, by: 1 | -1): void {
    if (!mayClose(connection)) return
    const n = this.#idleOf(connection) + by
    if (n > 0) this.#idle.set(connection.address, n)
    else this.#idle.delete(connection.address)
  }

  #idleOf({ address }: Connection): number {
    return this.#idle.get(address) ?? 0
  }
}

function mayClose({ busy, isProven }: Connection): boolean {
  return busy === 0 || !isProven
}
