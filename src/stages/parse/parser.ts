import type { Chunk } from '../../model/chunk.ts'
import type { Event } from '../../model/event.ts'
import type { DeadLetter } from '../../model/outcome.ts'
import type { CompiledSchema } from '../../model/schema.ts'
import type { Filters } from './filters.ts'
import type { HeaderColumn } from './format.ts'

/** What parsing needs to know about a chunk's source. */
export interface ParseSource {
  readonly id: string
  readonly label: string
  /** The log types its records may have. */
  readonly schemas: readonly CompiledSchema[]
  /** True if the user named these log types; otherwise they are all known ones, and a guess among them needs more evidence. */
  readonly isNamed: boolean
  /** Derives a schema for an unknown log from its header, or returns the reason why not. */
  readonly describe?: ((logType: string, columns: readonly HeaderColumn[]) => CompiledSchema | string) | undefined
  /** Set if the user says what the records are (`--log-type`, or a source with exactly one log type). */
  readonly logType: string | undefined
  /** Which records to leave out. */
  readonly filters?: Filters | undefined
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
  /**
   * Positions of the events' records in the chunk, in order, as three numbers each: the number in the row id, first byte, end.
   */
  readonly spans: readonly number[]
  /** The `context` for the next chunk of the same place. */
  readonly context: string
  /** Filter → number of records that it dropped. */
  readonly filtered: ReadonlyMap<string, number>
  /** Log type → number of events whose log type was guessed. */
  readonly guessed: ReadonlyMap<string, number>
  /** Fields that are not in the schema: `<log type>\t<field>` → count. */
  readonly unknownFields: ReadonlyMap<string, number>
}

/**
 * Bytes → events: splits a chunk into records, reads each (JSON or Zeek TSV, detected from the bytes), determines its log type
 * and normalises it with that type's schema. One parser per pipeline thread; what it remembers only saves time. The same chunk
 * always yields the same events.
 */
export interface Parser {
  parse(chunk: Chunk, source: ParseSource, receivedMs: number): ParseResult
}

export interface ParserOptions {
  readonly maxRecordBytes: number
  /** Deepest nesting of objects and arrays. */
  readonly maxDepth: number
}
