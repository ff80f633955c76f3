import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { type CompressionCodec, snappyUncompress } from 'hyparquet'
import { unzstd } from '../unzstd.ts'

type Decompress = (input: Uint8Array, outputLength: number) => Uint8Array

/** How pages are decompressed. The sizes were checked before. */
export const codecs: Partial<Record<CompressionCodec, Decompress>> = {
  SNAPPY(input, length) {
    const output = new Uint8Array(length)
    snappyUncompress(input, output)
    return output
  },
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  ZSTD(input, length) {
    const result = unzstd(input, length)
    if (result.kind !== 'ok') throw new Error('a page cannot be decompressed')
    return Buffer.concat(result.parts)
  },
  LZ4_RAW: lz4,
}

/** One LZ4 block: runs of literals, each followed by a copy of earlier output. */
function lz4(input: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length)
  let at = 0
  let to = 0
  const next = (): number => {
    if (at >= input.length) throw new Error('a page cannot be decompressed')
    return input[at++]!
  }
  const extended = (base: number): number => {
    let count = base
    if (base === 15) for (let more = 255; more === 255; count += more) more = next()
    return count
  }
  while (at < input.length) {
    const token = next()
    const literals = extended(token >> 4)
    if (at + literals > input.length || to + literals > length) throw new Error('a page cannot be decompressed')
    output.set(input.subarray(at, at + literals), to)
    at += literals
    to += literals
    if (at === input.length) break
    const distance = next() | (next() << 8)
    const copied = extended(token & 15) + 4
    if (distance === 0 || distance > to || to + copied > length) throw new Error('a page cannot be decompressed')
    for (let i = 0; i < copied; i++, to++) output[to] = output[to - distance]!
  }
  return output.subarray(0, to)
}
