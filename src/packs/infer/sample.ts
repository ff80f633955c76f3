import type { Chunk } from '../../model/chunk.ts'
import type { StreamChunk } from '../../stages/source/line-stream.ts'

/** More than this of a sample is not read. */
const MAX_BYTES = 64 * 1024 * 1024

/** A sample, framed into records as sources do. */
export interface Sample {
  /** The files' chunks, in order; each file begins with offset 0. */
  readonly chunks: readonly Chunk[]
  /** The sample was longer than what is read. */
  readonly isCut: boolean
}

/** Reads streams one after another, up to a limit. */
export async function readSample(streams: readonly AsyncIterable<StreamChunk>[]): Promise<Sample> {
  const chunks: Chunk[] = []
  let length = 0
  for (const stream of streams)
    for await (const { chunk, parsed } of stream) {
      chunks.push({ ...chunk, bytes: Uint8Array.from(chunk.bytes) })
      length += chunk.bytes.length
      if (length > MAX_BYTES) return { chunks, isCut: true }
      parsed('')
    }
  return { chunks, isCut: false }
}

/** The texts of a chunk's records, without blank lines. */
export function* textsOf(chunk: Chunk): Generator<string> {
  const bytes = Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.byteLength)
  if (chunk.records) {
    for (let i = 0; i < chunk.records.length; i += 2) {
      const text = bytes.toString('utf8', chunk.records[i], chunk.records[i + 1]).trim()
      if (text !== '') yield text
    }
    return
  }
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline < 0 ? bytes.length : newline
    const line = bytes.toString('utf8', start, end)
    if (line.trim() !== '') yield line.endsWith('\r') ? line.slice(0, -1) : line
    start = end + 1
  }
}
