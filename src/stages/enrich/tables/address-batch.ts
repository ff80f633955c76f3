import { LONGEST_ADDRESS, parseIp, parseIpBytes } from '../../../model/ip.ts'

/**
 * Addresses read from many texts at once, for all tables that are asked for them. The texts are joined and written into bytes together: reading
 * the characters of one string after the other takes twice as long as that and parsing.
 */
export class AddressBatch {
  size = 0
  /** By number of the text: 4, 6, or 0 when it is not an address. */
  readonly families: Uint8Array
  /** Four words for each text: an IPv4 address in the first, an IPv6 address in all four. */
  readonly words: Uint32Array
  readonly #bytes: Buffer

  /** `capacity`: texts that are read at most at once. */
  constructor(capacity: number) {
    this.families = new Uint8Array(capacity)
    this.words = new Uint32Array(capacity * 4)
    // A character takes three bytes at most, and a byte ends each text.
    this.#bytes = Buffer.alloc(capacity * (LONGEST_ADDRESS * 3 + 1) + 1)
  }

  /** Reads the texts, in place of those read before. */
  read(texts: readonly string[]): void {
    this.size = texts.length
    const short = texts.some(isLong) ? texts.map((text) => (isLong(text) ? '' : text)) : texts
    const joined = short.join('\n')
    const written = this.#bytes.write(joined, 'utf8')
    this.#bytes[written] = END
    if (written === joined.length) this.#parse(short, this.#bytes)
    else this.#parseEach(short)
  }

  #parse(texts: readonly string[], bytes: Uint8Array): void {
    const { families, words } = this
    let start = 0
    for (let i = 0; i < texts.length; i++) {
      const end = start + texts[i]!.length
      families[i] = parseIpBytes(bytes, start, end, words, i * 4)
      start = end + 1
    }
  }

  /** A character beyond ASCII, so that places in the bytes are not those in the texts. */
  #parseEach(texts: readonly string[]): void {
    const own = new Uint32Array(4)
    for (const [i, text] of texts.entries()) {
      this.families[i] = parseIp(text, own)
      this.words.set(own, i * 4)
    }
  }
}

/** What stands after each text: a byte of no address. */
const END = 0x0a

function isLong(text: string): boolean {
  return text.length > LONGEST_ADDRESS
}
