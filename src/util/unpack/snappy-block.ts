import { BrokenPacking } from './byte-input.ts'

/** A block has more than it may have. */
export class BlockTooLarge extends BrokenPacking {}

/**
 * The content of a block in Snappy's format (https://github.com/google/snappy/blob/main/format_description.txt). Throws `BrokenPacking`
 * if it is damaged, `BlockTooLarge` if it has more than `most` bytes. Written here because the decoder of hyparquet computes lengths as signed numbers, and so
 * never ends on a block of ten bytes.
 */
export function snappyBlock(input: Uint8Array, most: number): Buffer {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const [size, first] = sizeOf(bytes)
  if (size > most) throw new BlockTooLarge(`a block of snappy has more than ${most} bytes`)
  const output = Buffer.alloc(size)
  let at = first
  let end = 0
  while (at < bytes.length) {
    const tag = bytes[at++]!
    const kind = tag & 3
    // A literal of up to 60 bytes has its length in the tag; longer ones, and all copies, have one to four bytes behind it.
    const more = kind === 0 ? Math.max(0, (tag >> 2) - 59) : kind === 3 ? 4 : kind
    if (at + more > bytes.length) throw broken()
    const number = more === 0 ? tag >> 2 : bytes.readUIntLE(at, more)
    at += more
    if (kind === 0) {
      const length = number + 1
      if (length > bytes.length - at || length > size - end) throw broken()
      bytes.copy(output, end, at, at + length)
      at += length
      end += length
    } else {
      const length = kind === 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2)
      const offset = kind === 1 ? ((tag >> 5) << 8) | number : number
      if (offset === 0 || offset > end || length > size - end) throw broken()
      // A copy may reach into what it writes itself, which repeats a pattern.
      if (offset >= length) output.copyWithin(end, end - offset, end - offset + length)
      else for (let i = 0; i < length; i++) output[end + i] = output[end + i - offset]!
      end += length
    }
  }
  if (end !== size) throw broken()
  return output
}

/** The uncompressed size, which comes first in 7 bits a byte, and where it ends. */
function sizeOf(bytes: Buffer): readonly [size: number, end: number] {
  let size = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i]
    if (byte === undefined) break
    size += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return [size, i + 1]
  }
  throw new BrokenPacking('a block of snappy has no length')
}

function broken(): BrokenPacking {
  return new BrokenPacking('a block of snappy is damaged')
}
