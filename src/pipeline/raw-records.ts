import { MAX_DEAD_LETTER_BYTES } from '../model/outcome.ts'

/** A chunk's bytes, with the positions of its records. */
export interface RawRecords {
  /** The first part of their row ids. */
  readonly place: string
  readonly bytes: Uint8Array
  /** Three numbers per record, in order: the number in its row id, first byte, end. */
  readonly spans: ArrayLike<number>
}

/** The original record with this row id as text, at most its first 64 KiB. */
export function rawText(chunks: readonly RawRecords[], rowId: string): string | undefined {
  return rawRecord(chunks, rowId)?.text
}

/** The same, and whether the record is longer. */
export function rawRecord(
  chunks: readonly RawRecords[],
  rowId: string,
): { readonly text: string; readonly isCut: boolean } | undefined {
  const place = rowId.slice(0, 16)
  const offset = Number.parseInt(rowId.slice(16), 16)
  for (const { bytes, spans, place: at } of chunks) {
    if (at !== place) continue
    const index = find(spans, offset)
    if (index === undefined) continue
    const record = bytes.subarray(spans[index + 1]!, spans[index + 2]!)
    return { text: cut(record), isCut: record.length > MAX_DEAD_LETTER_BYTES }
  }
  return undefined
}

function find(spans: ArrayLike<number>, offset: number): number | undefined {
  let low = 0
  let high = spans.length / 3
  while (low < high) {
    const middle = (low + high) >> 1
    if (spans[middle * 3]! < offset) low = middle + 1
    else high = middle
  }
  return spans[low * 3] === offset ? low * 3 : undefined
}

/** Events are always valid UTF-8, so only the cut can split a character. */
function cut(record: Uint8Array): string {
  let end = Math.min(record.length, MAX_DEAD_LETTER_BYTES)
  while (end > 0 && end < record.length && (record[end]! & 0xc0) === 0x80) end--
  return Buffer.from(record.buffer, record.byteOffset, end).toString('utf8')
}
