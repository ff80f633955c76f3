import type { Readable } from 'node:stream'
import type { Chunk, Fault } from '../../model/chunk.ts'
import { MAX_DEAD_LETTER_BYTES } from '../../model/outcome.ts'
import type { Encoding } from '../../util/encoding.ts'
import { sha256 } from '../../util/hash.ts'
import { BrokenPacking } from '../../util/unpack/byte-input.ts'
import { plainText } from '../../util/unpack/plain.ts'
import { PART } from '../../util/unpack/unpacked.ts'
import { type DecodedText, decodeText } from './decoders/decode.ts'
import { deliveriesApart } from './decoders/deliveries.ts'
import type { TextState } from './decoders/text-walk.ts'
import { LongRecord, tooLongFault } from './long-record.ts'

/** A chunk of a stream. Call `parsed` with the parser's context before requesting the next one. */
export interface StreamChunk {
  readonly chunk: Chunk
  readonly parsed: (context: string) => void
}

export interface StreamOptions {
  /** Goes into row ids. */
  readonly place: string
  /** A longer record costs only its hash and its head. */
  readonly maxRecordBytes: number
  /** Called with a sentence about NUL bytes that were skipped. */
  readonly tell: (notice: string) => void
  readonly encoding?: Encoding | undefined
}

/** The complete records of a stream, as they arrive, decompressed and recoded as its first bytes require. */
export async function* streamChunks(
  stream: Readable,
  { place, maxRecordBytes, tell, encoding }: StreamOptions,
): AsyncGenerator<StreamChunk> {
  let offset = 0
  let context = ''
  let nulBytes = 0
  let long: LongRecord | undefined
  /** Bytes that may continue the over-long record, see `LongRecord.add`. */
  let undecided: Buffer = Buffer.alloc(0)
  let held = new HeldBytes()
  let isStart = true
  const emit = (more: Pick<Chunk, 'bytes'> & Partial<Chunk>): StreamChunk => ({
    chunk: { place, offset, context, final: false, faults: [], ...more },
    parsed: (after) => {
      context = after
    },
  })
  function* take(bytes: Buffer, final: boolean): Generator<StreamChunk> {
    let rest = bytes
    for (;;) {
      if (long) {
        rest = long.add(rest, final)
        const isOver = long.isWhole || final
        undecided = isOver ? Buffer.alloc(0) : rest
        if (!isOver) return
        yield emit({ bytes: Buffer.alloc(0), final, faults: [faultOf(long, offset)] })
        offset += long.length
        long = undefined
      }
      const framed = held.frame(rest, { isStart, final })
      if (!framed) return
      nulBytes += framed.nulBytes
      if (framed.bytes.length > 0) {
        isStart = false
        yield emit({ ...deliveriesApart(framed), final })
      }
      offset += framed.bytes.length
      if (held.length <= maxRecordBytes) return
      long = new LongRecord(framed.pending)
      rest = held.take()
    }
  }
  try {
    for await (const piece of plainText(stream as AsyncIterable<Buffer>, encoding)) {
      if (piece !== PART) yield* take(undecided.length > 0 ? Buffer.concat([undecided, piece]) : piece, false)
      else {
        // A member of an archive is read as if it were alone.
        yield* take(undecided, true)
        held = new HeldBytes()
        isStart = true
        context = ''
      }
    }
    yield* take(undecided, true)
  } catch (error) {
    if (!(error instanceof BrokenPacking)) throw error
    const raw = long ? long.head() : held.take()
    const length = long ? long.length : raw.length
    const sum = long ? long.digest() : sha256(raw)
    const message = `The compressed data cannot be read further (${error.message}); records before that were kept.`
    const fault: Fault = {
      reason: 'compression',
      message,
      offset,
      length,
      sha256: sum,
      raw: raw.subarray(0, MAX_DEAD_LETTER_BYTES),
    }
    yield emit({ bytes: Buffer.alloc(0), final: true, faults: [fault] })
  }
  if (nulBytes > 0) tell(`${nulBytes} NUL bytes between records were skipped`)
}

/** Up to this size an incomplete record is scanned again with every piece; beyond it, each time the size has doubled. */
const RESCAN_BYTES = 1024 * 1024

/** The part of a stream that is not a complete record yet. */
export class HeldBytes {
  length = 0
  readonly #stream: string
  #pieces: Buffer[] = []
  #state: TextState = 'lines'
  #pending: DecodedText['pending'] = 'line'
  #nextScan = 0

  /** `stream`: parameters of how its text is split. */
  constructor(stream = '') {
    this.#stream = stream
  }

  /** The kind of record with which the held bytes begin. */
  get state(): TextState {
    return this.#state
  }

  /** What is held ends with a line. */
  get endsLine(): boolean {
    return this.#pieces.at(-1)?.at(-1) === 10
  }

  /** Adds a piece. Returns and releases the bytes of the records that are now complete, or `undefined` if there cannot be any. */
  frame(
    piece: Buffer,
    options: { readonly isStart: boolean; readonly final?: boolean },
  ):
    | (Pick<DecodedText, 'records' | 'count' | 'nulBytes' | 'pending'> & { readonly bytes: Buffer; readonly state: TextState })
    | undefined {
    this.#pieces.push(piece)
    this.length += piece.length
    const isLine = this.#pending === 'line' && this.#state === 'lines'
    if (!options.final && this.length < this.#nextScan && !(isLine && piece.includes(10))) return undefined
    const { state } = this
    const all = this.take()
    const framed = decodeText(all, { state, stream: this.#stream, ...options })
    const rest = all.subarray(framed.end)
    if (rest.length > 0) this.#pieces = [rest]
    this.length = rest.length
    this.#state = framed.state
    this.#pending = framed.pending
    this.#nextScan = rest.length > RESCAN_BYTES ? 2 * rest.length : 0
    return { ...framed, bytes: all.subarray(0, framed.end), state }
  }

  /** Returns and releases everything that is held. */
  take(): Buffer {
    const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.length = 0
    this.#pending = 'line'
    this.#nextScan = 0
    return all
  }
}

function faultOf(long: LongRecord, offset: number): Fault {
  return tooLongFault({ offset, length: long.length, sha256: long.digest(), raw: long.head() })
}
