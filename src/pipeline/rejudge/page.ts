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
  /** Where the replay goes on once this page is kept. */
  readonly next: ReplayCursor
}

/** A dead letter as the lake has it. */
export interface StoredLetter {
  readonly rowId: string
  /** `p_parse_time`; with the row id it tells the letter from any other. */
  readonly time: string
  readonly source: string
  readonly reason: string
}

/** Dead letters, to be parsed again. Any other page is of events that are stored already. */
export interface LettersPage extends Page {
  /** By row id. */
  readonly letters: ReadonlyMap<string, StoredLetter>
  /** Why → letters whose record is not there to be parsed. */
  readonly aside: ReadonlyMap<string, number>
  /** Row id → the filter that keeps the record out. Known once it is parsed. */
  readonly filteredBy: ReadonlyMap<string, string>
  /** Row ids of records whose log type is a guess. Known once they are parsed. */
  readonly guessed: ReadonlySet<string>
}

export function isLetters(page: Page): page is LettersPage {
  return 'letters' in page
}

/** The order of stored records: by time, then by row id. */
export function comesBefore(a: { readonly time: string; readonly rowId: string }, b: typeof a): boolean {
  return a.time === b.time ? a.rowId < b.rowId : isBefore(a.time, b.time)
}
