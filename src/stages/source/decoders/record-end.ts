import { FAILED, JsonScanner, MORE } from '../../../util/json-scanner.ts'
import { HOLE, NEWLINE, SEPARATOR } from './text-walk.ts'

/** Finds the end of a record that is too long to hold in memory, piece by piece. */
export class RecordEnd {
  /** The last `find` reached the record's end. */
  isFound = false
  #scanner: JsonScanner | undefined
  #isFirst = true

  constructor(pending: 'line' | 'value') {
    if (pending === 'value') this.#scanner = new JsonScanner()
  }

  /**
   * How many of these bytes certainly belong to the record. NULs that may be the beginning of a hole do not count yet: unless the
   * record's end was found, pass the remaining bytes again, together with those that follow. `final`: nothing follows.
   */
  find(bytes: Uint8Array, final: boolean): number {
    // The separator before a text of a sequence.
    let from = this.#isFirst && bytes[0] === SEPARATOR ? 1 : 0
    this.#isFirst = false
    if (this.#scanner) {
      const end = this.#scanner.scan(bytes, from)
      if (end === MORE) return bytes.length
      if (end !== FAILED) return this.#found(end)
      from = this.#scanner.failedAt
      this.#scanner = undefined
    }
    return this.#endOfLine(bytes, from, final)
  }

  /** After the line's newline, or where a hole begins in it. */
  #endOfLine(bytes: Uint8Array, from: number, final: boolean): number {
    const newline = bytes.indexOf(NEWLINE, from)
    const hole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(HOLE, from)
    if (hole >= 0 && (newline < 0 || hole < newline)) return this.#found(hole)
    if (newline >= 0) return this.#found(newline + 1)
    let end = bytes.length
    while (!final && end > from && bytes[end - 1] === 0) end--
    return end
  }

  #found(end: number): number {
    this.isFound = true
    return end
  }
}
