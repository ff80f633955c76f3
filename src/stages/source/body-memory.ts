/** An account of the bytes of all bodies that are being read at the same time. A body costs what has arrived of it. */
export class BodyMemory {
  readonly #maxBytes: number
  #taken = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** False when these bytes would exceed the limit; then nothing is taken. */
  take(bytes: number): boolean {
    if (this.#taken + bytes > this.#maxBytes) return false
    this.#taken += bytes
    return true
  }

  release(bytes: number): void {
    this.#taken -= bytes
  }
}
