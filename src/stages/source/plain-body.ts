import { type Encoding, toUtf8 } from '../../util/encoding.ts'
import { BrokenPacking, ByteInput } from '../../util/unpack/byte-input.ts'
import type { Packing } from '../../util/unpack/packings.ts'
import { packingOf } from '../../util/unpack/packings.ts'
import { unpack } from '../../util/unpack/unpack.ts'
import { PART } from '../../util/unpack/unpacked.ts'
import type { BodyMemory } from './body-memory.ts'
import { BodyRefused } from './read-body.ts'

export interface PlainBodyOptions {
  readonly maxBytes: number
  /** Accounts for what a body becomes. */
  readonly memory: BodyMemory
  readonly encoding: Encoding | undefined
}

/** Compressed bytes decompressed at a time: the output of a step is in memory before it counts. */
const STEP_BYTES = 8 * 1024
/** Work on a body that is done even if it yields no content, counted as bytes; all bodies share the limit of their size, but for this. */
const LEAST_FREE_BYTES = 1024 * 1024
const NEWLINE = Buffer.from('\n')

/**
 * Passes on a body as text in UTF-8: what senders upload may be a compressed file without a header that says so. Throws `BodyRefused` if
 * it is damaged or becomes too large.
 */
export function withPlainBody<T>(
  body: Uint8Array,
  options: PlainBodyOptions,
  take: (body: Uint8Array) => Promise<T>,
): Promise<T> {
  return withRoom(options, async (hold) =>
    take(await plain(body, { encoding: options.encoding, hold, freeBytes: options.maxBytes })),
  )
}

/** The same for several that came together, which are joined by newlines. */
export function withPlainBodies<T>(
  bodies: readonly Uint8Array[],
  options: PlainBodyOptions,
  take: (body: Uint8Array) => Promise<T>,
): Promise<T> {
  return withRoom(options, async (hold) => {
    const texts: Uint8Array[] = []
    const freeBytes = Math.max(LEAST_FREE_BYTES, options.maxBytes / bodies.length)
    for (const body of bodies) texts.push(await plain(body, { encoding: options.encoding, hold, freeBytes }), NEWLINE)
    return take(Buffer.concat(texts))
  })
}

type Hold = (bytes: number) => void

async function plain(body: Uint8Array, options: PlainOptions): Promise<Uint8Array> {
  const { encoding, hold } = options
  const packing = packingOf(body)
  if (packing) return unpacked(body, { ...options, packing })
  const text = toUtf8(body, encoding)
  if (text !== body) hold(text.length)
  return text
}

async function withRoom<T>({ maxBytes, memory }: PlainBodyOptions, act: (hold: Hold) => Promise<T>): Promise<T> {
  let held = 0
  const hold = (bytes: number) => {
    if (held + bytes > maxBytes) throw new BodyRefused(413, `the body is larger than ${maxBytes} bytes as text; split it`)
    if (!memory.take(bytes)) throw new BodyRefused(503, 'too many bodies are being read; try again')
    held += bytes
  }
  try {
    return await act(hold)
  } finally {
    memory.release(held)
  }
}

interface PlainOptions {
  readonly encoding: Encoding | undefined
  readonly hold: Hold
  /** Content, or work, that may exceed the body's size without reason. */
  readonly freeBytes: number
}

interface Unpacking extends PlainOptions {
  readonly packing: Packing
}

/** Members of an archive are separated by a newline. */
async function unpacked(body: Uint8Array, { packing, encoding, hold, freeBytes }: Unpacking): Promise<Uint8Array> {
  const parts: Buffer[] = []
  const members: Uint8Array[] = []
  const finish = () => {
    if (members.length > 0) members.push(NEWLINE)
    members.push(toUtf8(Buffer.concat(parts.splice(0)), encoding))
  }
  let at = 0
  const input = new ByteInput(async () => {
    const step = Buffer.from(body.subarray(at, at + STEP_BYTES))
    at += step.length
    return step.length > 0 ? step : undefined
  })
  try {
    for await (const piece of unpack(packing, input, freeBytes)) {
      if (piece === PART) finish()
      else {
        hold(piece.length)
        parts.push(piece)
      }
    }
  } catch (error) {
    if (error instanceof BrokenPacking) throw new BodyRefused(400, `the body cannot be decompressed: ${error.message}`)
    throw error
  }
  finish()
  return Buffer.concat(members)
}
