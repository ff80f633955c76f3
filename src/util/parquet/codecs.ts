import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { CompressionCodec } from 'hyparquet'
import { unlz4Block } from '../lz4.ts'
import { snappyBlock } from '../unpack/snappy-block.ts'
import { unzstd } from '../unzstd.ts'

type Decompress = (input: Uint8Array, outputLength: number) => Uint8Array

/** How pages are decompressed. The sizes were checked before. */
export const codecs: Partial<Record<CompressionCodec, Decompress>> = {
  SNAPPY: snappyBlock,
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  ZSTD(input, length) {
    const result = unzstd(input, length)
    if (result.kind !== 'ok') throw new Error('a page cannot be decompressed')
    return Buffer.concat(result.parts)
  },
  LZ4_RAW: unlz4Block,
}
