import { connect, createServer, type Server, type Socket } from 'node:net'

/** What to do with a message to the server: `lose` it, or pass it on and lose its `answer`. Either way both connections are cut. */
export type Cut = 'lose' | 'answer'

/** Stands between a client and a server, and cuts a connection when the client sends a certain text. */
export class CutProxy {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #next: { readonly text: string; readonly cut: Cut; readonly onCut: () => void } | undefined

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  static async start(toPort: number): Promise<CutProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const proxy = new CutProxy(server, (server.address() as { port: number }).port)
    server.on('connection', (client) => proxy.#join(client, connect(toPort, '127.0.0.1')))
    return proxy
  }

  /** Cuts the connection on which this text is sent next. Resolves when that has happened. */
  cutAt(text: string, cut: Cut): Promise<void> {
    return new Promise((onCut) => (this.#next = { text, cut, onCut }))
  }

  /** Takes a cut back that has not happened, whose promise resolves all the same. */
  calm(): void {
    this.#next?.onCut()
    this.#next = undefined
  }

  /** Cuts every connection. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.cutAll()
    this.#server.close()
  }

  #join(client: Socket, upstream: Socket): void {
    let awaited: Socket | undefined
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        this.#sockets.delete(one)
        if (other !== awaited) other.destroy()
      })
    }
    upstream.on('data', (bytes) => {
      if (awaited) upstream.destroy()
      else client.write(bytes)
    })
    client.on('data', (bytes) => {
      const next = this.#next
      if (!next || !bytes.includes(next.text)) return void upstream.write(bytes)
      this.#next = undefined
      if (next.cut === 'answer') {
        // Stays until the answer is there: a connection that is reset takes with it what the server has not read yet.
        awaited = upstream
        upstream.write(bytes)
      }
      client.destroy()
      next.onCut()
    })
  }
}
