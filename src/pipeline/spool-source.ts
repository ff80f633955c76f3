import type { Cursor, Extent } from '../model/batch.ts'
import type { Chunk, Fault } from '../model/chunk.ts'
import { MAX_DEAD_LETTER_BYTES } from '../model/outcome.ts'
import type { SpooledRow } from '../model/spool.ts'
import { decodeBody } from '../stages/source/decoders/decode.ts'
import type { Decoder } from '../stages/source/decoders/decoder.ts'
import { decoders as builtIn } from '../stages/source/decoders/index.ts'
import type { BatchSource, SourceStatus } from '../stages/source/source.ts'
import { hash16, sha256 } from '../util/hash.ts'

/** The spool as the pipeline thread reaches it: the other end is the spool thread. */
export interface SpoolPort {
  readonly epoch: string
  next(sourceId: string, afterId: number): Promise<{ from: number; to: number; receivedMs: number } | undefined>
  read(sourceId: string, from: number, to: number): Promise<readonly SpooledRow[]>
  free(sourceId: string, upToId: number): void
}

interface SpoolExtent extends Extent {
  readonly kind: 'spool'
  readonly epoch: string
  readonly from: number
  readonly to: number
  readonly receivedMs: number
}

const PLACE = 'spool'

/** Reads what a receiver put into the spool for one source. */
export class SpoolSource implements BatchSource {
  readonly id: string
  /** Each body is independent. */
  readonly isIndependent = true
  readonly #port: SpoolPort
  readonly #decoders: readonly Decoder[]
  #readTo: number

  constructor(id: string, port: SpoolPort, cursors: readonly Cursor[], decoders: readonly Decoder[] = builtIn) {
    this.#decoders = decoders
    this.id = id
    this.#port = port
    const cursor = cursors.find((c) => c.place === PLACE)?.value as { epoch: string; id: number } | undefined
    this.#readTo = cursor?.epoch === port.epoch ? cursor.id : 0
    // What was committed just before a crash may still be in the spool.
    if (this.#readTo > 0) port.free(id, this.#readTo)
  }

  async next(): Promise<Extent | undefined> {
    const range = await this.#port.next(this.id, this.#readTo)
    return range && ({ kind: 'spool', epoch: this.#port.epoch, ...range } satisfies SpoolExtent)
  }

  async read(recorded: Extent): Promise<readonly Chunk[]> {
    const { from, to, epoch } = recorded as SpoolExtent
    if (epoch !== this.#port.epoch) return [lost(this.id, epoch, from, to)]
    const rows = await this.#port.read(this.id, from, to)
    return rows.map((row) => this.#chunkOf(row, hash16(this.id, epoch, String(row.id))))
  }

  #chunkOf({ body, decoding, receivedMs }: SpooledRow, place: string): Chunk {
    const chunk = { place, offset: 0, context: '', final: true, receivedMs }
    const decoded = decodeBody(body, decoding, this.#decoders)
    if (!('broken' in decoded)) return { ...chunk, ...decoded, faults: [] }
    const { reason = 'decoding' } = decoded
    const message =
      reason === 'compression'
        ? `The compressed data cannot be read further (${decoded.broken}); records before that were kept. Send it again if it is intact elsewhere.`
        : `The body cannot be decoded: ${decoded.broken}. Its bytes are kept; send it again in a format that this source accepts.`
    const raw = body.subarray(0, MAX_DEAD_LETTER_BYTES)
    const fault: Fault = { reason, message, offset: 0, length: body.length, sha256: sha256(body), raw }
    return { ...chunk, bytes: new Uint8Array(), faults: [fault] }
  }

  receivedMs(extent: Extent): number {
    return (extent as SpoolExtent).receivedMs
  }

  parsed(recorded: Extent): Cursor {
    const { to, epoch } = recorded as SpoolExtent
    if (epoch === this.#port.epoch) this.#readTo = Math.max(this.#readTo, to)
    return { place: PLACE, value: { epoch, id: to } }
  }

  committed(extent: Extent): void {
    const { epoch, to } = extent as SpoolExtent
    if (epoch === this.#port.epoch) this.#port.free(this.id, to)
  }

  status(): SourceStatus {
    // Only the spool thread knows what waits in the spool.
    return { backlogBytes: 0, notices: [] }
  }

  async close(): Promise<void> {}
}

/** A batch was begun, but its spool has since been replaced: what can no longer be read is reported. */
function lost(sourceId: string, epoch: string, from: number, to: number): Chunk {
  const message = `bodies ${from} to ${to} of an earlier batch are missing: the spool was deleted or replaced. Keep spool.db and state.db together.`
  const bytes = new Uint8Array()
  return {
    bytes,
    place: hash16(sourceId, epoch, String(from)),
    offset: 0,
    context: '',
    final: true,
    faults: [{ reason: 'truncated', message, offset: 0, length: 0, sha256: sha256(bytes), raw: bytes }],
  }
}
