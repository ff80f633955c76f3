import type { JsonObject, JsonValue } from '../../model/json.ts'
import { setOwn, stringifyJson } from '../json.ts'
import { MalformedMsgpack, type MsgpackHead, type MsgpackKind, msgpackHead } from './head.ts'

const MAX_DEPTH = 64
/** In one value. Each may have a single byte, but costs far more in memory. */
const MAX_INNER = 1_000_000

/** Reads MessagePack values one after another. All methods throw `MalformedMsgpack`. */
export class MsgpackReader {
  readonly #bytes: Buffer
  #at = 0
  #inner = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** The kind of the next value, which is not taken. */
  get kind(): MsgpackKind {
    return this.#head().kind
  }

  /** Takes the head of an array; its values follow. Returns their number. */
  array(what: string): number {
    const { kind, from, inner } = this.#head()
    if (kind !== 'array') throw new MalformedMsgpack(`${what} is not an array`)
    this.#at = from
    return inner
  }

  /** Takes a text or a byte string. */
  bytes(what: string): Buffer {
    const head = this.#head()
    if (head.kind !== 'text' && head.kind !== 'bytes') throw new MalformedMsgpack(`${what} is not text`)
    return this.#content(head)
  }

  /** Takes an extension. */
  extension(): { readonly type: number; readonly data: Buffer } {
    const content = this.#content(this.#head())
    return { type: content.readInt8(0), data: content.subarray(1) }
  }

  /**
   * Takes a value as JSON: exact integers, byte strings as text in UTF-8, keys of maps as text, numbers that JSON lacks as text
   * (`NaN`), extensions as their bytes in hexadecimal digits.
   */
  value(depth = 0): JsonValue {
    const head = this.#head()
    this.#inner = depth === 0 ? 0 : this.#inner + 1
    if (this.#inner > MAX_INNER) throw new MalformedMsgpack(`a value has more than ${MAX_INNER} values in it`)
    if (head.kind === 'array' || head.kind === 'map') {
      if (depth >= MAX_DEPTH) throw new MalformedMsgpack(`values are nested more than ${MAX_DEPTH} deep`)
      this.#at = head.from
      if (head.kind === 'map') return this.#map(head.inner / 2, depth + 1)
      const list: JsonValue[] = []
      for (let i = 0; i < head.inner; i++) list.push(this.value(depth + 1))
      return list
    }
    const first = this.#bytes[this.#at]
    const content = this.#content(head)
    if (head.kind === 'text' || head.kind === 'bytes') return content.toString()
    if (head.kind === 'extension') return content.toString('hex', 1)
    if (head.kind === 'nil') return null
    return head.kind === 'boolean' ? first === 0xc3 : numberIn(content, head.kind)
  }

  #map(size: number, depth: number): JsonObject {
    const object: JsonObject = {}
    for (let i = 0; i < size; i++) {
      const key = this.value(depth)
      setOwn(object, typeof key === 'string' ? key : stringifyJson(key), this.value(depth))
    }
    return object
  }

  #head(): MsgpackHead {
    const head = msgpackHead(this.#bytes, this.#at)
    if (!head || head.from + head.length > this.#bytes.length) throw new MalformedMsgpack('the data ends within a value')
    return head
  }

  #content({ from, length }: MsgpackHead): Buffer {
    this.#at = from + length
    return this.#bytes.subarray(from, this.#at)
  }
}

function numberIn(content: Buffer, kind: MsgpackKind): number | bigint | string {
  if (kind === 'float') {
    const value = content.length === 4 ? content.readFloatBE() : content.readDoubleBE()
    return Number.isFinite(value) ? value : String(value)
  }
  const isSigned = kind === 'signed'
  if (content.length < 8) return isSigned ? content.readIntBE(0, content.length) : content.readUIntBE(0, content.length)
  const value = isSigned ? content.readBigInt64BE() : content.readBigUInt64BE()
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}
