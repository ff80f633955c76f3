import type { Readable } from 'node:stream'
import { z } from 'zod'
import { messageOf, RetryLater } from '../../util/errors.ts'
import { pause } from '../../util/pause.ts'
import type { TextState } from './decoders/text-walk.ts'
import { HeldBytes } from './line-stream.ts'
import { defineSource, type Intake, type IntakeDeps, sourceBase } from './source.ts'
import { streamKeys, streamParameters } from './stream-keys.ts'

const config = z.object({ ...sourceBase, ...streamKeys })

/** Lines, or JSON values, on standard input: `tail -F access.log | caracal up`. */
export const stdin = defineSource({
  type: 'stdin',
  summary: 'Reads lines and JSON values from standard input.',
  config,
  example: { id: 'pipe' },
  pushes: (settings, deps) => new StdinIntake(process.stdin, deps, streamParameters(settings)),
})

/** A longer record is cut, and the rest becomes a separate record. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024
const RETRY_MS = 500

/** Appends a stream's complete records to the spool; stops reading while the spool is full, so that the writer's pipe fills up. */
export class StdinIntake implements Intake {
  readonly #stream: Readable
  readonly #deps: IntakeDeps
  readonly #done: Promise<void>
  readonly #split: string
  /** Read but not yet in the spool: the beginning of a record. */
  readonly #held: HeldBytes
  #isStart = true
  #nulBytes = 0
  readonly #stopping = new AbortController()

  /** `split`: parameters of how its text is split. */
  constructor(stream: Readable, deps: IntakeDeps, split = '') {
    this.#split = split
    this.#held = new HeldBytes(split)
    this.#stream = stream
    this.#deps = deps
    this.#done = this.#run()
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    this.#stream.destroy()
    await this.#done
  }

  async #run(): Promise<void> {
    try {
      for await (const chunk of this.#stream as AsyncIterable<Buffer>) await this.#take(chunk)
    } catch (error) {
      if (!this.#stopping.signal.aborted) process.emitWarning(`Reading standard input failed: ${messageOf(error)}`)
    }
    await this.#take(Buffer.alloc(0), true)
    if (this.#nulBytes > 0) process.emitWarning(`Standard input: ${this.#nulBytes} NUL bytes between records were skipped`)
  }

  async #take(piece: Buffer, final = false): Promise<void> {
    const framed = this.#held.frame(piece, { isStart: this.#isStart, final })
    if (framed && framed.bytes.length > 0) {
      this.#isStart = false
      this.#nulBytes += framed.nulBytes
      if (framed.nulBytes < framed.bytes.length) await this.#append(framed.bytes, framed.state)
    }
    const { state } = this.#held
    if (this.#held.length >= MAX_PENDING_BYTES) await this.#append(this.#held.take(), state)
  }

  /** Retries until the spool has accepted it. After a stop, it tries once more; if that fails, the bytes are lost and a warning says so. */
  async #append(bytes: Buffer, state: TextState): Promise<void> {
    const decoding = this.#split === '' ? state : `${state}?${this.#split}`
    const { signal } = this.#stopping
    for (;;) {
      const isLast = signal.aborted
      try {
        // A copy, because the bytes may be transferred to another thread.
        return await this.#deps.append(Buffer.from(bytes), { decoding, receivedMs: this.#deps.now() })
      } catch (error) {
        if (isLast) {
          process.emitWarning(`${bytes.length} bytes of standard input could not be saved on shutdown: ${messageOf(error)}`)
          return
        }
        await pause(error instanceof RetryLater ? (error.afterMs ?? RETRY_MS) : RETRY_MS, signal)
      }
    }
  }
}
