import { MORE } from '../../../util/json-scanner.ts'
import { isSpace, Lines, Occurrences } from './search.ts'
import { type Stream, streamOf } from './stream-types.ts'

/**
 * The position between two records: among lines and values, inside an array whose elements are records, inside the list of an envelope,
 * or behind that list.
 */
export type TextState = 'lines' | 'array' | 'envelope' | 'tail'

export interface TextOptions {
  readonly state?: TextState
  /** The bytes begin a file, body or stream: a byte order mark there is not part of a record. */
  readonly isStart?: boolean
  /** Nothing follows: whatever is incomplete is a record nevertheless. */
  readonly final?: boolean
  /** Stops after this number of records. */
  readonly maxRecords?: number
  /** Parameters of `streamOf`. */
  readonly stream?: string | undefined
  /** The state at the end of these bytes, if it is known because they were decoded before together with what follows them. */
  readonly endState?: TextState | undefined
}

export const NEWLINE = 0x0a
export const SEPARATOR = 0x1e
export const QUOTE = 0x22
export const COMMA = 0x2c
export const OPEN_LIST = 0x5b
export const BACKSLASH = 0x5c
export const CLOSE_LIST = 0x5d
export const OPEN_OBJECT = 0x7b
export const CLOSE_OBJECT = 0x7d
const NUL = 0x00

/** Number of NULs of a hole that are held until it is known what follows them. */
export const HOLE_ENDING = 2

/** Within a line, fewer NULs than this may have been written on purpose. */
export const HOLE = Buffer.alloc(64)

/** Inside a line that begins and ends like one object: the place where two objects may meet, or something is wrong. */
const SEAMS = ['}{', '}[', '} ', '}\t', '\r{', '\r[', '\x1e', '\0'].map((text) => Buffer.from(text))

/** A walk through bytes from record to record. Text decoders advance it. */
export class TextWalk {
  readonly bytes: Buffer
  readonly final: boolean
  readonly endState: TextState | undefined
  readonly stream: Stream
  /** Pairs of start and end of each record. */
  readonly records: number[] = []
  readonly seams: readonly Occurrences[]
  readonly newlines: Occurrences
  readonly lines: Lines
  /** Brackets that were open where a value broke: none of them begins a value. */
  readonly broken = new Set<number>()
  state: TextState
  at = 0
  /** Where the next record begins, including leading white space. */
  start = 0
  /** A record separator precedes `start`. */
  isSequence = false
  /** Every record so far is a line. */
  isPlain: boolean
  /** Where an array begins that has no complete element yet. */
  entered: number | undefined
  /** Number of NUL bytes skipped between records. */
  nulBytes = 0
  /** The kind of the incomplete record, as far as it is known. */
  pending: 'line' | 'value' = 'line'
  readonly #holes: Occurrences
  readonly #separators: Occurrences

  constructor(bytes: Uint8Array, { state = 'lines', isStart = false, final = false, endState, stream }: TextOptions) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.bytes = buffer
    this.endState = endState
    this.stream = streamOf(stream)
    this.seams = SEAMS.map((seam) => new Occurrences(buffer, seam))
    this.#holes = new Occurrences(buffer, HOLE)
    this.newlines = new Occurrences(buffer, NEWLINE)
    this.#separators = new Occurrences(buffer, SEPARATOR)
    this.lines = new Lines(buffer)
    this.final = final
    this.state = state
    this.isPlain = state === 'lines'
    if (isStart && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.begin(3)
  }

  /** Skips white space and holes. Returns false at the end of the bytes. */
  skip(): boolean {
    const { bytes } = this
    while (this.at < bytes.length) {
      const byte = bytes[this.at]!
      if (byte === NEWLINE) {
        this.begin(this.at + 1)
        // Within an array, a newline shows in the next piece too that the element begins its line.
        if (this.isInside) this.start = this.at - 1
      } else if (byte === NUL) {
        const end = this.#endOfNuls()
        if (end === undefined) return true
        if (end === MORE) return false
        this.nulBytes += end - this.at
        this.isPlain = false
        this.start = end
        this.at = end
      } else if (isSpace(byte)) this.at++
      else return true
    }
    return false
  }

  /** The position after the NULs here, if they are a hole and not part of a record; `MORE` if that is not known yet. */
  #endOfNuls(): number | undefined {
    const { bytes } = this
    let end = this.at
    while (bytes[end] === NUL) end++
    const byte = bytes[end]
    // A single NUL may belong to what follows. So two NULs of a hole that is cut here remain, and identify it when more bytes arrive.
    if (byte === undefined && !this.final) return end - this.at > HOLE_ENDING ? end - HOLE_ENDING : MORE
    if (end - this.at > 1 || byte === undefined) return end
    return byte === OPEN_OBJECT || byte === OPEN_LIST || byte === NEWLINE ? end : undefined
  }

  /** The next record is an element of an array or an envelope's list. */
  get isInside(): boolean {
    return this.state === 'array' || this.state === 'envelope'
  }

  /** The next record begins at or after `at`. */
  begin(at: number): void {
    this.at = at
    this.start = at
    this.isSequence = false
  }

  /** Adds a record; the next one begins after `next`. */
  emit(start: number, end: number, next: number): true {
    this.records.push(start, end)
    this.entered = undefined
    this.begin(next)
    return true
  }

  /** The record that begins here is incomplete. */
  wait(pending: 'line' | 'value'): false {
    this.pending = pending
    return false
  }

  /** Adds a record up to the line's end, a hole, or, in a sequence, the next separator. */
  line(): boolean {
    const { bytes } = this
    const newline = this.newlines.from(this.at)
    let end = newline
    const hole = this.#holes.from(this.at)
    if (hole >= 0 && (end < 0 || hole < end)) end = hole
    const separator = this.isSequence ? this.#separators.from(this.at) : -1
    if (separator >= 0 && (end < 0 || separator < end)) end = separator
    if (end < 0) return this.final ? this.emit(this.start, bytes.length, bytes.length) : this.wait('line')
    if (end !== newline) this.isPlain = false
    return this.emit(this.start, end, end === newline ? end + 1 : end)
  }

  /** The bracket here opens an array: each element is a record as soon as it is complete. */
  enterArray(): true {
    this.entered = this.start
    this.state = 'array'
    this.isPlain = false
    this.at++
    this.start = this.at
    return true
  }

  /** The records of an envelope begin at `list`. */
  enterEnvelope(list: number): true {
    this.state = 'envelope'
    this.isPlain = false
    this.begin(list)
    return true
  }

  /** The array or the list has ended. */
  leaveArray(): void {
    this.state = this.state === 'envelope' ? 'tail' : 'lines'
    this.entered = undefined
  }

  /** The next non-white-space byte from `at` on. */
  next(at: number): number {
    let next = at
    while (next < this.bytes.length && isSpace(this.bytes[next]!)) next++
    return next
  }

  /** The same, but not beyond the end of the line. */
  nextOnLine(at: number): number {
    let next = at
    while (next < this.bytes.length && isSpace(this.bytes[next]!) && this.bytes[next] !== NEWLINE) next++
    return next
  }

  /** `end` without the white space before it. */
  trimmed(end: number): number {
    let last = end
    while (isSpace(this.bytes[last - 1]!)) last--
    return last
  }
}
