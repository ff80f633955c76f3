import { BrokenPacking } from './byte-input.ts'

/** Reads bits of a buffer, the most significant first. Throws `BrokenPacking` beyond its end. */
export class Bits {
  readonly #bytes: Buffer
  #at = 0
  #word = 0
  #have = 0

  constructor(bytes: Buffer, bit: number) {
    this.#bytes = bytes
    this.#at = bit >> 3
    if (bit & 7) this.read(bit & 7)
  }

  /** The position in bits. */
  get position(): number {
    return this.#at * 8 - this.#have
  }

  /** The next `count` bits as a number, at most 24. */
  read(count: number): number {
    while (this.#have < count) {
      if (this.#at >= this.#bytes.length) throw new BrokenPacking('unexpected end of file')
      this.#word = ((this.#word << 8) | this.#bytes[this.#at++]!) & 0x7fffffff
      this.#have += 8
    }
    this.#have -= count
    return (this.#word >>> this.#have) & ((1 << count) - 1)
  }
}
