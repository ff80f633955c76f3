/** Accounts for the memory of all bodies being read at the same time. Each counts with the bytes received so far. */
export class BodyMemory {
  readonly #maxBytes: number
  #taken = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Returns false, reserving nothing, if these bytes would exceed the limit. */
  take(bytes: number): boolean {
    if (this.#taken + bytes > this.#maxBytes) return false
    this.#taken += bytes
    return true
  }

  release(bytes: number): void {
    this.#taken -= bytes
  }
}
