import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { forwardedOf } from './access/forwarded.ts'

export interface ConnectionLimits {
  /** Maximum number of simultaneous connections. */
  readonly max: number
  /** Maximum number per address that are idle or have not presented a valid token. */
  readonly maxIdlePerAddress: number
}

interface Connection {
  readonly socket: Socket
  readonly peer: string
  readonly address: string
  /** Requests in progress. */
  busy: number
  /** A request succeeded that had a token or was a POST, which all are authenticated; or another node has sent one. So its sender is known. */
  isProven: boolean
}

/**
 * Connections are known by their peer, because with TLS a request has another socket than the connection that it arrived on.
 *
 * Keeps idle and unknown connections from crowding out senders: if there are too many, the one that has been idle longest is
 * closed. A connection of a known sender is never closed during a request.
 */
export class Connections {
  readonly #limits: ConnectionLimits
  /** Least recently active first. */
  readonly #all = new Map<string, Connection>()
  /** Address → its connections that may be closed. */
  readonly #idle = new Map<string, number>()

  constructor(server: Server, limits: ConnectionLimits) {
    this.#limits = limits
    server.on('connection', (socket: Socket) => this.#opened(socket))
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#requested(request, response))
  }

  #opened(socket: Socket): void {
    const connection: Connection = { socket, peer: peerOf(socket), address: socket.remoteAddress ?? '', busy: 0, isProven: false }
    socket.once('close', () => this.#forget(connection))
    if (this.#idleOf(connection) >= this.#limits.maxIdlePerAddress) this.#closeOne(connection.address)
    if (this.#all.size >= this.#limits.max && !this.#closeOne()) {
      close(socket)
      return
    }
    this.#all.set(connection.peer, connection)
    this.#count(connection, 1)
  }

  #requested(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#all.get(peerOf(request.socket))
    if (!connection) return
    // Senders may have their secret in another header, or sign their bodies.
    const isAuthenticated = request.headers.authorization !== undefined || request.method === 'POST'
    this.#change(connection, () => {
      connection.busy++
      connection.isProven ||= forwardedOf(request) !== undefined
    })
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
    close(victim.socket)
    return true
  }

  /** The address with the most connections that may be closed. */
  #busiestAddress(): string | undefined {
    let most: string | undefined
    for (const [address, n] of this.#idle) if (n > (this.#idle.get(most ?? '') ?? 0)) most = address
    return most
  }

  #change(connection: Connection, act: () => void): void {
    if (this.#all.get(connection.peer) !== connection) return
    this.#count(connection, -1)
    act()
    this.#count(connection, 1)
    this.#all.delete(connection.peer)
    this.#all.set(connection.peer, connection)
  }

  #forget(connection: Connection): void {
    if (this.#all.get(connection.peer) !== connection) return
    this.#all.delete(connection.peer)
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

/** Unique among the connections that are open. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

/** Not within the event of a new connection: there, TLS may be about to begin on it, and Node 20 can crash. */
function close(socket: Socket): void {
  setImmediate(() => socket.destroy())
}
