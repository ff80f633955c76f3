import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { Encoding } from '../../util/encoding.ts'
import { messageOf, RetryLater } from '../../util/errors.ts'
import { inTime, pause } from '../../util/pause.ts'
import { BrokenPacking } from '../../util/unpack/byte-input.ts'
import { plainText } from '../../util/unpack/plain.ts'
import { PART } from '../../util/unpack/unpacked.ts'
import { cutOff } from './decoders/decode.ts'
import type { TextState } from './decoders/text-walk.ts'
import { HeldBytes } from './line-stream.ts'
import { defineSource, type Intake, type IntakeDeps, sourceBase } from './source.ts'
import { streamKeys, streamParameters } from './stream-keys.ts'

const config = z.object({
  ...sourceBase,
  ...streamKeys,
  idle_ms: z
    .int()
    .min(0)
    .default(2000)
    .describe('With `multiline`: milliseconds without input after which the last record is taken as complete.'),
})

/** Lines, or JSON values, on standard input: `tail -F access.log | caracal up`. */
export const stdin = defineSource({
  type: 'stdin',
  summary: 'Reads lines and JSON values from standard input.',
  config,
  example: { id: 'pipe' },
  pushes: (settings, deps) => new StdinIntake(process.stdin, deps, optionsOf(settings)),
})

export interface StdinOptions {
  /** Parameters of how its text is split. */
  readonly split?: string
  readonly encoding?: Encoding | undefined
  /** After this time without input, lines that are held are a complete record, milliseconds. Default: never. */
  readonly idleMs?: number | undefined
}

function optionsOf(settings: z.output<typeof config>): StdinOptions {
  const { encoding, multiline, idle_ms } = settings
  return { split: streamParameters(settings), encoding, idleMs: multiline && idle_ms }
}

/** A longer record is cut, and the rest becomes a separate record. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024
const RETRY_MS = 500

/** Appends a stream's complete records to the spool; stops reading while the spool is full, so that the writer's pipe fills up. */
export class StdinIntake implements Intake {
  readonly #stream: Readable
  readonly #deps: IntakeDeps
  readonly #done: Promise<void>
  readonly #split: string
  readonly #options: StdinOptions
  /** Read but not yet in the spool: the beginning of a record. */
  #held: HeldBytes
  #isStart = true
  #nulBytes = 0
  readonly #stopping = new AbortController()

  constructor(stream: Readable, deps: IntakeDeps, options: StdinOptions = {}) {
    const { split = '' } = options
    this.#options = options
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
      const pieces = plainText(this.#stream as AsyncIterable<Buffer>, this.#options.encoding)
      for (let next = pieces.next(); ; next = pieces.next()) {
        const { value, done } = await this.#orIdle(next)
        if (done) break
        if (value === PART) await this.#begin()
        else await this.#take(value)
      }
    } catch (error) {
      if (error instanceof BrokenPacking) await this.#broken(error.message)
      else if (!this.#stopping.signal.aborted) process.emitWarning(`Reading standard input failed: ${messageOf(error)}`)
    }
    await this.#take(Buffer.alloc(0), true)
    if (this.#nulBytes > 0) process.emitWarning(`Standard input: ${this.#nulBytes} NUL bytes between records were skipped`)
  }

  /** Waits for the next piece. If that takes too long, whole lines that are held are a record. */
  async #orIdle<T>(next: Promise<T>): Promise<T> {
    const { idleMs } = this.#options
    if (idleMs === undefined || this.#held.length === 0) return next
    // Its rejection is awaited below.
    next.catch(() => {})
    if (
      (await inTime(
        next.then(() => true),
        Math.max(1, idleMs),
      )) === undefined &&
      this.#held.endsLine
    )
      await this.#take(Buffer.alloc(0), true)
    return next
  }

  /** A member of an archive begins: it is read as if it were alone. */
  async #begin(): Promise<void> {
    await this.#take(Buffer.alloc(0), true)
    this.#held = new HeldBytes(this.#split)
    this.#isStart = true
  }

  /** Compressed data cannot be read further: what is held becomes a dead letter. */
  async #broken(why: string): Promise<void> {
    process.emitWarning(`Standard input is compressed and cannot be read further (${why})`)
    const bytes = this.#held.take()
    await this.#store(bytes, cutOff(why))
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

  #append(bytes: Buffer, state: TextState): Promise<void> {
    return this.#store(bytes, this.#split === '' ? state : `${state}?${this.#split}`)
  }

  /** Retries until the spool has accepted it. After a stop, it tries once more; if that fails, the bytes are lost and a warning says so. */
  async #store(bytes: Buffer, decoding: string): Promise<void> {
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
