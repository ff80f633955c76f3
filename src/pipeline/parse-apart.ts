import type { Chunk } from '../model/chunk.ts'
import { deadLetter } from '../stages/parse/dead-letter.ts'
import type { ParseResult } from '../stages/parse/parser.ts'
import { messageOf } from '../util/errors.ts'

const NEWLINE = 0x0a
const NOTHING = new Uint8Array(0)

/**
 * Parses records on which the parser failed as a whole, by halving, until each record at fault is a separate dead letter: a bug loses no
 * other record. `attempt` throws if the parser does.
 */
export function parseApart(chunk: Chunk, source: string, attempt: (chunk: Chunk) => ParseResult): readonly ParseResult[] {
  try {
    return [attempt(chunk)]
  } catch (error) {
    const halves = halvesOf(chunk)
    if (halves) {
      const first = parseApart(halves[0], source, attempt)
      return [...first, ...parseApart({ ...halves[1], context: first.at(-1)?.context ?? chunk.context }, source, attempt)]
    }
    const { bytes, faults } = chunk
    if (faults.length === 0) return [refusedRecord(chunk, source, error)]
    // What the source could not read stays unchanged.
    const read = parseApart({ ...chunk, bytes: NOTHING, records: undefined, final: false }, source, attempt)
    return bytes.length === 0 ? read : [...read, refusedRecord(chunk, source, error)]
  }
}

/** Both halves of the records, or `undefined` if there is only one. */
function halvesOf(chunk: Chunk): readonly [Chunk, Chunk] | undefined {
  const { bytes, records, offset } = chunk
  if (records) {
    if (records.length <= 2) return undefined
    const half = (records.length >> 2) * 2
    const first = { ...chunk, records: records.subarray(0, half), final: false }
    return [first, { ...chunk, records: records.subarray(half), faults: [] }]
  }
  const half = middleLine(bytes)
  if (half === undefined) return undefined
  const first = { ...chunk, bytes: bytes.subarray(0, half), final: false }
  return [first, { ...chunk, bytes: bytes.subarray(half), offset: offset + half, faults: [] }]
}

/** Where the second half of the lines begins, or `undefined` if there is only one line. */
function middleLine(bytes: Uint8Array): number | undefined {
  const middle = bytes.length >> 1
  const before = bytes.lastIndexOf(NEWLINE, middle - 1) + 1
  if (middle > 0 && before > 0) return before
  const after = bytes.indexOf(NEWLINE, middle) + 1
  return after > 0 && after < bytes.length ? after : undefined
}

function refusedRecord(
  { bytes: all, records, place, offset: start, context }: Chunk,
  source: string,
  error: unknown,
): ParseResult {
  const [from, to] = records ? [records[0]!, records[1]!] : [0, all.length]
  const [bytes, offset] = [all.subarray(from, to), start + from]
  const message = `The parser failed on this record: ${messageOf(error)}. This is a bug in Caracal; the bytes are kept, please report it.`
  const letter = deadLetter({ reason: 'internal', message }, Buffer.from(bytes), place, offset, source)
  return {
    received: 1,
    groups: [],
    deadLetters: [letter],
    spans: [],
    context,
    filtered: new Map(),
    guessed: new Map(),
    unknownFields: new Map(),
  }
}
