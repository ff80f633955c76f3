import { hash } from 'node:crypto'
import type { Chunk, Fault } from '../../model/chunk.ts'
import { type DeadLetter, type DeadLetterReason, MAX_DEAD_LETTER_BYTES, type Outcome } from '../../model/outcome.ts'
import type { ParseSource } from './parser.ts'

const HEX = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))

let cachedPlace = ''
let cachedHigh = Number.NaN
let cachedStart = ''

/** The place and twelve hex digits of the offset. What comes before the last four digits rarely changes between records. */
export function rowId(place: string, offset: number): string {
  const high = Math.floor(offset / 65_536)
  if (high !== cachedHigh || place !== cachedPlace) {
    cachedPlace = place
    cachedHigh = high
    cachedStart = place + high.toString(16).padStart(8, '0')
  }
  const low = offset - high * 65_536
  return cachedStart + (HEX[low >> 8]! + HEX[low & 255]!)
}

/** The outcome of a record that does not become an event. */
export type Refusal = Extract<Outcome<never>, { kind: 'dead-letter' }>

export const invalidUtf8: Refusal = {
  kind: 'dead-letter',
  reason: 'invalid_utf8',
  message: 'the record is not UTF-8: configure the sender to write UTF-8, or convert the file (iconv -t UTF-8)',
}

/**
 * A record's bytes with the reason why it did not become an event. The bytes are copied because the chunk's buffer may be
 * transferred.
 */
export function deadLetter(
  why: { readonly reason: DeadLetterReason; readonly message: string },
  bytes: Buffer,
  place: string,
  offset: number,
  source: string,
): DeadLetter {
  return {
    reason: why.reason,
    message: why.message,
    source,
    position: `${place}:${offset}`,
    length: bytes.length,
    sha256: hash('sha256', bytes),
    raw: Uint8Array.prototype.slice.call(bytes, 0, MAX_DEAD_LETTER_BYTES),
    rowId: rowId(place, offset),
  }
}

/** Data that the source could not read as records. */
export function faultLetter(fault: Fault, chunk: Chunk, source: ParseSource): DeadLetter {
  return {
    reason: fault.reason,
    message: fault.message,
    source: source.id,
    position: `${chunk.place}:${fault.offset}`,
    length: fault.length,
    sha256: fault.sha256,
    raw: fault.raw,
    rowId: rowId(chunk.place, fault.offset),
  }
}
