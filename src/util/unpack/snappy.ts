import { BrokenPacking, type ByteInput } from './byte-input.ts'
import { crc32c } from './crc32c.ts'
import { snappyBlock } from './snappy-block.ts'

const MAX_CHUNK_BYTES = 64 * 1024
/** A block of Java's stream is 32 KiB unless its writer was configured otherwise. */
const MAX_XERIAL_BYTES = 32 * 1024 * 1024
const XERIAL_HEADER = 16

/** The content of the framed format (https://github.com/google/snappy/blob/main/framing_format.txt), chunk by chunk. */
export async function* unsnappyFrames(input: ByteInput): AsyncGenerator<Buffer> {
  while ((await input.peek(1)).length > 0) {
    const head = await input.take(4)
    const type = head[0]!
    const length = head.readUIntLE(1, 3)
    if (type <= 1 && (length < 4 || length > MAX_CHUNK_BYTES + 16_384)) throw new BrokenPacking('a chunk has an impossible size')
    if (type > 1 && type < 0x80) throw new BrokenPacking(`a chunk has the unknown type ${type}`)
    const body = await input.take(length)
    if (type > 1) continue
    const content = type === 1 ? body.subarray(4) : snappyBlock(body.subarray(4), MAX_CHUNK_BYTES)
    const sum = crc32c(content)
    // Sums are stored masked: rotated, plus a constant.
    if ((((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0 !== body.readUInt32LE()) throw new BrokenPacking('a checksum is wrong')
    yield content
  }
}

/** The content of a stream of Java's library (snappy-java): a header, then the length of each block in 4 bytes. */
export async function* unsnappyXerial(input: ByteInput): AsyncGenerator<Buffer> {
  await input.take(XERIAL_HEADER)
  while ((await input.peek(1)).length > 0) {
    const length = (await input.take(4)).readInt32BE()
    if (length < 0 || length > MAX_XERIAL_BYTES) throw new BrokenPacking('a block has an impossible size')
    yield snappyBlock(await input.take(length), MAX_XERIAL_BYTES)
  }
}
