import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { messageOf } from '../errors.ts'
import { unlz4Block } from '../lz4.ts'
import { createSlice } from '../slice.ts'
import { snappyBlock } from '../unpack/snappy-block.ts'
import { unzstdInSlices } from '../unzstd.ts'

/** Maximum size of a decompressed batch of messages. */
const MAX_BYTES = 64 * 1024 * 1024
const MIB = 1024 * 1024

/** Decompresses a batch of messages as Kafka's producers compress it. */
export type Uncompress = (input: Buffer) => Promise<Buffer>

export const packGzip = promisify(gzip) as (input: Buffer) => Promise<Buffer>

export const unpackGzip: Uncompress = (input) =>
  (promisify(gunzip) as (data: Buffer, options: object) => Promise<Buffer>)(input, { maxOutputLength: MAX_BYTES })

export const unpackZstd: Uncompress = async (input) => {
  const result = await unzstdInSlices(input, MAX_BYTES, createSlice())
  if (result.kind !== 'ok') throw new Error(`a batch of messages cannot be decompressed (zstd: ${result.kind})`)
  return Buffer.concat(result.parts)
}

const XERIAL = Buffer.from('\x82SNAPPY\0', 'latin1')
const XERIAL_HEADER = 16

/** A bare block, or blocks as Java's stream writes them: a header of 16 bytes, then the length of each block in 4 bytes. */
export const unpackSnappy: Uncompress = async (input) => {
  if (!input.subarray(0, XERIAL.length).equals(XERIAL)) return blockOf(input, MAX_BYTES)
  const parts: Buffer[] = []
  let left = MAX_BYTES
  for (let at = XERIAL_HEADER; at < input.length; ) {
    const length = at + 4 <= input.length ? input.readInt32BE(at) : -1
    if (length < 0 || at + 4 + length > input.length) throw broken('snappy')
    const part = blockOf(input.subarray(at + 4, at + 4 + length), left)
    parts.push(part)
    left -= part.length
    at += 4 + length
  }
  return Buffer.concat(parts)
}

function blockOf(input: Buffer, most: number): Buffer {
  try {
    return snappyBlock(input, most)
  } catch (error) {
    throw new Error(`a batch of messages cannot be decompressed (snappy: ${messageOf(error)})`, { cause: error })
  }
}

const LZ4_MAGIC = 0x184d2204
const LZ4_BLOCK_BYTES: Readonly<Record<number, number>> = { 4: 64 * 1024, 5: 256 * 1024, 6: MIB, 7: 4 * MIB }

/** No LZ4 block grows by more than this. */
const MAX_RATIO = 256

/** An LZ4 frame of independent blocks. Checksums are not verified: Kafka has one of its own over the whole batch. */
export const unpackLz4: Uncompress = async (input) => {
  if (input.length < 7 || input.readUInt32LE(0) !== LZ4_MAGIC) throw broken('lz4')
  const flags = input[4]!
  const blockBytes = LZ4_BLOCK_BYTES[(input[5]! >> 4) & 7]
  if (blockBytes === undefined || !(flags & 0x20)) throw broken('lz4')
  const parts: Uint8Array[] = []
  let left = MAX_BYTES
  for (let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0); ; ) {
    if (at + 4 > input.length) throw broken('lz4')
    const word = input.readUInt32LE(at)
    if (word === 0) return Buffer.concat(parts)
    const length = word & 0x7fffffff
    const block = input.subarray(at + 4, at + 4 + length)
    if (block.length < length) throw broken('lz4')
    const part = word >>> 31 ? block : Buffer.from(unlz4Block(block, Math.min(blockBytes, MAX_RATIO * length)))
    left -= part.length
    if (left < 0) throw tooLarge('lz4')
    parts.push(part)
    at += 4 + length + (flags & 0x10 ? 4 : 0)
  }
}

function broken(codec: string): Error {
  return new Error(`a batch of messages cannot be decompressed (${codec})`)
}

function tooLarge(codec: string): Error {
  return new Error(
    `a batch of messages has more than ${MAX_BYTES / MIB} MiB when decompressed (${codec}): have the producer send smaller batches`,
  )
}
