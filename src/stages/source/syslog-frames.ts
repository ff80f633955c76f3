const ZERO = 0x30
const NINE = 0x39
const NEWLINE = 0x0a
const SPACE = 0x20
const OPEN_PRIORITY = 0x3c
const MAX_COUNT_DIGITS = 8
const FIRST_CAPACITY = 256

/**
 * Splits a connection's bytes into syslog messages (RFC 6587). Each message may have either framing: a count of its bytes and a blank
 * before it, or a newline after it. No byte is lost: a message longer than the limit continues in further ones, and after a wrong
 * count the next newline is where messages begin again.
 */
export class SyslogFrames {
  readonly #maxBytes: number
  readonly #emit: (message: Buffer) => void
  /** The digits and the blank of what may be a count. */
  #head: number[] = []
  /** Bytes of a counted message that are still to come; 0: a line. `undefined`: its first bytes have not shown which. */
  #left: number | undefined
  #held = Buffer.alloc(0)
  #heldBytes = 0

  /** `emit` is called with each message without the line end; blank ones are skipped. Its bytes may be part of a piece. */
  constructor(maxBytes: number, emit: (message: Buffer) => void) {
    this.#maxBytes = maxBytes
    this.#emit = emit
  }

  /** Memory for the message that is not complete yet, in bytes. */
  get capacity(): number {
    return this.#held.length
  }

  push(piece: Buffer): void {
    for (let at = 0; at < piece.length; ) {
      if (this.#left === undefined) at = this.#begin(piece, at)
      else if (this.#left > 0) at = this.#counted(piece, at, this.#left)
      else at = this.#line(piece, at)
    }
  }

  /** The connection has ended: what there is of a message is one. */
  end(): void {
    this.#hold(Buffer.from(this.#head))
    this.#head = []
    this.cut()
    this.#left = undefined
  }

  /** Emits what there is of a message and releases its memory; its rest will be another message. */
  cut(): void {
    this.#finish(Buffer.alloc(0))
    this.#held = Buffer.alloc(0)
  }

  /** Decides on the framing. A count is only taken for one if a priority follows, as lines may begin with numbers. */
  #begin(piece: Buffer, at: number): number {
    const byte = piece[at]!
    const digits = this.#head.at(-1) === SPACE ? this.#head.length - 1 : this.#head.length
    const isOpen = digits === this.#head.length
    const isDigit = byte >= ZERO && byte <= NINE && (digits > 0 || byte !== ZERO) && digits < MAX_COUNT_DIGITS
    if (isOpen && (isDigit || (byte === SPACE && digits > 0))) {
      this.#head.push(byte)
      return at + 1
    }
    if (!isOpen && byte === OPEN_PRIORITY) this.#left = this.#head.slice(0, -1).reduce((n, digit) => 10 * n + digit - ZERO, 0)
    else {
      this.#left = 0
      this.#hold(Buffer.from(this.#head))
    }
    this.#head = []
    return at
  }

  #line(piece: Buffer, at: number): number {
    const newline = piece.indexOf(NEWLINE, at)
    const end = newline < 0 ? piece.length : newline
    const room = this.#maxBytes - this.#heldBytes
    if (end - at > room) {
      this.#finish(piece.subarray(at, at + room))
      return at + room
    }
    if (newline < 0) this.#hold(piece.subarray(at))
    else {
      this.#finish(piece.subarray(at, newline))
      this.#left = undefined
    }
    return end + 1
  }

  #counted(piece: Buffer, at: number, left: number): number {
    const taken = Math.min(left, piece.length - at, this.#maxBytes - this.#heldBytes)
    const part = piece.subarray(at, at + taken)
    this.#left = left - taken
    if (this.#left === 0 || this.#heldBytes + taken === this.#maxBytes) this.#finish(part)
    else this.#hold(part)
    if (this.#left === 0) this.#left = undefined
    return at + taken
  }

  #hold(part: Buffer): void {
    const length = this.#heldBytes + part.length
    if (length > this.#held.length) {
      const larger = Buffer.alloc(Math.max(length, Math.min(2 * this.#held.length, this.#maxBytes), FIRST_CAPACITY))
      this.#held.copy(larger, 0, 0, this.#heldBytes)
      this.#held = larger
    }
    part.copy(this.#held, this.#heldBytes)
    this.#heldBytes = length
  }

  #finish(part: Buffer): void {
    const held = this.#held.subarray(0, this.#heldBytes)
    const message = trimEnd(this.#heldBytes === 0 ? part : Buffer.concat([held, part]))
    this.#heldBytes = 0
    if (message.some((byte) => byte > SPACE)) this.#emit(message)
  }
}

/** Without the newline, return or NUL that senders put behind a message. */
export function trimEnd(message: Buffer): Buffer {
  let end = message.length
  while (end > 0 && (message[end - 1] === NEWLINE || message[end - 1] === 0x0d || message[end - 1] === 0)) end--
  return message.subarray(0, end)
}
