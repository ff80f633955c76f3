import { type Encoding, recoded } from '../encoding.ts'
import { ByteInput } from './byte-input.ts'
import { isUndecided, packingOf } from './packings.ts'
import { unpack } from './unpack.ts'
import type { Unpacked } from './unpacked.ts'

/** Compressed bytes decompressed at a time: the output of a step that turns out to be broken is lost. */
const STEP_BYTES = 512

/**
 * A stream as text in UTF-8: decompressed if its first bytes show that it is compressed, and recoded. Nothing is held back longer than
 * needed to see that. Throws `BrokenPacking` where compressed data is damaged.
 */
export async function* plainText(stream: AsyncIterable<Buffer>, encoding?: Encoding): AsyncGenerator<Unpacked> {
  const pieces = stream[Symbol.asyncIterator]()
  try {
    const input = new ByteInput(async () => {
      const { value, done } = await pieces.next()
      return done ? undefined : value
    })
    let head = await input.peek(1)
    while (isUndecided(head)) {
      const longer = await input.peek(head.length + 1)
      if (longer.length === head.length) break
      head = longer
    }
    const packing = packingOf(head)
    yield* recoded(packing ? unpack(packing, new ByteInput(steps(input))) : all(input), encoding)
  } finally {
    await pieces.return?.()
  }
}

async function* all(input: ByteInput): AsyncGenerator<Buffer> {
  for (let bytes = await input.some(); bytes; bytes = await input.some()) yield bytes
}

function steps(input: ByteInput): () => Promise<Buffer | undefined> {
  return async () => {
    const bytes = await input.some()
    if (bytes && bytes.length > STEP_BYTES) input.back(bytes.subarray(STEP_BYTES))
    return bytes?.subarray(0, STEP_BYTES)
  }
}
