import type { Chunk } from '../model/chunk.ts'
import { type DeadLetter, MAX_DEAD_LETTER_BYTES } from '../model/outcome.ts'
import type { ParseResult } from '../stages/parse/parser.ts'
import { messageOf } from '../util/errors.ts'
import { sha256 } from '../util/hash.ts'

const NEWLINE = 0x0a
const NOTHING = new Uint8Array(0)

/**
 * Parses lines on which the parser failed as a whole, by halves, until each line at fault is a dead letter of its own: a fault
 * of ours loses no other record. What is not framed as lines becomes one dead letter. `attempt` throws when the parser does.
 */
export function parseApart(chunk: Chunk, source: string, attempt: (chunk: Chunk) => ParseResult): readonly ParseResult[] {
  const { bytes, faults, context } = chunk
  try {
    return [attempt(chunk)]
  } catch (error) {
    const half = chunk.records === undefined ? halfOf(bytes) : undefined
    if (half === undefined) {
      const read = faults.length > 0 ? parseApart({ ...chunk, bytes: NOTHING, final: false }, source, attempt) : []
      return bytes.length > 0 || faults.length === 0 ? [...read, refusedLine({ ...chunk, faults: [] }, source, error)] : []
    }
    const first = parseApart({ ...chunk, bytes: bytes.subarray(0, half), final: false }, source, attempt)
    const rest = { bytes: bytes.subarray(half), offset: chunk.offset + half, faults: [] }
    return [...first, ...parseApart({ ...chunk, ...rest, context: first.at(-1)?.context ?? context }, source, attempt)]
  }
}

/** Where the second half of the lines begins, or `undefined` when there is only one line. */
function halfOf(bytes: Uint8Array): number | undefined {
  const middle = bytes.length >> 1
  const before = bytes.lastIndexOf(NEWLINE, middle - 1) + 1
  if (before > 0 && before < bytes.length) return before
  const after = bytes.indexOf(NEWLINE, middle) + 1
  return after > 0 && after < bytes.length ? after : undefined
}

function refusedLine({ bytes, place, offset, context }: Chunk, source: string, error: unknown): ParseResult {
  const letter: DeadLetter = {
    reason: 'internal',
    message: `The parser failed on this record: ${messageOf(error)}. This is a fault of Caracal; the bytes are kept, please report it.`,
    source,
    position: `${place}:${offset}`,
    length: bytes.length,
    sha256: sha256(bytes),
    raw: bytes.slice(0, MAX_DEAD_LETTER_BYTES),
    rowId: place + offset.toString(16).padStart(12, '0'),
  }
  return { received: 1, groups: [], deadLetters: [letter], context, guessed: new Map(), unknownFields: new Map() }
}
