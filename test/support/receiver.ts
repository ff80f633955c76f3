import { createServer, type Server } from 'node:http'

/**
 * A webhook receiver that fails about half of the attempts: it answers 500, cuts the connection before or after reading, or
 * says «come back later». It counts accepted deliveries by id.
 */
export class FlakyReceiver {
  /** Delivery id → times accepted. */
  readonly accepted = new Map<string, number>()
  /** Delivery id → the body as first accepted. */
  readonly bodies = new Map<string, Record<string, unknown>>()
  readonly #failures = new Map<string, number>()
  readonly #random: () => number
  #server: Server | undefined
  tries = 0
  changed = 0

  constructor(random: () => number) {
    this.#random = random
  }

  async listen(): Promise<number> {
    const server = createServer((request, response) => {
      const id = String(request.headers['caracal-delivery'])
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        this.tries++
        const failed = this.#failures.get(id) ?? 0
        // A delivery is abandoned after ten attempts: six failures in a row leave room for kills in between.
        if (failed < 6 && this.#random() < 0.5) {
          this.#failures.set(id, failed + 1)
          const way = this.#random()
          if (way < 0.4) response.writeHead(500).end()
          else if (way < 0.6) response.writeHead(429, { 'retry-after': '0' }).end()
          else request.socket.destroy()
          return
        }
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
        this.accepted.set(id, (this.accepted.get(id) ?? 0) + 1)
        const before = this.bodies.get(id)
        if (before && JSON.stringify(before) !== JSON.stringify(body)) this.changed++
        if (!before) this.bodies.set(id, body)
        response.writeHead(200).end()
      })
    })
    this.#server = server
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as { port: number }).port
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise((resolve) => this.#server?.close(resolve))
  }
}
