/** Compressed data is damaged, cut off or not readable for another reason, which the message gives. */
export class BrokenPacking extends Error {}

/** What each portion taken counts as, so that a file of portions without content has an end. */
const TAKE_WORK = 1024

const NOTHING: Buffer = Buffer.alloc(0)

/** Bytes that arrive in pieces, read in portions of any size. */
export class ByteInput {
  readonly #more: () => Promise<Buffer | undefined>
  #held: Buffer = NOTHING
  #isOver = false
  /** Number of bytes taken. */
  position = 0
  /**
   * Accounts for work that yields little or no content, as bytes of content that take as long. Throws `BrokenPacking` if it is too much;
   * a promise is to be awaited, so that others get a turn.
   */
  spend: (bytes: number) => Promise<void> | undefined = () => undefined

  /** `more` resolves with the next piece, and with `undefined` at the end. */
  constructor(more: () => Promise<Buffer | undefined>) {
    this.#more = more
  }

  /** Takes whatever is next, at least one byte; `undefined` at the end. */
  async some(): Promise<Buffer | undefined> {
    while (this.#held.length === 0 && (await this.#grow()));
    return this.#held.length === 0 ? undefined : this.#cut(this.#held.length)
  }

  /** The next bytes, which stay; fewer than `length` only at the end. */
  async peek(length: number): Promise<Buffer> {
    if (this.#held.length < length && !this.#isOver) {
      const parts = [this.#held]
      let have = this.#held.length
      while (have < length && (await this.#grow())) {
        parts.push(this.#held)
        have += this.#held.length
      }
      this.#held = Buffer.concat(parts)
    }
    return this.#held.subarray(0, length)
  }

  /** Takes exactly this many bytes. Rejects with `BrokenPacking` if there are fewer. */
  async take(length: number): Promise<Buffer> {
    const turn = this.spend(TAKE_WORK)
    if (turn) await turn
    if ((await this.peek(length)).length < length) throw new BrokenPacking('unexpected end of file')
    return this.#cut(length)
  }

  /** Puts bytes back that were taken last. */
  back(bytes: Buffer): void {
    this.position -= bytes.length
    this.#held = Buffer.concat([bytes, this.#held])
  }

  #cut(length: number): Buffer {
    const bytes = this.#held.subarray(0, length)
    this.#held = this.#held.subarray(length)
    this.position += length
    return bytes
  }

  /** Replaces what is held by the next piece. False at the end. */
  async #grow(): Promise<boolean> {
    const piece = this.#isOver ? undefined : await this.#more()
    this.#isOver ||= piece === undefined
    this.#held = piece ?? NOTHING
    return piece !== undefined
  }
}
