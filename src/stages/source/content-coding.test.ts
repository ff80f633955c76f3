import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { type Coding, decoderOf, TooMuch } from './content-coding.ts'

const MAX_BYTES = 1000

async function decoded(coding: Coding, bytes: Uint8Array): Promise<number | 'too much'> {
  const decoder = decoderOf(coding, { maxBytes: MAX_BYTES, hold: () => {} })
  try {
    const parts = [...(await decoder.write(bytes)), ...(await decoder.end())]
    return parts.reduce((n, part) => n + part.length, 0)
  } catch (error) {
    if (error instanceof TooMuch) return 'too much'
    throw error
  } finally {
    decoder.destroy()
  }
}

/** A zstd frame of one block. Its header announces the content size, or only a window. */
function zstd(contentSize: number, { isAnnounced, isRaw }: { isAnnounced: boolean; isRaw: boolean }): Uint8Array {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(contentSize)
  const header = isAnnounced ? Buffer.from([0xa0, ...size]) : Buffer.from([0x00, 0x38])
  const block = Buffer.alloc(4)
  block.writeUInt32LE(1 | ((isRaw ? 0 : 1) << 1) | (contentSize << 3))
  const content = Buffer.alloc(isRaw ? contentSize : 1, 'x')
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), header, block.subarray(0, 3), content])
}

const repeated = { isAnnounced: false, isRaw: false }
const announced = { isAnnounced: true, isRaw: false }
const raw = { isAnnounced: false, isRaw: true }

test.each<[string, Coding, (size: number) => Uint8Array, most: number]>([
  ['gzip', 'gzip', (size) => gzipSync(Buffer.alloc(size, 'x')), MAX_BYTES],
  ['deflate with its frame', 'deflate', (size) => deflateSync(Buffer.alloc(size, 'x')), MAX_BYTES],
  ['deflate without its frame', 'deflate', (size) => deflateRawSync(Buffer.alloc(size, 'x')), MAX_BYTES],
  ['br', 'br', (size) => brotliCompressSync(Buffer.alloc(size, 'x')), MAX_BYTES],
  ['zstd', 'zstd', (size) => zstd(size, repeated), MAX_BYTES],
  ['zstd that announces its size', 'zstd', (size) => zstd(size, announced), MAX_BYTES],
  // The limit also applies to data held back until the frame is complete.
  ['zstd that does not compress', 'zstd', (size) => zstd(size, raw), MAX_BYTES - zstd(0, raw).length],
])('%s: the limit itself is decoded, a byte more is not', async (_, coding, encode, most) => {
  expect(await decoded(coding, encode(most))).toBe(most)
  expect(await decoded(coding, encode(most + 1))).toBe('too much')
})
