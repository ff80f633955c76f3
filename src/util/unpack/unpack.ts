import { messageOf } from '../errors.ts'
import { createSlice } from '../slice.ts'
import { BrokenPacking, type ByteInput } from './byte-input.ts'
import { unbzip2 } from './bzip2.ts'
import { gunzip } from './gunzip.ts'
import type { Packing } from './packings.ts'
import { unsnappyFrames, unsnappyXerial } from './snappy.ts'
import { PART, type Unpacked } from './unpacked.ts'
import { unzip } from './unzip.ts'
import { unzstdFrames } from './zstd.ts'

const UNPACKERS = {
  gzip: gunzip,
  zstd: unzstdFrames,
  bzip2: unbzip2,
  snappy: unsnappyFrames,
  'snappy-java': unsnappyXerial,
  zip: unzip,
} satisfies Readonly<Record<Packing, (input: ByteInput) => AsyncGenerator<Unpacked>>>

/** No log compresses by more than this; what does is made to fill disks and memory. Content up to `freeBytes` may. Work counts as content. */
const MAX_RATIO = 500
const FREE_BYTES = 256 * 1024 * 1024

/**
 * The content of compressed data, in pieces, of which only a few are in memory at a time. Throws `BrokenPacking` at the place of any
 * damage, after everything before it, and for data that expands, or costs time, without reason. Others get a turn every few milliseconds.
 */
export async function* unpack(packing: Packing, input: ByteInput, freeBytes = FREE_BYTES): AsyncGenerator<Unpacked> {
  let size = 0
  const slice = createSlice()
  input.spend = (bytes) => {
    size += bytes
    if (size > freeBytes && size > MAX_RATIO * input.position)
      throw new BrokenPacking(`it expands to more than ${MAX_RATIO} times its size, or is cut into tiny parts, as no log does`)
    return slice()
  }
  try {
    for await (const piece of UNPACKERS[packing](input)) {
      if (piece !== PART) await input.spend(piece.length)
      yield piece
    }
  } catch (error) {
    if (!(error instanceof BrokenPacking)) throw error
    throw new BrokenPacking(`${packing}, near byte ${input.position}: ${messageOf(error)}`)
  }
}
