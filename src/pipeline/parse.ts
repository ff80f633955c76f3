import type { Chunk } from '../model/chunk.ts'
import type { DeadLetter } from '../model/outcome.ts'
import type { ParsedEvents, Parser, ParseSource } from '../stages/parse/parser.ts'
import { parseApart } from './parse-apart.ts'
import type { RawRecords } from './raw-records.ts'
import type { Parsed } from './steps.ts'

/** Parsed chunks, with the state to pass to the next chunk of the same place. */
export interface ParsedChunks extends Parsed {
  readonly context: string
}

/** Bytes → events. Never throws because of the bytes: a record on which the parser fails is dead-lettered as `internal`. */
export function parseBatch(chunks: readonly Chunk[], source: ParseSource, parser: Parser, receivedMs: number): ParsedChunks {
  let received = 0
  let context = ''
  const groups: ParsedEvents[] = []
  const deadLetters: DeadLetter[] = []
  const filtered = new Map<string, number>()
  const guessed = new Map<string, number>()
  const unknownFields = new Map<string, number>()
  const raw: RawRecords[] = []
  const attempt = (chunk: Chunk) => {
    const result = parser.parse(chunk, source, chunk.receivedMs ?? receivedMs)
    raw.push({ place: chunk.place, bytes: chunk.bytes, spans: result.spans })
    return result
  }
  for (const result of chunks.flatMap((chunk) => parseApart(chunk, source.id, attempt))) {
    received += result.received
    context = result.context
    for (const group of result.groups) merge(groups, group)
    for (const letter of result.deadLetters) deadLetters.push(letter)
    addCounts(filtered, result.filtered)
    addCounts(guessed, result.guessed)
    addCounts(unknownFields, result.unknownFields)
  }
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0)
  const activity = { bytes, newestEventMs: newestEventMs(groups) }
  return { received, groups, deadLetters, guessed, filtered, unknownFields, activity, raw, context }
}

/** Number of events per log type whose times are compared: those at the end of a batch are its newest, or nearly. */
const LAST_EVENTS = 100

function newestEventMs(groups: readonly ParsedEvents[]): number | undefined {
  let newest = ''
  for (const { events } of groups)
    for (let i = Math.max(0, events.length - LAST_EVENTS); i < events.length; i++)
      if (events[i]!.p_event_time > newest) newest = events[i]!.p_event_time
  return newest === '' ? undefined : Date.parse(newest)
}

function addCounts(into: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, n] of counts) into.set(name, (into.get(name) ?? 0) + n)
}

/** Events of one log type are judged together, even if they came in several chunks. */
function merge(groups: ParsedEvents[], group: ParsedEvents): void {
  const same = groups.find((g) => g.schema === group.schema)
  if (!same) groups.push(group)
  else for (const event of group.events) same.events.push(event)
}
