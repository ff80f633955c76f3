import { LONGEST_ADDRESS, parseIp, parseIpBytes } from '../../../model/ip.ts'

/**
 * Addresses parsed from many texts at once, for all tables that look them up. The texts are joined and encoded together: reading one
 * string after the other by character takes twice as long as encoding and parsing.
 */
export class AddressBatch {
  size = 0
  /** For each text 4, 6, or 0 if it is not an address. */
  readonly families: Uint8Array
  /** Four words per text: an IPv4 address uses the first, an IPv6 address all four. */
  readonly words: Uint32Array
  readonly #bytes: Buffer

  /** `capacity`: maximum number of texts in a batch. */
  constructor(capacity: number) {
    this.families = new Uint8Array(capacity)
    this.words = new Uint32Array(capacity * 4)
    // A character takes at most three bytes, and one byte terminates each text.
    this.#bytes = Buffer.alloc(capacity * (LONGEST_ADDRESS * 3 + 1) + 1)
  }

  /** Parses the texts, replacing the previous ones. */
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

  /** A non-ASCII character, after which offsets in the bytes differ from those in the texts. */
  #parseEach(texts: readonly string[]): void {
    const own = new Uint32Array(4)
    for (const [i, text] of texts.entries()) {
      this.families[i] = parseIp(text, own)
      this.words.set(own, i * 4)
    }
  }
}

/** Terminates each text: a byte that no address contains. */
const END = 0x0a

function isLong(text: string): boolean {
  return text.length > LONGEST_ADDRESS
}
