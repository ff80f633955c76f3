import { createHash, type Hash } from 'node:crypto'
import { MAX_DEAD_LETTER_BYTES } from '../../../model/outcome.ts'

/** An entry in the journal export format, up to and including the blank line behind it. */
export interface ExportEntry {
  /** Where it is in its journal, if it says so: what tells it from all other entries. */
  readonly cursor: string | undefined
  /** The whole entry; of one that is too long, its first bytes. */
  readonly bytes: Buffer
  /** Set if the entry is longer than the limit: its length in bytes and the SHA-256 of all of it, hex. */
  readonly long?: { readonly length: number; readonly sha256: string }
}

/** The bytes are not in the journal export format. Nothing that follows them can be read. */
export class MalformedExport extends Error {}

/** What the next byte is part of. */
type Part = 'name' | 'text' | 'size' | 'data' | 'data-end'

const NEWLINE = 0x0a
const EQUALS = 0x3d
const SIZE_BYTES = 8
/** Names have at most 64 characters; this leaves room for what other writers may do. */
const MAX_NAME_BYTES = 256
const CURSOR = Buffer.from('__CURSOR=')
/** Cursors have about 130 characters. */
const MAX_CURSOR_BYTES = 1024

/**
 * Splits a stream in the journal export format (https://systemd.io/JOURNAL_EXPORT_FORMATS/) into entries, piece by piece and in linear
 * time. Of an entry longer than `maxBytes` no more than its head is held.
 */
export class ExportFrames {
  readonly #maxBytes: number
  #part: Part = 'name'
  #nameBytes = 0
  #sizeBytes = 0
  #dataLeft = 0
  #held: Buffer[] = []
  #length = 0
  #hash: Hash | undefined

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes of an entry that has not ended yet. */
  get pending(): number {
    return this.#length
  }

  /** The entries that end in this piece, all of which must be taken. Throws `MalformedExport` behind those before the fault. */
  *push(piece: Buffer): Generator<ExportEntry, void, void> {
    let from = 0
    for (let at = 0; at < piece.length; ) {
      if (this.#part === 'name' && this.#nameBytes === 0 && piece[at] === NEWLINE) {
        // Several blank lines in a row end one entry.
        const isEntry = this.#length + at - from > 0
        at++
        if (isEntry) {
          this.#hold(piece.subarray(from, at))
          yield this.#take()
        }
        from = at
      } else at = this.#step(piece, at)
    }
    this.#hold(piece.subarray(from))
  }

  /** Goes on to the next part or to the end of the piece. Returns the position there. */
  #step(piece: Buffer, at: number): number {
    switch (this.#part) {
      case 'name': {
        const byte = piece[at]!
        if (byte === EQUALS || byte === NEWLINE) {
          if (this.#nameBytes === 0) throw new MalformedExport('there is a field without a name')
          this.#part = byte === EQUALS ? 'text' : 'size'
          this.#nameBytes = 0
        } else if (++this.#nameBytes > MAX_NAME_BYTES)
          throw new MalformedExport(`there is a line that has no = within its first ${MAX_NAME_BYTES} bytes`)
        return at + 1
      }
      case 'text': {
        const end = piece.indexOf(NEWLINE, at)
        if (end < 0) return piece.length
        this.#part = 'name'
        return end + 1
      }
      case 'size':
        this.#dataLeft += piece[at]! * 256 ** this.#sizeBytes
        if (++this.#sizeBytes === SIZE_BYTES) {
          if (!Number.isSafeInteger(this.#dataLeft)) throw new MalformedExport('there is a field with an impossible size')
          this.#sizeBytes = 0
          this.#part = this.#dataLeft > 0 ? 'data' : 'data-end'
        }
        return at + 1
      case 'data': {
        const taken = Math.min(this.#dataLeft, piece.length - at)
        this.#dataLeft -= taken
        if (this.#dataLeft === 0) this.#part = 'data-end'
        return at + taken
      }
      case 'data-end':
        if (piece[at] !== NEWLINE) throw new MalformedExport('there is no end of the line behind the data of a field')
        this.#part = 'name'
        return at + 1
    }
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#length += bytes.length
    if (!this.#hash && this.#length > this.#maxBytes) {
      const all = Buffer.concat(this.#held)
      this.#hash = createHash('sha256').update(all)
      this.#held = [all.subarray(0, MAX_DEAD_LETTER_BYTES)]
    }
    this.#hash?.update(bytes)
    const room = this.#hash
      ? Math.max(0, MAX_DEAD_LETTER_BYTES - this.#held.reduce((sum, { length }) => sum + length, 0))
      : bytes.length
    if (room > 0) this.#held.push(bytes.subarray(0, room))
  }

  #take(): ExportEntry {
    const bytes = Buffer.concat(this.#held)
    const long = this.#hash && { length: this.#length, sha256: this.#hash.digest('hex') }
    this.#held = []
    this.#length = 0
    this.#hash = undefined
    return { cursor: cursorOf(bytes), bytes, ...(long && { long }) }
  }
}

/** Writers put the cursor first. Elsewhere it may be part of a message. */
function cursorOf(entry: Buffer): string | undefined {
  if (!entry.subarray(0, CURSOR.length).equals(CURSOR)) return undefined
  const end = entry.subarray(0, MAX_CURSOR_BYTES).indexOf(NEWLINE)
  return end < 0 ? undefined : entry.toString('latin1', CURSOR.length, end)
}
