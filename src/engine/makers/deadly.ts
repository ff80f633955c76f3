import { hash } from 'node:crypto'
import type { Chunk, Fault } from '../../model/chunk.ts'
import { MAX_DEAD_LETTER_BYTES } from '../../model/outcome.ts'

/** Records of one batch that are searched for one by one; if there are more, the rest of the batch counts as deadly. */
const MAX_DEADLY = 4
const NEWLINE = 0x0a

/** A record by its chunk, and its first byte and end there. */
interface Place {
  readonly chunk: number
  readonly from: number
  readonly to: number
}

/**
 * A batch's chunks in which the records that end threads are faults, so that they become dead letters. `survives` makes a batch of these
 * chunks in a thread, and is false if the thread ended. Each record is found by halving how much of the batch is made: what comes before a
 * record (the header of its log) stays before it. Where that finds nothing, all records are faults.
 */
export async function withoutDeadly(
  chunks: readonly Chunk[],
  survives: (chunks: readonly Chunk[]) => Promise<boolean>,
): Promise<readonly Chunk[]> {
  let fine = chunks.flatMap((chunk, number) => placesOf(chunk, number))
  const deadly: Place[] = []
  const composed = (places: readonly Place[], faults: readonly Place[]) =>
    chunks.map((chunk, number) => {
      const at = ({ chunk: of }: Place) => of === number
      return {
        ...chunk,
        ...recordsOf(places.filter(at)),
        faults: [...chunk.faults, ...faults.filter(at).map((place) => faultOf(chunk, place))],
      }
    })
  while (fine.length > 0 && !(await survives(composed(fine, [])))) {
    if (deadly.length === MAX_DEADLY) return composed([], [...deadly, ...fine])
    // Below `low` the records are known to be survived; with the one before `high` they are not.
    let [low, high] = [0, fine.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (await survives(composed(fine.slice(0, middle), []))) low = middle
      else high = middle
    }
    deadly.push(fine[low]!)
    fine = fine.toSpliced(low, 1)
  }
  return composed(fine, deadly)
}

function placesOf({ bytes, records }: Chunk, chunk: number): Place[] {
  const places: Place[] = []
  if (records) for (let i = 0; i < records.length; i += 2) places.push({ chunk, from: records[i]!, to: records[i + 1]! })
  else
    for (let from = 0; from < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, from)
      const to = newline < 0 ? bytes.length : newline
      if (to > from) places.push({ chunk, from, to })
      from = to + 1
    }
  return places
}

function recordsOf(places: readonly Place[]): Pick<Chunk, 'records'> {
  return { records: Uint32Array.from(places.flatMap(({ from, to }) => [from, to])) }
}

function faultOf({ bytes, offset }: Chunk, { from, to }: Place): Fault {
  const record = bytes.subarray(from, to)
  return {
    reason: 'internal',
    message:
      'Every thread that processed this record ended, perhaps because it ran out of memory. This is a bug in Caracal; the bytes are kept, please report it.',
    offset: offset + from,
    length: record.length,
    sha256: hash('sha256', record),
    raw: record.slice(0, MAX_DEAD_LETTER_BYTES),
  }
}
