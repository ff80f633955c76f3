import type { Stats } from 'node:fs'
import { type TextEncoding, ToUtf8 } from '../../util/encoding.ts'
import type { ByteReader, PlainReader, ReadBytes } from './byte-reader.ts'

/** Bytes of the file recoded at a time. */
const STEP_BYTES = 256 * 1024

/** A place in the file, between two characters. */
interface Mark {
  /** Offset in UTF-8. */
  readonly at: number
  /** Offset in the file. */
  readonly raw: number
}

/**
 * A file in another encoding than UTF-8, read at offsets of its text in UTF-8. Remembers places on the way, so that going back, and
 * reading on after the file has grown, costs one step.
 */
export class EncodedReader implements ByteReader {
  readonly isPacked = false
  readonly isPlain = false
  readonly #file: PlainReader
  readonly #encoding: TextEncoding
  /** Ascending. */
  readonly #marks: Mark[] = [{ at: 0, raw: 0 }]

  constructor(file: PlainReader, encoding: TextEncoding) {
    this.#file = file
    this.#encoding = encoding
  }

  async read(from: number, length: number): Promise<ReadBytes> {
    let mark = this.#marks.findLast(({ at }) => at <= from)!
    const parts: Buffer[] = []
    let isOver = false
    for (let have = 0; have < length && !isOver; ) {
      const { bytes, end } = await this.#file.read(mark.raw, STEP_BYTES)
      const recoder = new ToUtf8(this.#encoding, mark.raw === 0)
      const text = recoder.write(bytes)
      isOver = end
      const skip = Math.max(0, from - mark.at)
      const part = text.subarray(skip, skip + length - have)
      parts.push(part)
      have += part.length
      if (end && part.length < text.length - skip) isOver = false
      const next = { at: mark.at + text.length, raw: mark.raw + bytes.length - recoder.heldBytes }
      if (next.at > this.#marks.at(-1)!.at) this.#marks.push(next)
      if (end) break
      mark = next
    }
    return { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), end: isOver, fault: undefined }
  }

  stat(): Promise<Stats> {
    return this.#file.stat()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
