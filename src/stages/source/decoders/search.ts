const TAB = 0x09
const NEWLINE = 0x0a
const RETURN = 0x0d
const SPACE = 0x20
const OPEN_OBJECT = 0x7b

/**
 * Where a byte sequence occurs next. Called with ascending positions, it scans the bytes only once, however often it is called: a
 * separate search from each record on would take quadratic time on hostile input.
 */
export class Occurrences {
  readonly #bytes: Buffer
  readonly #what: number | Buffer
  #at = -2

  constructor(bytes: Buffer, what: number | Buffer) {
    this.#bytes = bytes
    this.#what = what
  }

  /** The first occurrence at or after `from`, which never decreases; -1 if there is none. */
  from(from: number): number {
    if (this.#at !== -1 && this.#at < from) this.#at = this.#bytes.indexOf(this.#what, from)
    return this.#at
  }
}

/** Where lines and their text begin and end, each found only once. */
export class Lines {
  readonly #bytes: Buffer
  #start = 0
  /** The line's newline, or the end of the bytes; -1 before the first call. */
  #end = -1
  #firstText = -1
  #lastText = { newline: -1, at: -1 }

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Where the line of `at` begins. `at` never goes back before that line. */
  startOf(at: number): number {
    while (this.#end < at) {
      if (this.#end >= 0) this.#start = this.#end + 1
      const newline = this.#bytes.indexOf(NEWLINE, this.#start)
      this.#end = newline < 0 ? this.#bytes.length : newline
      this.#firstText = -1
    }
    return this.#start
  }

  /** The first non-white-space byte, from the beginning of the line that `startOf` returned last. */
  firstText(): number {
    if (this.#firstText < 0) {
      this.#firstText = this.#start
      while (this.#firstText < this.#bytes.length && isSpace(this.#bytes[this.#firstText]!)) this.#firstText++
    }
    return this.#firstText
  }

  /** The last non-white-space byte of the line that ends with this newline. */
  lastText(newline: number): number {
    if (this.#lastText.newline !== newline) {
      let at = newline - 1
      while (this.#bytes[at] === SPACE || this.#bytes[at] === TAB || this.#bytes[at] === RETURN) at--
      this.#lastText = { newline, at }
    }
    return this.#lastText.at
  }
}

/** The open brackets of a broken value. */
export class OpenBrackets {
  readonly #open: number[]
  #objects: number

  constructor(open: number[]) {
    this.#open = open
    this.#objects = open.filter((byte) => byte === OPEN_OBJECT).length
  }

  get isEmpty(): boolean {
    return this.#open.length === 0
  }

  push(byte: number): void {
    this.#open.push(byte)
    if (byte === OPEN_OBJECT) this.#objects++
  }

  /** Closes the innermost bracket of this kind and everything inside it. Returns false if none is open, without searching. */
  close(kind: number): boolean {
    const count = kind === OPEN_OBJECT ? this.#objects : this.#open.length - this.#objects
    if (count === 0) return false
    for (;;) {
      const byte = this.#open.pop()
      if (byte === OPEN_OBJECT) this.#objects--
      if (byte === kind) return true
    }
  }
}

/** True for JSON white space. */
export function isSpace(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB
}
