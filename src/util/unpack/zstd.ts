import { Decompress } from 'fzstd'
import { messageOf } from '../errors.ts'
import { FRAME_WORK, MAX_BLOCK_BYTES, shrinkWindow, windowWork } from '../zstd-work.ts'
import { BrokenPacking, type ByteInput } from './byte-input.ts'

/** As much as the format's own tools accept without being asked (`zstd --long=27`). The decoder allocates it at once. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024
const MAGIC = 0xfd2fb528

/**
 * The content of all frames of a zstd file (RFC 8878), one after the other, block by block. Checksums are not verified: the decoder does
 * not, and it notices most damage by itself.
 */
export async function* unzstdFrames(input: ByteInput): AsyncGenerator<Buffer> {
  while ((await input.peek(1)).length > 0) {
    const magic = (await input.peek(4)).length < 4 ? undefined : (await input.peek(4)).readUInt32LE()
    if (magic !== undefined && magic >>> 4 === 0x184d2a5) await skip(input)
    else if (magic === MAGIC) yield* frame(input)
    else throw new BrokenPacking('what follows a frame is not one')
  }
}

/** What a frame to be skipped counts as. */
const SKIP_WORK = 4 * 1024

async function skip(input: ByteInput): Promise<void> {
  await input.spend(SKIP_WORK)
  for (let left = (await input.take(8)).readUInt32LE(4); left > 0; ) {
    const length = Math.min(left, 64 * 1024)
    await input.take(length)
    left -= length
  }
}

async function* frame(input: ByteInput): AsyncGenerator<Buffer> {
  const { head, window: announced } = await headOf(input)
  const isSingleBlock = (((await input.peek(1))[0] ?? 0) & 1) === 1
  const out: Buffer[] = []
  const decoder = new Decompress((part) => out.push(Buffer.from(part)))
  const push = (bytes: Buffer, isLast: boolean) => asBroken(() => decoder.push(bytes, isLast))
  const window = isSingleBlock ? asBroken(() => shrinkWindow(head, announced)) : announced
  const blockWork = windowWork(window)
  await input.spend(FRAME_WORK)
  push(head, false)
  for (let isLast = false; !isLast; ) {
    await input.spend(blockWork)
    const header = (await input.take(3)).readUIntLE(0, 3)
    isLast = (header & 1) === 1
    const type = (header >> 1) & 3
    const size = header >> 3
    if (size > MAX_BLOCK_BYTES || type === 3) throw new BrokenPacking('a block is invalid')
    const block = await input.take(type === 1 ? 1 : size)
    const start = Buffer.alloc(3)
    start.writeUIntLE(header, 0, 3)
    const checksum = isLast && head[4]! & 4 ? await input.take(4) : Buffer.alloc(0)
    push(Buffer.concat([start, block, checksum]), isLast)
    yield* out.splice(0)
  }
}

function asBroken<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw new BrokenPacking(messageOf(error))
  }
}

/** Takes the header of a frame, and checks the sizes that the decoder trusts. The header is a copy. */
async function headOf(input: ByteInput): Promise<{ readonly head: Buffer; readonly window: number }> {
  const flags = (await input.peek(5))[4] ?? 0
  const isSingle = (flags & 0x20) !== 0
  if (flags & 3) throw new BrokenPacking('it needs a dictionary')
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6]!
  const head = Buffer.from(await input.take(5 + (isSingle ? 0 : 1) + sizeBytes))
  const window = isSingle ? contentSize(head.subarray(5)) : windowSize(head[5]!)
  if (window > MAX_WINDOW_BYTES)
    throw new BrokenPacking(`its window is larger than ${MAX_WINDOW_BYTES} bytes: compress it without --long or --ultra`)
  return { head, window }
}

function contentSize(field: Buffer): number {
  if (field.length === 8) return Number(field.readBigUInt64LE())
  return field.readUIntLE(0, field.length) + (field.length === 2 ? 256 : 0)
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}
