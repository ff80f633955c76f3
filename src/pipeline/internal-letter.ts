import type { Event } from '../model/event.ts'
import { type DeadLetter, MAX_DEAD_LETTER_BYTES } from '../model/outcome.ts'
import { messageOf } from '../util/errors.ts'
import { sha256 } from '../util/hash.ts'
import { stringifyJson } from '../util/json.ts'

/** The dead letter of an event that cannot be finished, which is a bug: without it the event would block everything after it forever. */
export function internalLetter(event: Event, source: string, error: unknown): DeadLetter {
  let text = ''
  try {
    text = stringifyJson(event)
  } catch {
    // The event cannot be written at all: the letter only has its location.
  }
  const bytes = Buffer.from(text)
  const { p_row_id: rowId } = event
  return {
    reason: 'internal',
    message: `This event could not be processed: ${messageOf(error)}. This is a bug in Caracal; the event is kept, please report it.`,
    source,
    position: `${rowId.slice(0, 16)}:${Number.parseInt(rowId.slice(16), 16)}`,
    length: bytes.length,
    sha256: sha256(bytes),
    raw: bytes.subarray(0, MAX_DEAD_LETTER_BYTES),
    rowId,
    receivedMs: Date.parse(event.p_parse_time),
  }
}
