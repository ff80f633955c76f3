import { createHash, type Hash } from 'node:crypto'
import type { Fault } from '../../model/chunk.ts'
import { MAX_DEAD_LETTER_BYTES } from '../../model/outcome.ts'
import type { DecodedText } from './decoders/decode.ts'
import { RecordEnd } from './decoders/record-end.ts'

/** A record that is too long to hold in memory: it is read piece by piece, and only its length, hash and head are stored. */
export class LongRecord {
  length = 0
  readonly #end: RecordEnd
  readonly #hash: Hash = createHash('sha256')
  readonly #head: Buffer[] = []
  #headLength = 0

  constructor(pending: DecodedText['pending']) {
    this.#end = new RecordEnd(pending)
  }

  get isWhole(): boolean {
    return this.#end.isFound
  }

  /**
   * Consumes the bytes that belong to the record and returns the rest. While the record is incomplete, the rest is NULs whose meaning
   * depends on what follows: pass them again before the next bytes. `final`: nothing follows.
   */
  add(bytes: Buffer, final = false): Buffer {
    const own = bytes.subarray(0, this.#end.find(bytes, final))
    this.length += own.length
    this.#hash.update(own)
    if (this.#headLength < MAX_DEAD_LETTER_BYTES) {
      const part = Buffer.from(own.subarray(0, MAX_DEAD_LETTER_BYTES - this.#headLength))
      this.#head.push(part)
      this.#headLength += part.length
    }
    return bytes.subarray(own.length)
  }

  /** SHA-256 of the record so far, hex. Nothing can be added afterwards. */
  digest(): string {
    return this.#hash.digest('hex')
  }

  /** Its first bytes, up to the size that a dead letter stores. */
  head(): Buffer {
    return Buffer.concat(this.#head)
  }
}

/** The dead letter of a record that is too long. `path`: its file, if it comes from one. */
export function tooLongFault(
  record: { readonly offset: number; readonly length: number; readonly sha256: string; readonly raw: Buffer },
  path?: string,
): Fault {
  const what = path === undefined ? 'A record' : `${path}: a record`
  const message = `${what} of ${record.length} bytes exceeds the maximum record size; its first ${record.raw.length} bytes are kept. Raise max_record_bytes if such records are legitimate.`
  return { reason: 'too_long', message, ...record }
}
