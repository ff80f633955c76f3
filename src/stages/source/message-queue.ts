import { appendUntilTaken } from './append.ts'
import type { IntakeDeps } from './source.ts'

/** A body for the spool is closed at this size or number of messages. */
const BODY_BYTES = 1024 * 1024
const BODY_MESSAGES = 10_000
/** While more than this waits, senders have to wait too. */
const FULL_BYTES = 16 * 1024 * 1024

/** Messages of all connections of a source on their way to the spool, in one body where they wait at the same time. */
export class MessageQueue {
  readonly #deps: Pick<IntakeDeps, 'append' | 'now'>
  readonly #decoding: string
  readonly #stopping = new AbortController()
  #waiting: { readonly bytes: Buffer; readonly receivedMs: number }[] = []
  #waitingBytes = 0
  #working: Promise<void> | undefined
  #onRoom: (() => void)[] = []
  /** Why the spool does not take messages at the moment. */
  problem: string | undefined

  constructor(deps: Pick<IntakeDeps, 'append' | 'now'>, decoding: string) {
    this.#deps = deps
    this.#decoding = decoding
  }

  get isFull(): boolean {
    return this.#waitingBytes >= FULL_BYTES
  }

  add(bytes: Buffer): void {
    this.#waiting.push({ bytes, receivedMs: this.#deps.now() })
    this.#waitingBytes += bytes.length
    this.#working ??= this.#work()
  }

  /** Resolves when messages may be added again; at once while the queue is not full, and when it stops. */
  async room(): Promise<void> {
    if (this.isFull && !this.#stopping.signal.aborted) await new Promise<void>((resolve) => this.#onRoom.push(resolve))
  }

  /** Nobody waits for room any more. What the spool refuses from now on is lost, and a warning says so. */
  stop(): void {
    this.#stopping.abort()
    for (const resolve of this.#onRoom.splice(0)) resolve()
  }

  /** Puts what waits into the spool. */
  async close(): Promise<void> {
    this.stop()
    await this.#working
  }

  async #work(): Promise<void> {
    // Messages that arrive together share an fsync.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const body = this.#nextBody()
      await this.#append(Buffer.concat(body.map(({ bytes }) => bytes)), body[0]!.receivedMs)
      for (const { bytes } of body) this.#waitingBytes -= bytes.length
      if (!this.isFull) for (const resolve of this.#onRoom.splice(0)) resolve()
    }
    this.#working = undefined
  }

  #nextBody() {
    let size = 0
    let count = 0
    while (count < this.#waiting.length && count < BODY_MESSAGES && size < BODY_BYTES)
      size += this.#waiting[count++]!.bytes.length
    return this.#waiting.splice(0, count)
  }

  #append(body: Buffer, receivedMs: number): Promise<void> {
    const onProblem = (problem: string | undefined) => {
      this.problem = problem
    }
    const entry = { decoding: this.#decoding, receivedMs }
    return appendUntilTaken(this.#deps.append, body, entry, { signal: this.#stopping.signal, onProblem, what: 'messages' })
  }
}
