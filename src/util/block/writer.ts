/**
 * A block: finished rows of one table in binary, column by column. The outbox stores blocks, and a lake's own column format is built from
 * them.
 *
 * Layout, little-endian: byte 1, u32 rows, u32 columns, then each column as a form byte (`FORM`), u32 length, and its bytes: the null
 * map, if the form has one, with one byte per row; then the values. A value is 2, 4 or 8 bytes depending on its kind, a text is its
 * length (LEB128) and its UTF-8, and lists are first the number of texts in each row (u32 per row), then all texts.
 */
export const BLOCK_VERSION = 1

/** How a column's values are laid out in a block. */
export const FORM = {
  /** No row has a value; no bytes. */
  none: 0,
  /** All rows have the one value that follows. */
  same: 1,
  /** A value for each row. */
  each: 2,
  /** A null map, then a value for each row. */
  eachOrNull: 3,
} as const

/** A block that exceeds this size is abandoned: the caller splits its rows into two. */
export const MAX_BLOCK_BYTES = 8 * 1024 * 1024

export class BlockTooLarge extends Error {}

/** Values that do not fit their columns, by row. */
export class UnfitRows extends Error {
  readonly rows: ReadonlyMap<number, string>

  constructor(rows: ReadonlyMap<number, string>) {
    super([...rows.values()][0] ?? 'a row does not fit its table')
    this.rows = rows
  }
}

/** The last block's buffer, reused because allocating memory costs as much as filling it. */
let scratch: Buffer | undefined
const FIRST_SCRATCH_BYTES = 64 * 1024
/** Larger buffers are not reused. */
const MAX_SCRATCH_BYTES = 2 * 1024 * 1024

/** Writes one block, column by column. */
export class BlockWriter {
  readonly rows: number
  readonly #maxBytes: number
  #bytes: Buffer
  #view: DataView
  #at = 9
  #columns = 0
  #start = 0
  readonly #unfit = new Map<number, string>()

  constructor(rows: number, maxBytes = Number.POSITIVE_INFINITY) {
    this.rows = rows
    this.#maxBytes = maxBytes
    this.#bytes = scratch ?? Buffer.allocUnsafeSlow(FIRST_SCRATCH_BYTES)
    this.#view = viewOf(this.#bytes)
    scratch = undefined
  }

  /** Begins the next column. */
  begin(form: number): void {
    this.#room(5)
    this.#bytes[this.#at] = form
    this.#at += 5
    this.#start = this.#at
  }

  /** Ends the column. */
  end(): void {
    this.#view.setUint32(this.#start - 4, this.#at - this.#start, true)
    this.#columns++
  }

  /** Adds the column's null map. */
  nulls(values: readonly unknown[]): void {
    const rows = this.rows
    this.#room(rows)
    for (let i = 0; i < rows; i++) this.#bytes[this.#at + i] = values[i] === null || values[i] === undefined ? 1 : 0
    this.#at += rows
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = value
  }

  int16(value: number): void {
    this.#room(2)
    this.#view.setInt16(this.#at, value, true)
    this.#at += 2
  }

  int32(value: number): void {
    this.#room(4)
    this.#view.setInt32(this.#at, value, true)
    this.#at += 4
  }

  float64(value: number): void {
    this.#room(8)
    this.#view.setFloat64(this.#at, value, true)
    this.#at += 8
  }

  /** 64 bits as two halves. */
  halves(low: number, high: number): void {
    this.#room(8)
    this.#view.setUint32(this.#at, low, true)
    this.#view.setInt32(this.#at + 4, high, true)
    this.#at += 8
  }

  int64(value: bigint): void {
    this.#room(8)
    this.#view.setBigInt64(this.#at, value, true)
    this.#at += 8
  }

  /** Returns false, with nothing useful written, for text that is not valid Unicode. */
  text(value: string): boolean {
    const { length } = value
    this.#room(10 + 3 * length)
    const bytes = this.#bytes
    const at = this.#at
    if (length < SHORT) {
      for (let i = 0; i < length; i++) {
        const unit = value.charCodeAt(i)
        if (unit > 0x7f) return this.#longText(value)
        bytes[at + 1 + i] = unit
      }
      bytes[at] = length
      this.#at = at + 1 + length
      return true
    }
    return this.#longText(value)
  }

  /** Marks the row's value as impossible to store. */
  unfit(row: number, message: string): void {
    if (!this.#unfit.has(row)) this.#unfit.set(row, message)
  }

  /** Finishes and returns the block. Throws `UnfitRows` if values could not be stored. */
  finish(): Uint8Array {
    if (this.#bytes.length <= MAX_SCRATCH_BYTES) scratch = this.#bytes
    if (this.#unfit.size > 0) throw new UnfitRows(this.#unfit)
    this.#bytes[0] = BLOCK_VERSION
    this.#view.setUint32(1, this.rows, true)
    this.#view.setUint32(5, this.#columns, true)
    const block = Buffer.allocUnsafeSlow(this.#at)
    block.set(this.#bytes.subarray(0, this.#at))
    return block
  }

  #longText(value: string): boolean {
    // The length in bytes is only known afterwards; its size is usually that of the length in characters.
    const guess = lengthBytes(value.length)
    const bytes = this.#bytes
    const written = bytes.write(value, this.#at + guess, 'utf8')
    if (written !== value.length && !value.isWellFormed()) return false
    const needed = lengthBytes(written)
    if (needed !== guess) bytes.copyWithin(this.#at + needed, this.#at + guess, this.#at + guess + written)
    let rest = written
    while (rest > 0x7f) {
      bytes[this.#at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[this.#at++] = rest
    this.#at += written
    return true
  }

  #room(bytes: number): void {
    if (this.#at + bytes > this.#bytes.length) this.#grow(bytes)
  }

  #grow(bytes: number): void {
    if (this.#at > this.#maxBytes) throw new BlockTooLarge()
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + bytes))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
    this.#view = viewOf(larger)
  }
}

/** Shorter texts, in characters, are copied by hand, which is faster than calling the runtime. */
const SHORT = 48

function lengthBytes(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : length < 0x1000_0000 ? 4 : 5
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
