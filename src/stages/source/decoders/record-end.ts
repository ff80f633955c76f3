import { FAILED, JsonScanner, MORE } from '../../../util/json-scanner.ts'
import { HOLE, NEWLINE } from './text-walk.ts'

/** Finds the end of a record that is too long to be held, a piece at a time. */
export class RecordEnd {
  #scanner: JsonScanner | undefined
  /** NULs that the piece before ended with. */
  #nuls = 0

  constructor(pending: 'line' | 'value') {
    if (pending === 'value') this.#scanner = new JsonScanner()
  }

  /** How many of these bytes still belong to the record, or `MORE` when all do and it goes on. */
  find(bytes: Uint8Array): number {
    let from = 0
    if (this.#scanner) {
      const end = this.#scanner.scan(bytes)
      if (end !== FAILED) return end
      from = this.#scanner.failedAt
      this.#scanner = undefined
    }
    return this.#endOfLine(bytes, from)
  }

  /** Behind the line's newline, or where a hole begins in it. */
  #endOfLine(bytes: Uint8Array, from: number): number {
    let nuls = 0
    while (this.#nuls > 0 && this.#nuls + nuls < HOLE.length && bytes[nuls] === 0) nuls++
    if (this.#nuls > 0 && this.#nuls + nuls === HOLE.length) return nuls
    const newline = bytes.indexOf(NEWLINE, from)
    const hole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(HOLE, from)
    if (hole >= 0 && (newline < 0 || hole < newline)) return hole
    if (newline >= 0) return newline + 1
    let last = bytes.length
    while (last > 0 && bytes[last - 1] === 0) last--
    this.#nuls = bytes.length - last + (last === 0 ? this.#nuls : 0)
    return MORE
  }
}
