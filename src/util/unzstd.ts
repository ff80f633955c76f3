import { Decompress } from 'fzstd'
import { messageOf } from './errors.ts'
import { FRAME_WORK, MAX_BLOCK_BYTES, shrinkWindow, windowWork } from './zstd-work.ts'

export type Unzstd =
  | { readonly kind: 'ok'; readonly parts: readonly Uint8Array[] }
  | { readonly kind: 'too-much' }
  | { readonly kind: 'broken'; readonly message: string }

/** RFC 9659: data sent over HTTP must not need a larger window. */
const MAX_WINDOW_BYTES = 8 * 1024 * 1024
/** Work beyond both the limit of the output and this must be justified by the size of the input. */
const FREE_WORK = 1024 * 1024
const MAX_RATIO = 500
/** What reading the header of a block counts as. */
const BLOCK_WORK = 2 * 1024

/** Compressed bytes that are decoded at a time. */
const PIECE = 4 * 1024

/** Decompresses concatenated Zstandard frames. The output never exceeds `maxBytes` by more than one block. */
export function unzstd(data: Uint8Array, maxBytes: number): Unzstd {
  const parts: Uint8Array[] = []
  return settle(parts, () => {
    const steps = decode(data, maxBytes, parts)
    while (!steps.next().done);
  })
}

/** The same, awaiting `between` after each piece so that the thread can do other work. */
export async function unzstdInSlices(
  data: Uint8Array,
  maxBytes: number,
  between: () => Promise<void> | undefined,
): Promise<Unzstd> {
  const parts: Uint8Array[] = []
  const steps = decode(data, maxBytes, parts)
  for (;;) {
    let isDone = false
    const result = settle(parts, () => {
      isDone = steps.next().done === true
    })
    if (isDone || result.kind !== 'ok') return result
    await between()
  }
}

function settle(parts: readonly Uint8Array[], run: () => void): Unzstd {
  try {
    run()
    return { kind: 'ok', parts }
  } catch (error) {
    return error instanceof TooLarge ? { kind: 'too-much' } : { kind: 'broken', message: messageOf(error) }
  }
}

function* decode(data: Uint8Array, maxBytes: number, parts: Uint8Array[]): Generator<void> {
  let size = 0
  let work = 0
  for (let at = 0; at < data.length; ) {
    const start = at
    const frame = measure(data, at, maxBytes)
    if (frame.blocks === 0) {
      at = frame.end
      yield
      continue
    }
    const bytes = frame.blocks === 1 ? Uint8Array.from(data.subarray(at, frame.end)) : data.subarray(at, frame.end)
    const window = frame.blocks === 1 ? shrinkWindow(bytes, frame.window) : frame.window
    work += FRAME_WORK + frame.blocks * (BLOCK_WORK + windowWork(window))
    if (work > Math.max(maxBytes, FREE_WORK, MAX_RATIO * frame.end))
      throw new Error('it is cut into frames or blocks with hardly any content')
    const decoder = new Decompress((part) => {
      size += part.length
      if (size > maxBytes) throw new TooLarge()
      parts.push(part)
    })
    while (at < frame.end) {
      const end = Math.min(frame.end, at + PIECE)
      decoder.push(bytes.subarray(at - start, end - start), end === frame.end)
      at = end
      yield
    }
  }
}

class TooLarge extends Error {}

interface Frame {
  readonly end: number
  /** None if it is to be skipped. */
  readonly blocks: number
  readonly window: number
}

/**
 * Where the frame that begins at `at` ends, by the sizes in its headers. The decoder trusts a
 * header's window and block sizes and allocates that much memory at once, so they are checked here. Throws if they cannot be right.
 */
function measure(data: Uint8Array, at: number, maxBytes: number): Frame {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const need = (end: number): number => {
    if (end > data.length) throw new Error('unexpected end of data')
    return end
  }
  const magic = view.getUint32(need(at + 8) - 8, true)
  if (magic >>> 4 === 0x184d2a5) return { end: need(at + 8 + view.getUint32(at + 4, true)), blocks: 0, window: 0 }
  if (magic !== 0xfd2fb528) throw new Error('not a zstd frame')
  const flags = data[at + 4]!
  const isSingle = (flags & 0x20) !== 0
  const idBytes = [0, 1, 2, 4][flags & 3]!
  if (idBytes > 0) throw new Error('it needs a dictionary')
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6]!
  let block = at + 5 + (isSingle ? 0 : 1)
  need(block + sizeBytes)
  const window = isSingle ? contentSize(view, block, sizeBytes) : windowSize(data[at + 5]!)
  if (isSingle && window > maxBytes) throw new TooLarge()
  if (!isSingle && window > MAX_WINDOW_BYTES) throw new Error(`its window is larger than ${MAX_WINDOW_BYTES} bytes`)
  block += sizeBytes
  for (let blocks = 1; ; blocks++) {
    const header = data[need(block + 3) - 3]! | (data[block + 1]! << 8) | (data[block + 2]! << 16)
    const type = (header >> 1) & 3
    const size = header >> 3
    if (size > MAX_BLOCK_BYTES || type === 3) throw new Error('invalid block')
    block = need(block + 3 + (type === 1 ? 1 : size))
    if ((header & 1) === 1) return { end: need(block + ((flags & 4) === 0 ? 0 : 4)), blocks, window }
  }
}

function contentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at)
  if (bytes === 2) return view.getUint16(at, true) + 256
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true))
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}
