import type { Cursor, Extent } from '../../../model/batch.ts'
import type { Chunk } from '../../../model/chunk.ts'
import { type BatchSource, BUSY } from '../source.ts'

/** What a source was read. */
export interface TakenBatches {
  readonly chunks: Chunk[]
  readonly extents: Extent[]
  readonly cursors: Map<string, Cursor>
}

/** Reads as the pipeline does, at most this many batches. */
export async function take(source: BatchSource, most = Number.POSITIVE_INFINITY): Promise<TakenBatches> {
  const taken: TakenBatches = { chunks: [], extents: [], cursors: new Map() }
  while (taken.extents.length < most) {
    const extent = await source.next()
    if (extent === BUSY) continue
    if (!extent) break
    taken.extents.push(structuredClone(extent))
    taken.chunks.push(...(await source.read(extent)))
    const cursor = structuredClone(source.parsed(extent, ''))
    taken.cursors.set(cursor.place, cursor)
    source.committed(extent)
  }
  return taken
}

/** The lines that were read. */
export function linesOf({ chunks }: TakenBatches): string[] {
  return chunks.flatMap(({ bytes }) => Buffer.from(bytes).toString().split('\n').filter(Boolean))
}

/** Reason and message of what could not be read. */
export function lettersOf({ chunks }: TakenBatches): string[] {
  return chunks.flatMap(({ faults }) => faults.map(({ reason, message }) => `${reason} ${message}`))
}
