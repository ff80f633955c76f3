import { createHash, type Hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { Chunk, Fault } from '../../model/chunk.ts'
import { MAX_DEAD_LETTER_BYTES } from '../../model/outcome.ts'

/** A chunk of a stream; `parsed` is told the parser's context before the next one is asked for. */
export interface StreamChunk {
  readonly chunk: Chunk
  readonly parsed: (context: string) => void
}

/** The whole lines of a stream, as they come; a line over `maxRecordBytes` costs only its hash and its head. */
export async function* streamChunks(stream: Readable, place: string, maxRecordBytes: number): AsyncGenerator<StreamChunk> {
  let pending: Buffer[] = []
  let held = 0
  let offset = 0
  let context = ''
  let long: LongLine | undefined
  const emit = (bytes: Buffer, final: boolean, faults: readonly Fault[]): StreamChunk => ({
    chunk: { bytes, framing: 'lines', place, offset, context, final, faults },
    parsed: (after) => {
      context = after
    },
  })
  for await (const piece of stream as AsyncIterable<Buffer>) {
    let rest = piece
    if (long) {
      const newline = rest.indexOf(10)
      long.add(newline < 0 ? rest : rest.subarray(0, newline + 1))
      if (newline < 0) continue
      yield emit(Buffer.alloc(0), false, [long.fault(offset)])
      offset += long.length
      long = undefined
      rest = rest.subarray(newline + 1)
    }
    const whole = rest.lastIndexOf(10) + 1
    if (whole > 0) {
      const bytes = Buffer.concat([...pending, rest.subarray(0, whole)])
      yield emit(bytes, false, [])
      offset += bytes.length
      pending = []
      held = 0
      rest = rest.subarray(whole)
    }
    if (rest.length > 0) {
      pending.push(rest)
      held += rest.length
    }
    if (held > maxRecordBytes) {
      long = new LongLine()
      for (const part of pending) long.add(part)
      pending = []
      held = 0
    }
  }
  if (long) yield emit(Buffer.alloc(0), true, [long.fault(offset)])
  else if (held > 0) yield emit(Buffer.concat(pending), true, [])
}

class LongLine {
  length = 0
  readonly #hash: Hash = createHash('sha256')
  readonly #head: Buffer[] = []
  #headLength = 0

  add(bytes: Buffer): void {
    this.length += bytes.length
    this.#hash.update(bytes)
    if (this.#headLength >= MAX_DEAD_LETTER_BYTES) return
    const part = Buffer.from(bytes.subarray(0, MAX_DEAD_LETTER_BYTES - this.#headLength))
    this.#head.push(part)
    this.#headLength += part.length
  }

  fault(offset: number): Fault {
    const raw = Buffer.concat(this.#head)
    const message = `A line of ${this.length} bytes is longer than a record may be; its first ${raw.length} bytes are kept. Raise max_record_bytes if such records are real.`
    return { reason: 'too_long', message, offset, length: this.length, sha256: this.#hash.digest('hex'), raw }
  }
}
