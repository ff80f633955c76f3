import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { type Encoding, recoded } from '../../util/encoding.ts'
import { BrokenPacking, ByteInput } from '../../util/unpack/byte-input.ts'
import type { Packing } from '../../util/unpack/packings.ts'
import { unpack } from '../../util/unpack/unpack.ts'
import { PART, type Unpacked } from '../../util/unpack/unpacked.ts'
import { type ByteReader, openFile, type ReadBytes } from './byte-reader.ts'

/** Compressed bytes decompressed at a time. The output for one step (of gzip at most about 1,000 times that) is held in memory. */
const COMPRESSED_STEP = 16 * 1024
/** Step size near broken data: whatever a failing step had decompressed is lost. */
const SMALL_STEP = 16

/**
 * A compressed file, read forward one step at a time, so that a bomb costs one step of memory.
 *
 * zlib is called directly: with a stream, Node discards decompressed data that is not yet read when the data turns out to be broken, and
 * the whole records before the break must be preserved.
 */
export class PackedReader implements ByteReader {
  readonly isPacked = true
  readonly isPlain = false
  readonly #path: string
  readonly #packing: Packing
  readonly #encoding: Encoding | undefined
  #file: FileHandle | undefined
  #pieces: AsyncGenerator<Unpacked> | undefined
  #position = 0
  /** Absolute offset of `#ahead[0]`. */
  #at = 0
  #ahead: Buffer = Buffer.alloc(0)
  /** Absolute offsets where members of an archive begin, from `#at` on. */
  #parts: number[] = []
  #ended = false
  #fault: string | undefined
  /** Compressed offset of the step that failed: from here on steps are small. */
  #brokenFrom = Number.POSITIVE_INFINITY

  constructor(path: string, packing: Packing, encoding?: Encoding) {
    this.#path = path
    this.#packing = packing
    this.#encoding = encoding
  }

  async read(from: number, length: number): Promise<ReadBytes> {
    for (;;) {
      const known = this.#brokenFrom
      const answer = await this.#readOnce(from, length)
      // When data is first found broken, it is read again, with small steps near the break. Other formats pass on what is whole.
      const isWorthIt = this.#packing === 'gzip' || this.#packing === 'zip'
      if (answer.fault === undefined || known !== Number.POSITIVE_INFINITY || !isWorthIt) return answer
      await this.#forget()
    }
  }

  async stat(): Promise<Stats> {
    this.#file ??= await openFile(this.#path)
    return this.#file.stat()
  }

  async close(): Promise<void> {
    await this.#forget()
    this.#brokenFrom = Number.POSITIVE_INFINITY
    await this.#file?.close()
    this.#file = undefined
  }

  async #readOnce(from: number, length: number): Promise<ReadBytes> {
    if (!this.#pieces || from < this.#at) await this.#restart()
    while (this.#at + this.#ahead.length < from && !this.#ended) {
      this.#at += this.#ahead.length
      this.#ahead = await this.#pull(this.#at)
    }
    const skip = Math.min(from - this.#at, this.#ahead.length)
    const parts = [this.#ahead.subarray(skip)]
    let have = parts[0]!.length
    while (have < length && !this.#ended) {
      const more = await this.#pull(this.#at + skip + have)
      parts.push(more)
      have += more.length
    }
    this.#ahead = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    this.#at += skip
    this.#parts = this.#parts.filter((part) => part >= this.#at)
    const bytes = this.#ahead.subarray(0, length)
    const atEnd = this.#ended && bytes.length === this.#ahead.length
    const fault = atEnd ? this.#fault : undefined
    const starts = this.#parts.filter((part) => part <= this.#at + bytes.length)
    return { bytes, end: atEnd && fault === undefined, fault, parts: starts }
  }

  /** Restarts from the beginning in the same open file, which may no longer have a name. */
  async #restart(): Promise<void> {
    await this.#forget()
    this.#at = 0
    this.#position = 0
    this.#ahead = Buffer.alloc(0)
    this.#parts = []
    this.#ended = false
    this.#fault = undefined
    this.#file ??= await openFile(this.#path)
    this.#pieces = recoded(unpack(this.#packing, new ByteInput(() => this.#step())), this.#encoding)
  }

  async #forget(): Promise<void> {
    await this.#pieces?.return(undefined)
    this.#pieces = undefined
  }

  async #step(): Promise<Buffer | undefined> {
    const left = this.#brokenFrom - this.#position
    const length = left <= 0 ? SMALL_STEP : Math.min(COMPRESSED_STEP, left)
    const { bytesRead, buffer } = await this.#file!.read(Buffer.allocUnsafe(length), 0, length, this.#position)
    this.#position += bytesRead
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead)
  }

  /** The next piece of content, which begins at the absolute offset `at`; may be empty. */
  async #pull(at: number): Promise<Buffer> {
    try {
      const { value, done } = await this.#pieces!.next()
      this.#ended = done === true
      if (value === PART) this.#parts.push(at)
      return value instanceof Buffer ? value : Buffer.alloc(0)
    } catch (error) {
      if (!(error instanceof BrokenPacking)) throw error
      this.#ended = true
      this.#fault = error.message
      this.#brokenFrom = Math.min(this.#brokenFrom, Math.max(0, this.#position - COMPRESSED_STEP))
      return Buffer.alloc(0)
    }
  }
}
