import type { Cursor, Extent } from '../model/batch.ts'
import type { Chunk, Fault } from '../model/chunk.ts'
import { MAX_DEAD_LETTER_BYTES } from '../model/outcome.ts'
import type { SpooledRow, SpoolPlace, SpoolRange } from '../model/spool.ts'
import { decodeBody } from '../stages/source/decoders/decode.ts'
import type { Decoder } from '../stages/source/decoders/decoder.ts'
import { decoders as builtIn } from '../stages/source/decoders/index.ts'
import type { BatchSource, SourceStatus } from '../stages/source/source.ts'
import { hash16, sha256 } from '../util/hash.ts'
import type { SpoolStore } from './spool-store.ts'

/** The spool as the pipeline thread reaches it: the other end is the spool thread. */
export type SpoolPort = Pick<SpoolStore, 'next' | 'read' | 'free'>

type SpoolExtent = Extent & SpoolRange & { readonly kind: 'spool' }

const PLACE = 'spool'

/** Reads what a receiver put into the spool for one source. */
export class SpoolSource implements BatchSource {
  readonly id: string
  /** Each body is independent. */
  readonly isIndependent = true
  readonly #port: SpoolPort
  readonly #decoders: readonly Decoder[]
  #readTo: SpoolPlace | undefined

  constructor(id: string, port: SpoolPort, cursors: readonly Cursor[], decoders: readonly Decoder[] = builtIn) {
    this.#decoders = decoders
    this.id = id
    this.#port = port
    this.#readTo = cursors.find((c) => c.place === PLACE)?.value as SpoolPlace | undefined
    // What was committed just before a crash may still be in the spool.
    if (this.#readTo) port.free(id, this.#readTo)
  }

  async next(): Promise<Extent | undefined> {
    const range = await this.#port.next(this.id, this.#readTo)
    return range && ({ kind: 'spool', ...range } satisfies SpoolExtent)
  }

  async read(recorded: Extent): Promise<readonly Chunk[]> {
    const range = recorded as SpoolExtent
    const { rows, lost } = await this.#port.read(this.id, range)
    const letters = [range.lost, lost].flatMap((message) => message ?? [])
    return [
      ...letters.map((message, i) => lostChunk(hash16(this.id, range.epoch, String(range.from), 'lost', String(i)), message)),
      ...rows.map((row) => this.#chunkOf(row, hash16(this.id, range.epoch, String(row.id)))),
    ]
  }

  #chunkOf({ body, decoding, receivedMs, broken }: SpooledRow, place: string): Chunk {
    const chunk = { place, offset: 0, context: '', final: true, receivedMs }
    if (broken !== undefined) return { ...chunk, bytes: new Uint8Array(), faults: [faultOf('truncated', broken, body)] }
    const decoded = decodeBody(body, decoding, this.#decoders)
    if (!('broken' in decoded)) return { ...chunk, ...decoded, faults: [] }
    const { reason = 'decoding' } = decoded
    const message =
      reason === 'compression'
        ? `The compressed data cannot be read further (${decoded.broken}); records before that were kept. Send it again if it is intact elsewhere.`
        : `The body cannot be decoded: ${decoded.broken}. Its bytes are kept; send it again in a format that this source accepts.`
    return { ...chunk, bytes: new Uint8Array(), faults: [faultOf(reason, message, body)] }
  }

  receivedMs(extent: Extent): number {
    return (extent as SpoolExtent).receivedMs
  }

  parsed(recorded: Extent): Cursor {
    const { to, epoch } = recorded as SpoolExtent
    this.#readTo = { epoch, id: to }
    return { place: PLACE, value: this.#readTo }
  }

  committed(extent: Extent): void {
    const { epoch, to } = extent as SpoolExtent
    this.#port.free(this.id, { epoch, id: to })
  }

  status(): SourceStatus {
    // Only the spool thread knows what waits in the spool.
    return { backlogBytes: 0, notices: [] }
  }

  async close(): Promise<void> {}
}

/** What was accepted and can no longer be read is reported. */
function lostChunk(place: string, message: string): Chunk {
  const bytes = new Uint8Array()
  return { bytes, place, offset: 0, context: '', final: true, faults: [faultOf('truncated', message, bytes)] }
}

function faultOf(reason: Fault['reason'], message: string, body: Uint8Array): Fault {
  const raw = body.subarray(0, MAX_DEAD_LETTER_BYTES)
  return { reason, message, offset: 0, length: body.length, sha256: sha256(body), raw }
}
