import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'
import { messageOf } from '../errors.ts'

const ENGINES = {
  gzip: createGunzip,
  zlib: createInflate,
  'raw-deflate': createInflateRaw,
  br: createBrotliDecompress,
}

export interface InflaterOptions {
  /** Size of output pieces in bytes. */
  readonly chunkSize?: number
  /** Stops with `overflowed` once the output exceeds this. */
  readonly maxBytes?: number
  /** What follows the compressed data is the caller's: `unused` says how many of the bytes given that are. */
  readonly mayBeFollowed?: boolean
}

/**
 * A zlib decompressor controlled one step at a time: `write` resolves when the step's output has been passed to `onBytes`.
 *
 * zlib's stream may end before its input does (zero padding after the last gzip member) and may fail in the middle. Both are states here,
 * so that no caller waits for an event that has already fired.
 */
export class Inflater {
  readonly #engine
  readonly #maxBytes: number
  #wake: () => void = () => {}
  #ended = false
  #fault: string | undefined
  #given = 0
  #size = 0

  constructor(
    format: keyof typeof ENGINES,
    onBytes: (chunk: Buffer) => void,
    { chunkSize = 16 * 1024, maxBytes = Number.POSITIVE_INFINITY, mayBeFollowed = format === 'gzip' }: InflaterOptions = {},
  ) {
    this.#maxBytes = maxBytes
    this.#engine = ENGINES[format]({ chunkSize })
    this.#engine.on('data', (chunk: Buffer) => {
      this.#size += chunk.length
      // A few bytes of Brotli can expand to gigabytes, so the limit must hold within a step, too.
      if (this.overflowed) this.#engine.destroy()
      else onBytes(chunk)
    })
    this.#engine.on('error', (error) => {
      this.#fault ??= messageOf(error)
      this.#wake()
    })
    this.#engine.on('end', () => {
      this.#ended = true
      // Only gzip itself reports an error about data after the end.
      if (this.unused > 0 && !mayBeFollowed) this.#fault ??= 'something follows the compressed data'
      this.#wake()
    })
    this.#engine.on('close', () => this.#wake())
  }

  /** The compressed data has ended; anything that follows is padding. */
  get ended(): boolean {
    return this.#ended
  }

  /** Number of bytes given that come after the end of the compressed data. */
  get unused(): number {
    return this.#given - this.#engine.bytesWritten
  }

  /** Why the data is broken. */
  get fault(): string | undefined {
    return this.#fault
  }

  /** The output exceeded the limit; no more will come. */
  get overflowed(): boolean {
    return this.#size > this.#maxBytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#ended || this.#fault !== undefined || this.overflowed) return
    this.#given += bytes.length
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      // One turn later, because an end within this step is reported after the step.
      this.#engine.write(bytes, () => setImmediate(resolve))
    })
  }

  /** No input follows: afterwards `ended`, `fault` or `overflowed` is set. */
  async finish(): Promise<void> {
    if (this.#ended || this.#fault !== undefined || this.overflowed) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#engine.end()
    })
  }

  destroy(): void {
    this.#engine.destroy()
  }
}
