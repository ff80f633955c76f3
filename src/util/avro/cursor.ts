/** Reads the binary encoding of Avro. Throws an error that says at which byte it breaks off. */
export class AvroCursor {
  readonly bytes: Buffer
  at = 0
  /** Values that may still be read. */
  left: number
  /** The same for values that take no bytes. */
  emptyLeft: number

  constructor(bytes: Buffer, left: number, emptyLeft = 0) {
    this.bytes = bytes
    this.left = left
    this.emptyLeft = emptyLeft
  }

  take(length: number): Buffer {
    if (!(length >= 0 && this.at + length <= this.bytes.length))
      throw new Error(`it breaks off at byte ${this.at} of the file or of a block`)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  /** An integer of up to 64 bits, zigzag and in groups of 7 bits. */
  long(): number | bigint {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.take(1)[0]!
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
    }
    let all = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.take(1)[0]!
      all |= BigInt(byte & 0x7f) << shift
      if (byte >= 0x80) continue
      const value = BigInt.asIntN(64, (all >> 1n) ^ -(all & 1n))
      const number = Number(value)
      return Number.isSafeInteger(number) ? number : value
    }
    throw new Error(`an integer at byte ${this.at} of a block has more than 64 bits`)
  }

  /** A length or a number of elements. */
  count(): number {
    const count = this.long()
    if (typeof count === 'bigint') throw new Error(`a length at byte ${this.at} of a block is impossible`)
    return count
  }

  /** Bytes after their length. */
  prefixed(): Buffer {
    return this.take(this.count())
  }
}
