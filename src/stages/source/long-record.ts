import { createHash, type Hash } from 'node:crypto'
import type { Fault } from '../../model/chunk.ts'
import { MAX_DEAD_LETTER_BYTES } from '../../model/outcome.ts'
import type { DecodedText } from './decoders/decode.ts'
import { RecordEnd } from './decoders/record-end.ts'

/** A record that is too long to be held: its bytes pass by a piece at a time and leave their number, hash and head. */
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
   * Takes what belongs to the record and returns the rest. While the record is not whole, the rest is NULs of which what follows decides:
   * give them again before it. `final`: nothing follows.
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

  /** SHA-256 of the record as far as it came, hex. Ends it: nothing can be added afterwards. */
  digest(): string {
    return this.#hash.digest('hex')
  }

  /** Its first bytes, at most as many as a dead letter keeps. */
  head(): Buffer {
    return Buffer.concat(this.#head)
  }
}

/** What a record that is too long becomes. `path`: of its file, if it is of one. */
export function tooLongFault(
  record: { readonly offset: number; readonly length: number; readonly sha256: string; readonly raw: Buffer },
  path?: string,
): Fault {
  const what = path === undefined ? 'A record' : `${path}: a record`
  const message = `${what} of ${record.length} bytes exceeds the maximum record size; its first ${record.raw.length} bytes are kept. Raise max_record_bytes if such records are legitimate.`
  return { reason: 'too_long', message, ...record }
}
