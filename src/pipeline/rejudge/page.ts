import type { Chunk } from '../../model/chunk.ts'
import type { ReplayCursor } from '../../model/replay.ts'
import type { Parser } from '../../stages/parse/parser.ts'
import { isBefore } from '../../util/instant.ts'

/** Stored records that are judged again together: a batch of kind `rejudge`. */
export interface Page {
  /** The replay it belongs to. */
  readonly replayId: string
  /** The id under which the generation binds its records. */
  readonly sourceId: string
  readonly records: number
  readonly chunks: readonly Chunk[]
  /** Reads the chunks. */
  readonly parser: Parser
  /** Where the replay continues once this page is stored. */
  readonly next: ReplayCursor
}

/** A dead letter as the lake has it. */
export interface StoredLetter {
  readonly rowId: string
  /** `p_parse_time`; together with the row id it identifies the letter. */
  readonly time: string
  readonly source: string
  readonly reason: string
}

/** Dead letters, to be parsed again. Any other page contains events that are already stored. */
export interface LettersPage extends Page {
  /** By row id. */
  readonly letters: ReadonlyMap<string, StoredLetter>
  /** Why → number of letters whose record is not available for parsing. */
  readonly aside: ReadonlyMap<string, number>
  /** Row id → the filter that drops the record. Known once it is parsed. */
  readonly filteredBy: ReadonlyMap<string, string>
  /** Row ids of records whose log type was guessed. Known once they are parsed. */
  readonly guessed: ReadonlySet<string>
}

export function isLetters(page: Page): page is LettersPage {
  return 'letters' in page
}

/** The order of stored records: by time, then by row id. */
export function comesBefore(a: { readonly time: string; readonly rowId: string }, b: typeof a): boolean {
  return a.time === b.time ? a.rowId < b.rowId : isBefore(a.time, b.time)
}
