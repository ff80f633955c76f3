import { sliceByRule } from '../../prefilter/selection.ts'

/** A run of whole events of a batch, judged in one crossing into Python. */
export interface Crossing {
  readonly ndjson: Uint8Array
  /** The events of this crossing that each rule of the log type sees; absent: all. */
  readonly byRule?: readonly (readonly number[])[]
  readonly count: number
  /** Index of the crossing's first event in the batch. */
  readonly first: number
}

/** Crossings are short, so that nothing waits long for one and little is repeated when a child dies. */
export const MAX_EVENTS = 512
export const MAX_BYTES = 1024 * 1024

/** Splits NDJSON (each line ends with a newline) into crossings. A longer event gets a crossing to itself. */
export function* splitBatch(ndjson: Uint8Array, maxEvents = MAX_EVENTS, maxBytes = MAX_BYTES): Generator<Crossing> {
  let start = 0
  let end = 0
  let count = 0
  let first = 0
  while (end < ndjson.length) {
    const newline = ndjson.indexOf(10, end)
    const next = newline < 0 ? ndjson.length : newline + 1
    if (count > 0 && (count >= maxEvents || next - start > maxBytes)) {
      yield { ndjson: ndjson.subarray(start, end), count, first }
      first += count
      start = end
      count = 0
    }
    end = next
    count++
  }
  if (count > 0) yield { ndjson: ndjson.subarray(start, end), count, first }
}

/** Events `from`..`to` of a crossing. */
export function sliceCrossing({ ndjson, first, byRule }: Crossing, from: number, to: number): Crossing {
  let start = 0
  for (let i = 0; i < from; i++) start = ndjson.indexOf(10, start) + 1
  let end = start
  for (let i = from; i < to; i++) end = ndjson.indexOf(10, end) + 1 || ndjson.length
  const count = to - from
  return {
    ndjson: ndjson.subarray(start, end),
    count,
    first: first + from,
    ...(byRule && { byRule: sliceByRule(byRule, from, count) }),
  }
}
