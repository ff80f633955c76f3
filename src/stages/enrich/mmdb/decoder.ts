import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { TableError } from '../table.ts'

/** Maximum nesting depth of maps and lists, the same as in the reference reader. */
const MAX_DEPTH = 512
/** Maximum number of values in a record. Records share parts by pointers, so a small file could describe an enormous one. */
const MAX_VALUES = 100_000
/** Maximum total bytes of a record's texts; a text counts each time it is pointed to. */
const MAX_BYTES = 1024 * 1024

const POINTER = 1
/** Base that is added to a pointer's value, by the length of the pointer. */
const POINTER_BASE = [0, 2048, 526_336, 0] as const

/** Value types, by their numbers in the format. */
const TEXT = 2
const DOUBLE = 3
const BYTES = 4
const UINT16 = 5
const UINT32 = 6
const MAP = 7
const INT32 = 8
const UINT64 = 9
const UINT128 = 10
const LIST = 11
const BOOLEAN = 14
const FLOAT = 15

/** Maximum number of bytes of each integer type. */
const WHOLE_NUMBERS = new Map([
  [UINT16, 2],
  [UINT32, 4],
  [INT32, 4],
  [UINT64, 8],
  [UINT128, 16],
])

/**
 * Decodes values of a MaxMind DB's data section (https://maxmind.github.io/MaxMind-DB/, format 2.0). Every length and offset is checked:
 * a damaged or hostile file throws `TableError` and costs a bounded amount of work.
 */
export class Decoder {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #end: number
  #at = 0
  #values = 0
  #taken = 0

  /** `bytes`: the data section; offsets are relative to it. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#end = bytes.length
  }

  /** Values decoded by the last call. */
  get values(): number {
    return this.#values
  }

  /** The value at an offset. */
  decode(offset: number): JsonValue {
    this.#at = offset
    this.#values = 0
    this.#taken = 0
    return this.#value(0)
  }

  #value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw damaged(`values lie more than ${MAX_DEPTH} deep in each other`)
    if (++this.#values > MAX_VALUES) throw damaged(`a record has more than ${MAX_VALUES} values`)
    const control = this.#byte()
    const kind = control >> 5
    return kind === POINTER ? this.#pointed(control, depth) : this.#ofKind(kind === 0 ? 7 + this.#byte() : kind, control, depth)
  }

  /** A pointer refers to a value elsewhere, which must not be a pointer itself. */
  #pointed(control: number, depth: number): JsonValue {
    const length = ((control >> 3) & 3) + 1
    const high = length === 4 ? 0 : (control & 7) * 2 ** (8 * length)
    const to = POINTER_BASE[length - 1]! + high + this.#number(length)
    const back = this.#at
    this.#at = to
    if (this.#byte() >> 5 === POINTER) throw damaged(`the pointer to ${to} leads to another pointer`)
    this.#at = to
    const value = this.#value(depth + 1)
    this.#at = back
    return value
  }

  #ofKind(kind: number, control: number, depth: number): JsonValue {
    const size = this.#size(control)
    switch (kind) {
      case TEXT:
        return this.#text(size)
      case MAP:
        return this.#map(size, depth)
      case LIST:
        return this.#list(size, depth)
      case BOOLEAN:
        if (size > 1) throw damaged(`a truth value of ${size}`)
        return size === 1
      case DOUBLE:
      case FLOAT:
        return this.#fraction(kind === DOUBLE ? 8 : 4, size)
      case BYTES:
        return Buffer.from(this.#take(size)).toString('base64')
      default:
        return this.#whole(kind, size)
    }
  }

  #size(control: number): number {
    const size = control & 31
    if (size < 29) return size
    if (size === 29) return 29 + this.#byte()
    return size === 30 ? 285 + this.#number(2) : 65_821 + this.#number(3)
  }

  #text(size: number): string {
    try {
      return UTF8.decode(this.#take(size))
    } catch (cause) {
      throw cause instanceof TableError ? cause : damaged('a text is not UTF-8', cause)
    }
  }

  #map(size: number, depth: number): JsonObject {
    this.#room(size * 2)
    const entries: [string, JsonValue][] = []
    for (let i = 0; i < size; i++) {
      const key = this.#value(depth + 1)
      if (typeof key !== 'string') throw damaged('a key of a map is no text')
      entries.push([key, this.#value(depth + 1)])
    }
    // Own properties as data, a key `__proto__` too.
    return Object.fromEntries(entries)
  }

  #list(size: number, depth: number): JsonValue[] {
    this.#room(size)
    const list: JsonValue[] = []
    for (let i = 0; i < size; i++) list.push(this.#value(depth + 1))
    return list
  }

  #fraction(length: number, size: number): number | null {
    if (size !== length) throw damaged(`a number of ${length} bytes has ${size}`)
    this.#room(length)
    const value = length === 8 ? this.#view.getFloat64(this.#at) : this.#view.getFloat32(this.#at)
    this.#at += length
    return Number.isFinite(value) ? value : null
  }

  #whole(kind: number, size: number): number | bigint {
    const most = WHOLE_NUMBERS.get(kind)
    if (most === undefined) throw damaged(`${kind} is no kind of value`)
    if (size > most) throw damaged(`a number of at most ${most} bytes has ${size}`)
    if (size <= 6) {
      const value = this.#number(size)
      return kind === INT32 && size === 4 ? value | 0 : value
    }
    let value = 0n
    for (const byte of this.#take(size)) value = value * 256n + BigInt(byte)
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
  }

  #byte(): number {
    if (this.#at >= this.#end) throw damaged('a value reaches beyond the end of the data')
    return this.#bytes[this.#at++]!
  }

  /** A big-endian unsigned integer of up to six bytes. */
  #number(length: number): number {
    let value = 0
    for (let i = 0; i < length; i++) value = value * 256 + this.#byte()
    return value
  }

  #take(size: number): Uint8Array {
    this.#room(size)
    this.#taken += size
    if (this.#taken > MAX_BYTES) throw damaged(`a record has texts of more than ${MAX_BYTES} bytes`)
    this.#at += size
    return this.#bytes.slice(this.#at - size, this.#at)
  }

  /** Every value takes at least one byte. */
  #room(bytes: number): void {
    if (bytes > this.#end - this.#at) throw damaged('a value reaches beyond the end of the data')
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A database that breaks the rules of its format. */
export function damaged(how: string, cause?: unknown): TableError {
  return new TableError(`the MMDB database is damaged (${how}): fetch it again`, { cause })
}
