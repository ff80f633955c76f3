import { createHash, type Hash } from 'node:crypto'
import type { ByteReader } from './byte-reader.ts'

/** Number of bytes per hash of a print. */
export const BLOCK_BYTES = 1024 * 1024
/** The last bytes read are stored unhashed, for a quick check whether they are unchanged. */
const RECENT_BYTES = 1024

/**
 * Identifies what was read of a file: hashes of its blocks of 1 MiB, each including the previous hash, so that the last one
 * covers everything. Plain JSON.
 */
export interface Print {
  /** Of the first block; '' while that is the last one. */
  readonly first: string
  /** Of all blocks before the last; '' while the first is the last. */
  readonly before: string
  /** Of everything; '' if nothing was read. The last block has 1 byte to 1 MiB. */
  readonly last: string
}

/** Builds a print from bytes as they are read. */
export class Printer {
  #first = ''
  #before = ''
  #block: Hash
  #inBlock = 0
  #recent: Buffer = Buffer.alloc(0)

  constructor() {
    this.#block = begin('')
  }

  /** A printer that continues after `print`; `lastBlock` is read again. */
  static goOn(print: Print, lastBlock: Uint8Array): Printer {
    const printer = new Printer()
    printer.#first = print.first
    printer.#before = print.before
    printer.#block = begin(print.before)
    printer.add(lastBlock)
    return printer
  }

  /** The last bytes, at most 1 KiB. */
  get recent(): Buffer {
    return this.#recent
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#inBlock === BLOCK_BYTES) this.#nextBlock()
      const part = bytes.subarray(at, at + BLOCK_BYTES - this.#inBlock)
      this.#block.update(part)
      this.#inBlock += part.length
      at += part.length
    }
    this.#recent =
      bytes.length >= RECENT_BYTES
        ? Buffer.from(bytes.subarray(-RECENT_BYTES))
        : Buffer.concat([this.#recent, bytes]).subarray(-RECENT_BYTES)
  }

  print(): Print {
    const last = this.#inBlock === 0 ? '' : digest(this.#block.copy())
    return { first: this.#first, before: this.#before, last }
  }

  copy(): Printer {
    const copy = new Printer()
    copy.#first = this.#first
    copy.#before = this.#before
    copy.#block = this.#block.copy()
    copy.#inBlock = this.#inBlock
    copy.#recent = this.#recent
    return copy
  }

  #nextBlock(): void {
    this.#before = digest(this.#block)
    if (this.#first === '') this.#first = this.#before
    this.#block = begin(this.#before)
    this.#inBlock = 0
  }
}

function begin(before: string): Hash {
  return createHash('sha256').update(before)
}

function digest(hash: Hash): string {
  return hash.digest('hex').slice(0, 32)
}

/** Where the last block of `length` bytes begins. */
function lastBlockAt(length: number): number {
  return length === 0 ? 0 : Math.floor((length - 1) / BLOCK_BYTES) * BLOCK_BYTES
}

/** Adds the bytes from `from` to `to`. Returns false if the file has fewer. */
export async function addBytes(printer: Printer, reader: ByteReader, from: number, to: number): Promise<boolean> {
  for (let at = from; at < to; ) {
    const { bytes } = await reader.read(at, Math.min(BLOCK_BYTES, to - at))
    if (bytes.length === 0) return false
    printer.add(bytes)
    at += bytes.length
  }
  return true
}

/**
 * A printer at `length`, built from the first and the last block, if these match `print`. `undefined` if they do not: the file was
 * truncated or rewritten.
 */
export async function matchEnds(reader: ByteReader, print: Print, length: number): Promise<Printer | undefined> {
  const start = lastBlockAt(length)
  const { bytes: last } = await reader.read(start, length - start)
  if (last.length < length - start) return undefined
  const printer = Printer.goOn(print, last)
  if (printer.print().last !== print.last) return undefined
  if (start === 0) return printer
  const first = new Printer()
  first.add((await reader.read(0, BLOCK_BYTES)).bytes)
  return first.print().last === print.first ? printer : undefined
}

/** Prints of a file's beginnings, for each length that it reaches. One pass. */
export async function printsOf(reader: ByteReader, lengths: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const prints = new Map<number, string>()
  const printer = new Printer()
  let at = 0
  for (const length of [...new Set(lengths)].sort((a, b) => a - b)) {
    if (!(await addBytes(printer, reader, at, length))) break
    at = length
    prints.set(length, printer.print().last)
  }
  return prints
}

/** True if `whole` begins with everything that can be read of `part`. */
export async function isBeginningOf(part: ByteReader, whole: ByteReader): Promise<boolean> {
  for (let at = 0; ; ) {
    const { bytes } = await part.read(at, BLOCK_BYTES)
    if (bytes.length === 0) return true
    const { bytes: others } = await whole.read(at, bytes.length)
    if (!bytes.equals(others)) return false
    at += bytes.length
  }
}
