import { isSpace, Lines, Occurrences, OpenBrackets } from './framing-search.ts'
import { FAILED, isScalar, JsonScanner, MORE } from './json-scanner.ts'

/** Where reading is between two records: among lines and values, or inside an array whose elements are records. */
export type FrameState = 'lines' | 'array'

export interface Framed {
  /** Pairs of where a record begins and ends; `undefined`: each line before `end` that is not blank is one. */
  readonly records: Uint32Array | undefined
  readonly count: number
  /** Everything before is framed. What begins here is not whole yet. */
  readonly end: number
  /** The state at `end`. */
  readonly state: FrameState
  /** NUL bytes between records that were passed over. */
  readonly nulBytes: number
  /** What the record is that begins at `end`, as far as it goes. */
  readonly pending: 'line' | 'value'
}

export interface FramingOptions {
  readonly state?: FrameState
  /** The bytes begin a file, body or stream: a byte order mark is none of its records'. */
  readonly isStart?: boolean
  /** Nothing follows: what is not whole is a record all the same. */
  readonly final?: boolean
  /** Stops after this many. */
  readonly maxRecords?: number
  /** The state in which these bytes are known to end, when they were framed before with what follows them. */
  readonly endState?: FrameState | undefined
}

const NUL = 0x00
const TAB = 0x09
const NEWLINE = 0x0a
const RETURN = 0x0d
const SEPARATOR = 0x1e
const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Within a line, fewer NULs than this may be what somebody wrote. */
const HOLE = Buffer.alloc(64)

/** Inside a line that begins and ends like one object: where two may meet, or something is wrong. */
const SEAMS = ['}{', '}[', '} ', '}\t', '\r{', '\r[', '\x1e', '\0'].map((text) => Buffer.from(text))

/**
 * Splits bytes into records. A record is a JSON value (an object on one line or many, an element of an array, a text of a
 * JSON text sequence), or else a line. What begins like a JSON value and is none is a line, and the next line is taken afresh.
 * In an array, a broken element ends where its brackets close, or before a line on which the next one begins.
 */
export function frame(bytes: Uint8Array, options: FramingOptions = {}): Framed {
  return new Framing(bytes, options).run()
}

/** Numbers and the words for nothing that tools write into JSON, whether or not JSON has them. */
const WORD = /^([+-]?(\d[\w.+-]*|Infinity)|true|false|null|NaN|undefined|True|False|None)$/

class Framing {
  readonly #bytes: Buffer
  readonly #final: boolean
  readonly #endState: FrameState | undefined
  readonly #maxRecords: number
  readonly #records: number[] = []
  readonly #seams: readonly Occurrences[]
  readonly #holes: Occurrences
  readonly #newlines: Occurrences
  readonly #separators: Occurrences
  readonly #lines: Lines
  #state: FrameState
  #at = 0
  /** Where the next record begins, leading white space included. */
  #start = 0
  /** A record separator stands before `#start`. */
  #isSequence = false
  #isPlain: boolean
  /** An array that was entered and of which no element was whole yet. */
  #entered: number | undefined
  #nulBytes = 0
  #pending: Framed['pending'] = 'line'
  /** Brackets that were open where a value broke: none of them begins a value. */
  readonly #broken = new Set<number>()

  constructor(bytes: Uint8Array, { state = 'lines', isStart = false, final = false, maxRecords, endState }: FramingOptions) {
    this.#endState = endState
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#bytes = buffer
    this.#seams = SEAMS.map((seam) => new Occurrences(buffer, seam))
    this.#holes = new Occurrences(buffer, HOLE)
    this.#newlines = new Occurrences(buffer, NEWLINE)
    this.#separators = new Occurrences(buffer, SEPARATOR)
    this.#lines = new Lines(buffer)
    this.#final = final
    this.#maxRecords = maxRecords ?? Number.POSITIVE_INFINITY
    this.#state = state
    this.#isPlain = state === 'lines'
    if (isStart && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      this.#at = 3
      this.#start = 3
    }
  }

  run(): Framed {
    while (this.#records.length < 2 * this.#maxRecords && this.#skip()) {
      if (!(this.#state === 'array' ? this.#element() : this.#lineOrValue())) break
    }
    const isDone = this.#at === this.#bytes.length && this.#final
    if (this.#entered !== undefined && !isDone) {
      // What follows may tell that it is no array after all.
      this.#start = this.#entered
      this.#state = 'lines'
    }
    return {
      records: this.#isPlain ? undefined : Uint32Array.from(this.#records),
      count: this.#records.length / 2,
      // The separator says how to read what follows it.
      end: isDone ? this.#at : this.#start - (this.#isSequence ? 1 : 0),
      state: this.#state,
      nulBytes: this.#nulBytes,
      pending: this.#pending,
    }
  }

  /** Passes over what stands between records. False at the end of the bytes. */
  #skip(): boolean {
    const bytes = this.#bytes
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at]!
      if (byte === NEWLINE) this.#begin(this.#at + 1)
      else if (byte === SEPARATOR) {
        this.#begin(this.#at + 1)
        this.#isSequence = true
        this.#isPlain = false
      } else if (byte === NUL) {
        const end = this.#endOfNuls()
        if (end === undefined) return true
        if (end === MORE) return false
        this.#nulBytes += end - this.#at
        this.#isPlain = false
        this.#start = end
        this.#at = end - 1
      } else if (this.#state === 'array' && (byte === COMMA || byte === CLOSE_LIST)) {
        if (byte === CLOSE_LIST) {
          this.#state = 'lines'
          this.#entered = undefined
        }
        this.#begin(this.#at + 1)
      } else if (byte !== SPACE && byte !== TAB && byte !== RETURN) return true
    }
    return false
  }

  /** Behind the NULs here, if they are a hole and no part of a record; `MORE` when that cannot be told yet. */
  #endOfNuls(): number | undefined {
    const bytes = this.#bytes
    let end = this.#at
    while (bytes[end] === NUL) end++
    const byte = bytes[end]
    if (end - this.#at > 1 || byte === OPEN_OBJECT || byte === OPEN_LIST || byte === NEWLINE) return end
    if (byte !== undefined) return undefined
    return this.#final ? end : MORE
  }

  #begin(at: number): void {
    this.#start = at
    this.#isSequence = false
  }

  /** A record; the next one begins behind `next`. */
  #emit(start: number, end: number, next: number): true {
    this.#records.push(start, end)
    this.#entered = undefined
    this.#at = next
    this.#start = next
    this.#isSequence = false
    return true
  }

  #wait(pending: Framed['pending']): false {
    this.#pending = pending
    return false
  }

  #lineOrValue(): boolean {
    const byte = this.#bytes[this.#at]
    if (byte === OPEN_OBJECT) return this.#objectLine() || this.#value()
    if (byte !== OPEN_LIST) return this.#line()
    const first = this.#next(this.#at + 1)
    if (this.#bytes[first] === OPEN_OBJECT) {
      const inside = this.#bytes[this.#next(first + 1)]
      if (inside === QUOTE || inside === CLOSE_OBJECT) return this.#enterArray()
    }
    return this.#value()
  }

  /** Its elements are records as soon as each is whole. */
  #enterArray(): true {
    this.#entered = this.#start
    this.#state = 'array'
    this.#isPlain = false
    this.#at++
    this.#start = this.#at
    return true
  }

  /** Up to the line's end, a hole, or, in a sequence, the next separator. */
  #line(): boolean {
    const bytes = this.#bytes
    const newline = this.#newlines.from(this.#at)
    let end = newline
    const hole = this.#holes.from(this.#at)
    if (hole >= 0 && (end < 0 || hole < end)) end = hole
    const separator = this.#isSequence ? this.#separators.from(this.#at) : -1
    if (separator >= 0 && (end < 0 || separator < end)) end = separator
    if (end < 0) return this.#final ? this.#emit(this.#start, bytes.length, bytes.length) : this.#wait('line')
    if (end !== newline) this.#isPlain = false
    return this.#emit(this.#start, end, end === newline ? end + 1 : end)
  }

  /** The quick way for what most lines are: one object, from the first byte to the last. False when it takes a closer look. */
  #objectLine(): boolean {
    const bytes = this.#bytes
    const newline = this.#newlines.from(this.#at)
    if (newline < 0) return false
    const last = this.#lines.lastText(newline)
    if (bytes[last] !== CLOSE_OBJECT) return false
    for (const seam of this.#seams) {
      const at = seam.from(this.#at)
      if (at >= 0 && at < last) return false
    }
    // If the object goes on, one of these must come next.
    const next = this.#next(newline + 1)
    if (next === bytes.length && !this.#final) return false
    const byte = bytes[next]
    if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST) return false
    return this.#emit(this.#start, newline, newline + 1)
  }

  /** An object, or an array that does not begin with one: one value, or else a line. */
  #value(): boolean {
    if (this.#broken.has(this.#at)) return this.#line()
    const bytes = this.#bytes
    const scanner = new JsonScanner()
    const end = scanner.scan(bytes, this.#at)
    if (end === MORE && !this.#final) return this.#wait('value')
    if (end === MORE && this.#endState === 'array' && bytes[this.#at] === OPEN_LIST) return this.#enterArray()
    if (end < 0) {
      for (const at of scanner.openAt()) this.#broken.add(at)
      return this.#line()
    }
    const newline = this.#newlines.from(this.#at)
    const isOneLine = newline < 0 || newline >= end
    const next = this.#nextOnLine(end)
    if (isOneLine) {
      if (next === bytes.length && !this.#final) return this.#wait('value')
      if (!mayFollow(bytes[next])) return this.#line()
    }
    if (bytes[this.#at] === OPEN_LIST) return this.#enterArray()
    if (isOneLine && (next === newline || next === bytes.length))
      return this.#emit(this.#start, next, Math.min(next + 1, bytes.length))
    this.#isPlain = false
    return this.#emit(this.#start, end, end)
  }

  #element(): boolean {
    const bytes = this.#bytes
    const start = this.#at
    const byte = bytes[start]!
    if (byte !== OPEN_OBJECT && byte !== OPEN_LIST && byte !== QUOTE) return this.#word()
    const scanner = new JsonScanner()
    const end = scanner.scan(bytes, start)
    if (end >= 0) return this.#emit(start, end, end)
    const broken = end === FAILED ? this.#recover(start, scanner) : MORE
    if (broken === MORE && !this.#final) return this.#wait('value')
    const next = broken === MORE ? bytes.length : broken
    return this.#emit(start, this.#trim(next), next)
  }

  /** A number, a word, or something that has no place in an array. */
  #word(): boolean {
    const bytes = this.#bytes
    let end = this.#at
    while (end < bytes.length && isScalar(bytes[end]!)) end++
    const after = this.#next(end)
    const isWhole = after < bytes.length ? bytes[after] === COMMA || bytes[after] === CLOSE_LIST : this.#final
    const isWord = end - this.#at < 64 && WORD.test(bytes.toString('latin1', this.#at, end))
    if (isWord && isWhole) return this.#emit(this.#at, end, end)
    if (after === bytes.length && !this.#final) return this.#wait('value')
    // The array broke off: lines follow, or the rest of a line.
    if (!this.#line()) return false
    this.#state = 'lines'
    return true
  }

  /** Where a broken element ends: behind its closing bracket, or before a line that begins like another element. */
  #recover(start: number, scanner: JsonScanner): number {
    const bytes = this.#bytes
    const indent = start - this.#lines.startOf(start)
    const open = new OpenBrackets(scanner.open())
    let inString = scanner.isInString
    let line = this.#lines.startOf(scanner.failedAt)
    let isFresh = this.#lines.firstText() === scanner.failedAt
    for (let at = scanner.failedAt; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (byte === NEWLINE) {
        inString = false
        isFresh = true
        line = at + 1
      } else if (inString) {
        if (byte === BACKSLASH) at++
        else if (byte === QUOTE) inString = false
      } else if (byte === QUOTE) inString = true
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
        if (isFresh && line > start && at - line <= indent) return line
        open.push(byte)
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        const isClosed = open.close(byte === CLOSE_OBJECT ? OPEN_OBJECT : OPEN_LIST)
        if (isClosed && open.isEmpty) return at + 1
        // The array's own end.
        if (!isClosed && byte === CLOSE_LIST) return at
      }
      if (isFresh && !isSpace(byte)) isFresh = false
    }
    return MORE
  }

  /** `end` without the white space before it. */
  #trim(end: number): number {
    let last = end
    while (isSpace(this.#bytes[last - 1]!)) last--
    return last
  }

  /** The next byte from `at` on that is no white space. */
  #next(at: number): number {
    let next = at
    while (next < this.#bytes.length && isSpace(this.#bytes[next]!)) next++
    return next
  }

  #nextOnLine(at: number): number {
    let next = at
    while (next < this.#bytes.length && isSpace(this.#bytes[next]!) && this.#bytes[next] !== NEWLINE) next++
    return next
  }
}

/** What may stand behind a value on its line. Anything else: the line is no JSON, whatever it begins like. */
function mayFollow(byte: number | undefined): boolean {
  return (
    byte === undefined || byte === NEWLINE || byte === NUL || byte === SEPARATOR || byte === OPEN_OBJECT || byte === OPEN_LIST
  )
}

/** Finds the end of a record that is too long to be held, a piece at a time. */
export class RecordEnd {
  #scanner: JsonScanner | undefined

  constructor(pending: Framed['pending']) {
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
    const newline = bytes.indexOf(NEWLINE, from)
    return newline < 0 ? MORE : newline + 1
  }
}
