import { createGunzip } from 'node:zlib'
import { messageOf } from '../../util/errors.ts'

/**
 * Gunzip fed by hand, one step at a time: `write` resolves when the step's output was given to `onBytes`.
 *
 * zlib's stream may end before its input does (zero padding behind the last member) and may fail in the middle; both
 * are states here, so that nobody waits for an event that has been.
 */
export class Inflater {
  readonly #gunzip
  #wake: () => void = () => {}
  #ended = false
  #fault: string | undefined

  constructor(onBytes: (chunk: Buffer) => void, chunkSize = 16 * 1024) {
    this.#gunzip = createGunzip({ chunkSize })
    this.#gunzip.on('data', onBytes)
    this.#gunzip.on('error', (error) => {
      this.#fault ??= messageOf(error)
      this.#wake()
    })
    this.#gunzip.on('end', () => {
      this.#ended = true
      this.#wake()
    })
    this.#gunzip.on('close', () => this.#wake())
  }

  /** The compressed data has come to its own end; what follows is padding. */
  get ended(): boolean {
    return this.#ended
  }

  /** Why the data is broken. */
  get fault(): string | undefined {
    return this.#fault
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#ended || this.#fault !== undefined) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      // One turn later, because an end within this step is told after the step.
      this.#gunzip.write(bytes, () => setImmediate(resolve))
    })
  }

  /** No input follows: afterwards either `ended` or `fault` is set. */
  async finish(): Promise<void> {
    if (this.#ended || this.#fault !== undefined) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#gunzip.end()
    })
  }

  destroy(): void {
    this.#gunzip.destroy()
  }
}
