import { isAscii } from 'node:buffer'
import { PART, type Unpacked } from './unpack/unpacked.ts'

/** Encodings of text that a source may have. */
export const ENCODINGS = ['utf-8', 'utf-16', 'utf-16le', 'utf-16be', 'windows-1252'] as const
export type Encoding = (typeof ENCODINGS)[number]
/** What is recoded, and how. */
export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

/** The encoding of text with these first bytes. A byte order mark counts more than what is declared. */
export function encodingOf(head: Uint8Array, declared: Encoding = 'utf-8'): TextEncoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8'
  return declared === 'utf-16' ? 'utf-16le' : declared
}

/** The characters of Windows-1252 from 0x80 to 0x9f, as browsers read them (https://encoding.spec.whatwg.org/#windows-1252). */
const WINDOWS_1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178'
const BOM = 0xfeff

/** Recodes text piece by piece. A byte order mark at its beginning is left out; halves of surrogates become U+FFFD. */
export class ToUtf8 {
  readonly #encoding: TextEncoding
  #isStart: boolean
  #held: Buffer = Buffer.alloc(0)

  constructor(encoding: TextEncoding, isStart = true) {
    this.#encoding = encoding
    this.#isStart = isStart
  }

  /** Bytes at the end of what was written that are not a whole character yet. */
  get heldBytes(): number {
    return this.#held.length
  }

  write(bytes: Buffer): Buffer {
    if (this.#encoding === 'utf-8') return bytes
    if (this.#encoding === 'windows-1252') return fromWindows(bytes)
    const all = this.#held.length > 0 ? Buffer.concat([this.#held, bytes]) : bytes
    let end = all.length & ~1
    const isBig = this.#encoding === 'utf-16be'
    if (end >= 2 && (all[isBig ? end - 2 : end - 1]! & 0xfc) === 0xd8) end -= 2
    this.#held = Buffer.from(all.subarray(end))
    const units = isBig ? Buffer.from(all.subarray(0, end)).swap16() : all.subarray(0, end)
    const text = units.toString('utf16le')
    const isMarked = this.#isStart && text.charCodeAt(0) === BOM
    if (end > 0) this.#isStart = false
    return Buffer.from(isMarked ? text.slice(1) : text)
  }

  /** What was held back: half a character. */
  end(): Buffer {
    const { length } = this.#held
    this.#held = Buffer.alloc(0)
    return Buffer.from(length > 0 ? '\ufffd' : '')
  }
}

function fromWindows(bytes: Buffer): Buffer {
  if (isAscii(bytes)) return bytes
  return Buffer.from(bytes.toString('latin1').replace(/[\x80-\x9f]/g, (one) => WINDOWS_1252[one.charCodeAt(0) - 0x80]!))
}

/** A whole text as UTF-8. */
export function toUtf8(bytes: Uint8Array, declared?: Encoding): Uint8Array {
  const encoding = encodingOf(bytes, declared)
  if (encoding === 'utf-8') return bytes
  const recoder = new ToUtf8(encoding)
  return Buffer.concat([recoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)), recoder.end()])
}

/** Whether more bytes are needed to see that text begins with a byte order mark. */
function isUndecided(head: Uint8Array): boolean {
  return head.length === 0 || (head.length < 3 && head[0]! >= 0xef)
}

/** Recodes pieces of text; each member of an archive has its own byte order mark. */
export async function* recoded(pieces: AsyncIterable<Unpacked>, declared?: Encoding): AsyncGenerator<Unpacked> {
  let recoder: ToUtf8 | undefined
  let head: Buffer = Buffer.alloc(0)
  let isFirst = true
  const begin = () => {
    recoder = new ToUtf8(encodingOf(head, declared))
    // The decoders of text only expect one at the beginning of a file.
    const text = isFirst || head[0] !== 0xef || head[1] !== 0xbb || head[2] !== 0xbf ? head : head.subarray(3)
    return recoder.write(text)
  }
  const finish = () => Buffer.concat([...(recoder ? [] : [begin()]), recoder!.end()])
  for await (const piece of pieces) {
    if (piece === PART) {
      yield finish()
      isFirst = isFirst && head.length === 0
      recoder = undefined
      head = Buffer.alloc(0)
      yield PART
    } else if (recoder) yield recoder.write(piece)
    else {
      head = Buffer.concat([head, piece])
      if (!isUndecided(head)) yield begin()
    }
  }
  yield finish()
}
