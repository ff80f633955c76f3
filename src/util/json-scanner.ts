/** The scanner needs more bytes. */
export const MORE = -1
/** The bytes are not JSON: `failedAt` says where. */
export const FAILED = -2

/** Deeper nesting is treated as broken, since each level costs memory while a value is open. */
const MAX_DEPTH = 10_000

const VALUE = 0
const FIRST_VALUE = 1
const FIRST_KEY = 2
const KEY = 3
const COLON = 4
const AFTER_VALUE = 5
const IN_STRING = 6
const IN_KEY = 7
const IN_SCALAR = 8

/**
 * Finds the end of one JSON value byte by byte; the bytes may arrive in pieces. It checks the order of brackets, keys, colons and
 * commas, but only the characters of numbers and words; the rest is left to the parser.
 */
export class JsonScanner {
  /** Where the last `scan` failed. */
  failedAt = 0
  #state = VALUE
  #isEscaped = false
  /** Open brackets: the offset of each, times two, plus one for an object. */
  readonly #open: number[] = []

  /** Open brackets, outermost first. */
  open(): number[] {
    return this.#open.map((entry) => (entry % 2 === 1 ? 0x7b : 0x5b))
  }

  /** True if the bytes so far end inside a string. */
  get isInString(): boolean {
    return this.#state === IN_STRING || this.#state === IN_KEY
  }

  /** Offsets of the open brackets, outermost first. */
  openAt(): number[] {
    return this.#open.map((entry) => Math.floor(entry / 2))
  }

  /** Continues at `from`; returns the index after the value, `MORE` or `FAILED`. */
  scan(bytes: Uint8Array, from = 0): number {
    let at = from
    while (at < bytes.length) {
      if (this.#state >= IN_STRING) {
        at = this.#state === IN_SCALAR ? this.#scalar(bytes, at) : this.#string(bytes, at)
        if (at < 0) return at
        // The end of a top-level number only shows in the byte after it.
        if (this.#state === AFTER_VALUE && this.#open.length === 0) return at
        continue
      }
      const byte = bytes[at]!
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
        at++
        continue
      }
      if (!this.#structure(byte, at)) {
        this.failedAt = at
        return FAILED
      }
      if (this.#state !== IN_SCALAR) at++
      if (this.#state === AFTER_VALUE && this.#open.length === 0) return at
    }
    return MORE
  }

  /** Handles a byte that is neither white space nor inside a token. False if it is not allowed here. */
  #structure(byte: number, at: number): boolean {
    switch (this.#state) {
      case COLON:
        this.#state = VALUE
        return byte === 0x3a
      case FIRST_KEY:
      case KEY:
        if (byte === 0x7d && this.#state === FIRST_KEY) return this.#close()
        if (byte === 0x22) this.#state = IN_KEY
        return byte === 0x22
      case AFTER_VALUE: {
        const isObject = this.#open.at(-1)! % 2 === 1
        if (byte === (isObject ? 0x7d : 0x5d)) return this.#close()
        this.#state = isObject ? KEY : VALUE
        return byte === 0x2c
      }
      default:
        return this.#begin(byte, at)
    }
  }

  #begin(byte: number, at: number): boolean {
    if (byte === 0x5d && this.#state === FIRST_VALUE) return this.#close()
    if (byte === 0x7b || byte === 0x5b) {
      this.#open.push(at * 2 + (byte === 0x7b ? 1 : 0))
      this.#state = byte === 0x7b ? FIRST_KEY : FIRST_VALUE
      return this.#open.length <= MAX_DEPTH
    }
    if (byte === 0x22) this.#state = IN_STRING
    else if (isScalar(byte)) this.#state = IN_SCALAR
    return this.#state >= IN_STRING
  }

  #close(): boolean {
    this.#open.pop()
    this.#state = AFTER_VALUE
    return true
  }

  #string(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!
      // A line break, a NUL or a record separator inside a string means that its closing quote is missing.
      if (byte === 0x0a || byte === 0 || byte === 0x1e) {
        this.failedAt = at
        return FAILED
      }
      if (this.#isEscaped) this.#isEscaped = false
      else if (byte === 0x5c) this.#isEscaped = true
      else if (byte === 0x22) {
        this.#state = this.#state === IN_KEY ? COLON : AFTER_VALUE
        return at + 1
      }
    }
    return MORE
  }

  #scalar(bytes: Uint8Array, from: number): number {
    let at = from
    while (at < bytes.length && isScalar(bytes[at]!)) at++
    if (at === bytes.length) return MORE
    this.#state = AFTER_VALUE
    return at
  }
}

/** True for the characters of numbers and words. */
export function isScalar(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    byte === 0x5f
  )
}
