import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { testAuthority } from './certificates.ts'
import { listening, portOf } from './servers.ts'
import type { OtherSide } from './vendors.ts'

/** A syslog server over TCP or TLS on 127.0.0.1 that reads messages with their length before them. */
export class SyslogServer implements OtherSide {
  readonly received: string[] = []
  connections = 0
  readonly trusted: { readonly ca: string[] }
  readonly #server: Server
  #hangs: (() => void) | undefined
  readonly #sockets = new Set<Socket>()

  constructor(isTls = false) {
    const authority = testAuthority()
    this.trusted = { ca: [authority.certificate] }
    const serve = (socket: Socket) => this.#serve(socket)
    this.#server = isTls ? createTlsServer(authority.server(), serve) : createServer(serve)
    this.#server.on('connection', (socket: Socket) => {
      this.connections++
      this.#sockets.add(socket)
    })
    this.#server.on('tlsClientError', () => {})
  }

  readonly failures = {
    'a broken connection': () => this.#break((socket) => socket.resetAndDestroy()),
    'a connection that breaks while it is read': () =>
      this.#break((socket) => socket.once('data', () => socket.resetAndDestroy())),
  }

  hang(arrived: () => void): void {
    this.#hangs = arrived
  }

  async listen(): Promise<this> {
    await listening(this.#server)
    return this
  }

  get url(): string {
    return `tcp://127.0.0.1:${portOf(this.#server)}`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (this.#server.listening) await new Promise<void>((resolve) => void this.#server.close(() => resolve()))
  }

  #break(meet: (socket: Socket) => void): void {
    // Node 20 may crash if a connection is destroyed under a TLS server, so that server does not get to see it.
    this.#server.removeAllListeners('connection').on('connection', (socket: Socket) => {
      socket.on('error', () => {})
      meet(socket)
    })
  }

  #serve(socket: Socket): void {
    socket.on('error', () => {})
    if (this.#hangs) {
      this.#hangs()
      return
    }
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('end', () => {
      let rest = Buffer.concat(chunks)
      while (rest.length > 0) {
        const blank = rest.indexOf(' ')
        const end = blank + 1 + Number(rest.subarray(0, blank).toString())
        this.received.push(rest.subarray(blank + 1, end).toString())
        rest = rest.subarray(end)
      }
      socket.end()
    })
  }
}

/** A file in a folder of its own. */
export class FileSide implements OtherSide {
  readonly #folder = mkdtempSync(join(tmpdir(), 'caracal-file-'))
  readonly url = join(this.#folder, 'alerts.ndjson')
  readonly connections = 0

  get received(): readonly string[] {
    return readFileSync(this.url, 'utf8').split('\n')
  }

  readonly failures = {
    'a folder in its place': () => {
      rmSync(this.url, { force: true })
      mkdirSync(this.url)
    },
    'no folder': () => rmSync(this.#folder, { recursive: true, force: true }),
  }

  hang(): void {}

  async close(): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
