import type { Readable } from 'node:stream'
import { z } from 'zod'
import { messageOf, RetryLater } from '../../util/errors.ts'
import { defineSource, type Intake, type IntakeDeps, sourceBase } from './source.ts'

const config = z.object({ ...sourceBase })

/** Lines on standard input: `tail -F access.log | caracal up`. */
export const stdin = defineSource({
  type: 'stdin',
  summary: 'Takes lines from standard input.',
  config,
  example: { id: 'pipe' },
  listen: (_settings, deps) => new StdinIntake(process.stdin, deps),
})

/** A line that is longer than this is cut: what is left of it is a record of its own. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024
const RETRY_MS = 500

/** Reads a stream and appends its whole lines; stops reading while the spool cannot take more (the writer's pipe fills up). */
export class StdinIntake implements Intake {
  readonly #stream: Readable
  readonly #deps: IntakeDeps
  readonly #done: Promise<void>
  /** Read and not yet in the spool: the beginning of a line. */
  #pending: Buffer[] = []
  #pendingBytes = 0
  readonly #stopping = new AbortController()

  constructor(stream: Readable, deps: IntakeDeps) {
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
      if (!this.#stopping.signal.aborted) process.emitWarning(`Standard input broke off: ${messageOf(error)}`)
    }
    if (this.#pendingBytes > 0) await this.#append(this.#cut())
  }

  async #take(chunk: Buffer): Promise<void> {
    const whole = chunk.lastIndexOf(10) + 1
    if (whole > 0) {
      this.#keep(chunk.subarray(0, whole))
      await this.#append(this.#cut())
      this.#keep(chunk.subarray(whole))
    } else {
      this.#keep(chunk)
      if (this.#pendingBytes >= MAX_PENDING_BYTES) await this.#append(this.#cut())
    }
  }

  #keep(bytes: Buffer): void {
    if (bytes.length > 0) this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
  }

  #cut(): Buffer {
    const bytes = Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    return bytes
  }

  /** Tries until the spool has it. When told to stop it tries once more: then the bytes are lost, and that is said. */
  async #append(bytes: Buffer): Promise<void> {
    const { signal } = this.#stopping
    for (;;) {
      const isLast = signal.aborted
      try {
        // A copy, because the bytes may be moved to another thread.
        return await this.#deps.append('lines', Buffer.from(bytes), this.#deps.now())
      } catch (error) {
        if (isLast) {
          process.emitWarning(`${bytes.length} bytes of standard input could not be kept at the stop: ${messageOf(error)}`)
          return
        }
        await pause(error instanceof RetryLater ? (error.afterMs ?? RETRY_MS) : RETRY_MS, signal)
      }
    }
  }
}

/** Waits, at most until the signal. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
