import { msgpackHead } from './head.ts'

/** A value is larger than the limit. */
export class MsgpackTooLarge extends Error {
  readonly maxBytes: number

  constructor(maxBytes: number) {
    super(`a value has more than ${maxBytes} bytes`)
    this.maxBytes = maxBytes
  }
}

/** Splits a connection's bytes into MessagePack values. Linear in their number, however the values are split. */
export class MsgpackFrames {
  /** Maximum size of a value in bytes. */
  maxBytes: number
  #bytes: Buffer = Buffer.alloc(0)
  /** Where the value begins and how far it has been read, in `#bytes`. */
  #start = 0
  #at = 0
  #end = 0
  /** Values that are still to come before this one is complete. */
  #left = 1

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** Bytes of the value that is not complete yet. */
  get held(): number {
    return this.#end - this.#start
  }

  /**
   * The values that are complete with this piece. Their bytes are valid until the next call. Throws `MsgpackTooLarge` as soon as a
   * value says that it is larger than the limit, and `MalformedMsgpack`.
   */
  *push(piece: Buffer): Generator<Buffer, void> {
    this.#hold(piece)
    const bytes = this.#bytes.subarray(0, this.#end)
    while (this.#isComplete(bytes)) {
      const value = bytes.subarray(this.#start, this.#at)
      this.#start = this.#at
      yield value
    }
  }

  #hold(piece: Buffer): void {
    const { held } = this
    if (held === 0) {
      this.#bytes = piece
      this.#start = 0
      this.#at = 0
      this.#end = piece.length
      return
    }
    if (this.#end + piece.length > this.#bytes.length) this.#move(2 * (held + piece.length))
    piece.copy(this.#bytes, this.#end)
    this.#end += piece.length
  }

  #move(capacity: number): void {
    const bytes = Buffer.allocUnsafe(capacity)
    this.#bytes.copy(bytes, 0, this.#start, this.#end)
    this.#bytes = bytes
    this.#at -= this.#start
    this.#end -= this.#start
    this.#start = 0
  }

  #isComplete(bytes: Buffer): boolean {
    while (this.#left > 0) {
      const head = msgpackHead(bytes, this.#at)
      if (!head) return false
      const next = head.from + head.length
      const left = this.#left - 1 + head.inner
      // Each value has at least one byte.
      if (next - this.#start + left > this.maxBytes) throw new MsgpackTooLarge(this.maxBytes)
      if (next > bytes.length) return false
      this.#left = left
      this.#at = next
    }
    this.#left = 1
    return true
  }
}
