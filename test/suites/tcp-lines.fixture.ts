import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { z } from 'zod'
import { decodeText } from '../../src/stages/source/decoders/decode.ts'
import { defineSource, type Intake, type IntakeDeps, sourceBase } from '../../src/stages/source/source.ts'
import { RetryLater } from '../../src/util/errors.ts'

const config = z.object({ ...sourceBase, port: z.int().default(0).describe('Port on 127.0.0.1; 0: any.') })

/** A source for tests with its own socket: lines in; `ok N` when N records are on disk, `again` if there is no room. */
export const tcpLines = defineSource({
  type: 'tcp-lines',
  summary: 'Takes lines over TCP, for tests only.',
  config,
  example: { id: 'tcp' },
  async pushes({ port }, deps) {
    const intake = new TcpIntake(deps)
    await intake.begin(port)
    return intake
  },
})

export class TcpIntake implements Intake {
  readonly #deps: IntakeDeps
  readonly #sockets = new Set<Socket>()
  readonly #working = new Set<Promise<void>>()
  readonly #server = createServer((socket) => {
    const work = this.#serve(socket).finally(() => {
      this.#sockets.delete(socket)
      this.#working.delete(work)
    })
    this.#sockets.add(socket)
    this.#working.add(work)
  })

  constructor(deps: IntakeDeps) {
    this.#deps = deps
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async begin(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#working)
  }

  async #serve(socket: Socket): Promise<void> {
    let held = Buffer.alloc(0)
    try {
      for await (const piece of socket as AsyncIterable<Buffer>) {
        held = Buffer.concat([held, piece])
        const { end, count } = decodeText(held)
        if (count === 0) continue
        const body = Buffer.from(held.subarray(0, end))
        held = held.subarray(end)
        socket.write(await this.#take(body, count))
      }
    } catch {
      // The sender has gone, or the source is being closed.
    }
  }

  async #take(body: Buffer, count: number): Promise<string> {
    try {
      await this.#deps.append(body, { decoding: 'lines', receivedMs: this.#deps.now() })
      return `ok ${count}\n`
    } catch (error) {
      return error instanceof RetryLater ? 'again\n' : 'failed\n'
    }
  }
}
