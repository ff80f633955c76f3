import type { Bits } from './bits.ts'
import { BrokenPacking } from './byte-input.ts'

const MAX_LENGTH = 20

/** A canonical Huffman code: shorter codes come first, and those of the same length ascend with their symbols. */
export class HuffmanTable {
  /** By length: the last code, where the codes begin among the symbols, and the difference between both. */
  readonly #limit = new Int32Array(MAX_LENGTH + 2).fill(-1)
  readonly #base = new Int32Array(MAX_LENGTH + 2)
  readonly #symbols: Uint16Array
  readonly #shortest: number

  /** `lengths`: the length of each symbol's code, 1 to 20. */
  constructor(lengths: Uint8Array) {
    this.#symbols = new Uint16Array(lengths.length)
    this.#shortest = Math.min(...lengths)
    let code = 0
    let at = 0
    for (let length = 1; length <= MAX_LENGTH; length++) {
      this.#base[length] = at - code
      for (let symbol = 0; symbol < lengths.length; symbol++)
        if (lengths[symbol] === length) {
          this.#symbols[at++] = symbol
          code++
        }
      this.#limit[length] = code - 1
      code <<= 1
    }
  }

  /** The next symbol. Throws `BrokenPacking` if no code fits. */
  next(bits: Bits): number {
    let code = bits.read(this.#shortest)
    for (let length = this.#shortest; ; length++) {
      const symbol = code + this.#base[length]!
      if (code <= this.#limit[length]! && symbol >= 0) return this.#symbols[symbol] ?? broken()
      if (length === MAX_LENGTH) return broken()
      code = (code << 1) | bits.read(1)
    }
  }
}

function broken(): never {
  throw new BrokenPacking('a block has a code that is in no table')
}
