import { MalformedMsgpack } from '../../util/msgpack/head.ts'
import { MsgpackReader } from '../../util/msgpack/reader.ts'
import { msgpackOf } from '../../util/msgpack/write.ts'
import { type Decoder as CodingDecoder, decoderOf } from './content-coding.ts'
import { readMessage, readPacked } from './decoders/forward-message.ts'
import { Spread } from './decoders/otlp-log.ts'
import { clip, MAX_RECORDS } from './receive.ts'

const MAX_CHUNK_NAME = 1024

/** A message that can be stored. */
export interface ForwardChunk {
  /** The message, without compression. */
  readonly bytes: Buffer
  readonly entries: number
  /** The name by which the sender wants it acknowledged. */
  readonly name: string | undefined
}

export interface ChunkLimits {
  readonly maxBytes: number
  /** Accounts for decompressed bytes. Throws if there are too many. */
  readonly hold: (bytes: number) => void
}

/** Checks a message and undoes its compression. Rejects with `MalformedMsgpack`, `BrokenCoding` or `TooMuch`. */
export async function forwardChunk(bytes: Buffer, limits: ChunkLimits): Promise<ForwardChunk> {
  let entries = 0
  const spread = new Spread()
  const count = (tag: string) => {
    if (!spread.add(tag.length)) throw new MalformedMsgpack('the tag times entries is more than 64 MiB; send smaller chunks')
    if (++entries > MAX_RECORDS) throw new MalformedMsgpack(`a message has more than ${MAX_RECORDS} entries; send smaller chunks`)
  }
  const { tag, packed, option } = readMessage(new MsgpackReader(bytes), count)
  const { chunk, compressed, fluent_signal: signal } = option
  if (chunk !== undefined && (typeof chunk !== 'string' || chunk.length > MAX_CHUNK_NAME))
    throw new MalformedMsgpack(`the option chunk is not a text of at most ${MAX_CHUNK_NAME} characters`)
  // Of Fluent Bit: 1 is metrics, 2 is traces.
  if (signal !== undefined && signal !== 0) throw new MalformedMsgpack('metrics and traces are not accepted, only logs')
  if (!packed) return { bytes, entries, name: chunk }
  const coding = compressed ?? 'text'
  if (coding !== 'text' && coding !== 'gzip' && coding !== 'zstd')
    throw new MalformedMsgpack(`the option compressed is ${clip(JSON.stringify(coding))}; send gzip or no compression`)
  if (coding === 'text') {
    readPacked(tag, packed, count)
    return { bytes, entries, name: chunk }
  }
  const plain = await decompressed(packed, decoderOf(coding, limits), limits)
  readPacked(tag, plain, count)
  return { bytes: msgpackOf([tag, plain]), entries, name: chunk }
}

async function decompressed(packed: Buffer, decoder: CodingDecoder, { hold }: ChunkLimits): Promise<Buffer> {
  const parts: Uint8Array[] = []
  const keep = (more: readonly Uint8Array[]) => {
    for (const part of more) hold(part.length)
    parts.push(...more)
  }
  try {
    keep(await decoder.write(packed))
    keep(await decoder.end())
    return Buffer.concat(parts)
  } finally {
    decoder.destroy()
  }
}
