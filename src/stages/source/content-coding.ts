import { createSlice } from '../../util/slice.ts'
import { Inflater } from '../../util/unpack/inflater.ts'
import { unzstdInSlices } from '../../util/unzstd.ts'

/** Supported values of `Content-Encoding`, besides `identity`. */
export const CODINGS = ['gzip', 'deflate', 'br', 'zstd'] as const
export type Coding = (typeof CODINGS)[number]

/** Maximum number of nested codings. Each one's decoder may hold memory, and no shipper uses more. */
const MAX_CODINGS = 4

/** The codings in a `Content-Encoding` header, in the order in which they were applied, or the one that is not supported. */
export function codingsOf(header: string | null): { readonly codings: readonly Coding[] } | { readonly unknown: string } {
  const names = (header ?? '').split(',').map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/^x-gzip$/, 'gzip'),
  )
  const applied = names.filter((name) => name !== '' && name !== 'identity')
  const unknown = applied.find((name) => !(CODINGS as readonly string[]).includes(name))
  if (unknown !== undefined) return { unknown }
  return applied.length > MAX_CODINGS ? { unknown: applied.join(', ') } : { codings: applied as Coding[] }
}

/** The data cannot be decompressed. */
export class BrokenCoding extends Error {}
/** The data decompresses to more than the limit. */
export class TooMuch extends Error {}

/**
 * Undoes one coding piece by piece. Rejects with `BrokenCoding` or `TooMuch`; after that, or when it is no longer needed, call `destroy`.
 */
export interface Decoder {
  /** Returns the output for this piece. */
  write(bytes: Uint8Array): Promise<readonly Uint8Array[]>
  /** Returns the bytes that were held back; the data has ended. */
  end(): Promise<readonly Uint8Array[]>
  destroy(): void
}

export interface DecoderLimits {
  /** Maximum size of the output in bytes. */
  readonly maxBytes: number
  /** Accounts for bytes that are held back. Throws if there are too many. */
  readonly hold: (bytes: number) => void
}

/** A decoder for one coding. */
export function decoderOf(coding: Coding, limits: DecoderLimits): Decoder {
  const { maxBytes } = limits
  if (coding === 'zstd') return new ZstdDecoder(limits)
  // Both formats are called deflate: RFC 9110 means zlib's framing, but some senders omit it.
  if (coding === 'deflate')
    return new SniffingDecoder(2, (head) => new ZlibDecoder(isZlib(head) ? 'zlib' : 'raw-deflate', maxBytes))
  return new ZlibDecoder(coding, maxBytes)
}

/** The compression that the bytes' magic number indicates. */
export function sniff(head: Uint8Array): 'gzip' | 'zstd' | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  return head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd ? 'zstd' : undefined
}

function isZlib(head: Uint8Array): boolean {
  return head.length >= 2 && (head[0]! & 0x0f) === 8 && ((head[0]! << 8) | head[1]!) % 31 === 0
}

/** Holds back the first bytes until there are enough to choose a decoder; `undefined`: no decoder is needed. */
export class SniffingDecoder implements Decoder {
  readonly #enough: number
  readonly #choose: (head: Uint8Array) => Decoder | undefined
  #head: Uint8Array = new Uint8Array()
  #chosen: { readonly decoder: Decoder | undefined } | undefined

  constructor(enough: number, choose: (head: Uint8Array) => Decoder | undefined) {
    this.#enough = enough
    this.#choose = choose
  }

  async write(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
    if (this.#chosen) return this.#chosen.decoder ? this.#chosen.decoder.write(bytes) : [bytes]
    this.#head = this.#head.length > 0 ? Buffer.concat([this.#head, bytes]) : bytes
    return this.#head.length >= this.#enough ? this.#begin() : []
  }

  async end(): Promise<readonly Uint8Array[]> {
    const first = this.#chosen ? [] : await this.#begin()
    return [...first, ...((await this.#chosen!.decoder?.end()) ?? [])]
  }

  destroy(): void {
    this.#chosen?.decoder?.destroy()
  }

  #begin(): Promise<readonly Uint8Array[]> {
    this.#chosen = { decoder: this.#choose(this.#head) }
    return this.write(this.#head)
  }
}

/** Compressed bytes passed to zlib at a time. */
const COMPRESSED_STEP = 8192

class ZlibDecoder implements Decoder {
  readonly #inflater: Inflater
  readonly #out: Uint8Array[] = []

  constructor(format: 'gzip' | 'br' | 'zlib' | 'raw-deflate', maxBytes: number) {
    this.#inflater = new Inflater(format, (chunk) => this.#out.push(chunk), { maxBytes })
  }

  async write(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
    for (let at = 0; at < bytes.length; at += COMPRESSED_STEP) {
      if (this.#inflater.ended) this.#refuseMore(bytes.subarray(at))
      await this.#inflater.write(bytes.subarray(at, at + COMPRESSED_STEP))
      this.#check()
    }
    return this.#out.splice(0)
  }

  async end(): Promise<readonly Uint8Array[]> {
    await this.#inflater.finish()
    this.#check()
    return this.#out.splice(0)
  }

  destroy(): void {
    this.#inflater.destroy()
  }

  #check(): void {
    if (this.#inflater.overflowed) throw new TooMuch()
    if (this.#inflater.fault !== undefined) throw new BrokenCoding(this.#inflater.fault)
  }

  /** Only zero padding may follow the end, as tape tools write it. */
  #refuseMore(bytes: Uint8Array): void {
    if (bytes.some((byte) => byte !== 0)) throw new BrokenCoding('something follows the compressed data')
  }
}

class ZstdDecoder implements Decoder {
  readonly #limits: DecoderLimits
  readonly #parts: Uint8Array[] = []
  #size = 0

  constructor(limits: DecoderLimits) {
    this.#limits = limits
  }

  async write(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
    this.#size += bytes.length
    if (this.#size > this.#limits.maxBytes) throw new TooMuch()
    this.#limits.hold(bytes.length)
    this.#parts.push(bytes)
    return []
  }

  async end(): Promise<readonly Uint8Array[]> {
    const result = await unzstdInSlices(Buffer.concat(this.#parts), this.#limits.maxBytes, createSlice())
    if (result.kind === 'too-much') throw new TooMuch()
    if (result.kind === 'broken') throw new BrokenCoding(result.message)
    return result.parts
  }

  destroy(): void {
    this.#parts.length = 0
  }
}
