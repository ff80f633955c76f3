import type { Duplex } from 'node:stream'
import type { MessageConnection } from '../../util/rpc.ts'
import { fromWire, toWire } from '../../util/wire.ts'

/** Milliseconds between two signs of life. */
const BEAT_MS = 1000
/**
 * The other side is taken for dead after this many beats without a byte. Counted rather than timed: a process that was itself stopped, or busy,
 * reads what has arrived meanwhile before it counts on.
 */
const SILENT_BEATS = 6
const LENGTH_BYTES = 4
/** A larger message is refused by the sender: it is more than a table may have. */
const MAX_BYTES = 2 ** 31 - 1
/** A message without content: the other side lives. */
const BEAT = Buffer.alloc(LENGTH_BYTES)

export interface FramedSocketOptions {
  /** Bytes that were read already. */
  readonly head?: Buffer
  readonly beatMs?: number
}

/** Messages over a connection between two processes that know each other. Each message is its length and its bytes. */
export class FramedSocket implements MessageConnection {
  /** Resolves with the reason once the connection has ended. */
  readonly closed: Promise<Error>
  readonly #socket: Duplex
  readonly #timer: NodeJS.Timeout
  #listener: ((message: never) => void) | undefined
  #pieces: Buffer[] = []
  #length = 0
  #silentBeats = 0
  #end!: (error: Error) => void

  constructor(socket: Duplex, { head, beatMs = BEAT_MS }: FramedSocketOptions = {}) {
    this.#socket = socket
    this.closed = new Promise((resolve) => {
      this.#end = resolve
    })
    socket.on('data', (piece: Buffer) => this.#read(piece))
    socket.on('error', (error) => this.close(error))
    socket.on('close', () => this.close(new Error('the connection was closed')))
    this.#timer = setInterval(() => this.#beat(beatMs), beatMs)
    if (head && head.length > 0) socket.unshift(head)
  }

  on(_event: 'message', listener: (message: never) => void): void {
    this.#listener = listener
  }

  postMessage(message: unknown): void {
    const bytes = toWire(message)
    if (bytes.length > MAX_BYTES) throw new RangeError(`a message of ${bytes.length} bytes is too large for another node`)
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32BE(bytes.length)
    this.#socket.cork()
    this.#socket.write(length)
    this.#socket.write(bytes)
    this.#socket.uncork()
  }

  close(error: Error): void {
    clearInterval(this.#timer)
    this.#socket.destroy()
    this.#end(error)
  }

  #beat(beatMs: number): void {
    if (++this.#silentBeats > SILENT_BEATS)
      this.close(new Error(`nothing was heard for ${Math.round((SILENT_BEATS * beatMs) / 1000)} seconds`))
    else this.#socket.write(BEAT)
  }

  #read(piece: Buffer): void {
    this.#silentBeats = 0
    this.#pieces.push(piece)
    this.#length += piece.length
    try {
      for (let message = this.#next(); message; message = this.#next()) {
        if (message.length > 0) this.#listener?.(fromWire(message) as never)
      }
    } catch (error) {
      this.close(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** The next complete message; `undefined`: some of it is still missing. */
  #next(): Buffer | undefined {
    if (this.#length < LENGTH_BYTES) return undefined
    if (this.#pieces[0]!.length < LENGTH_BYTES) this.#pieces = [Buffer.concat(this.#pieces)]
    const end = LENGTH_BYTES + this.#pieces[0]!.readUInt32BE()
    if (this.#length < end) return undefined
    const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
    this.#pieces = all.length > end ? [all.subarray(end)] : []
    this.#length -= end
    return all.subarray(LENGTH_BYTES, end)
  }
}
