import type { Chunk } from '../../model/chunk.ts'
import type { Event } from '../../model/event.ts'
import type { DeadLetter } from '../../model/outcome.ts'
import type { CompiledSchema } from '../../model/schema.ts'
import type { HeaderColumn } from './format.ts'

/** Which source a chunk came from, as far as parsing cares. */
export interface ParseSource {
  readonly id: string
  readonly label: string
  /** The log types its records may have. */
  readonly schemas: readonly CompiledSchema[]
  /** The user has named these log types; else they are all that there are, and a guess among them needs more evidence. */
  readonly isNamed: boolean
  /** Makes a schema for a log that no schema describes, of what its header says; or says why it does not. */
  readonly describe?: ((logType: string, columns: readonly HeaderColumn[]) => CompiledSchema | string) | undefined
  /** Set when the user says what the records are (`--log-type`, or a source with exactly one log type). */
  readonly logType: string | undefined
}

/** Events of one log type, in order of their records. */
export interface ParsedEvents {
  readonly schema: CompiledSchema
  readonly events: Event[]
}

export interface ParseResult {
  /** Records seen: events, filtered ones and dead letters. */
  readonly received: number
  readonly groups: readonly ParsedEvents[]
  readonly deadLetters: readonly DeadLetter[]
  /** Where the events' records are in the chunk, in their order: three numbers each, the number in the row id, first byte, end. */
  readonly spans: readonly number[]
  /** What the next chunk of the same place must be given as `context`. */
  readonly context: string
  /** Filter → records that it kept out. */
  readonly filtered: ReadonlyMap<string, number>
  /** Log type → events that are of it by a guess: neither their source nor they themselves say so. */
  readonly guessed: ReadonlyMap<string, number>
  /** Fields the schema does not know: `<log type>\t<field>` → count. */
  readonly unknownFields: ReadonlyMap<string, number>
}

/**
 * Bytes → events: splits a chunk into records, reads each (JSON or Zeek TSV, recognised by the bytes), chooses its log type
 * and normalises it by that type's schema. One parser per pipeline thread; what it remembers only saves time. The same chunk always gives the same events.
 */
export interface Parser {
  parse(chunk: Chunk, source: ParseSource, receivedMs: number): ParseResult
}

export interface ParserOptions {
  readonly maxRecordBytes: number
  /** Deepest nesting of objects and arrays. */
  readonly maxDepth: number
}
