import { Refused, RetryLater } from '../../util/errors.ts'
import { QueryNotUnderstood } from './lake.ts'
import type { Place } from './sql-lex.ts'

/**
 * Codes of engine errors that pass by themselves or when the disk recovers: memory, space, files that cannot be read or written,
 * time-outs, locks, overload, the engine's end; on a server, tables and rights that somebody took away and can give back; of replicated tables, that
 * Keeper is away or a replica is not as far as the others. All others are final: the same statement would always fail.
 */
const PASSING: ReadonlySet<number> = new Set([
  // 0: no code at all, so it was not caused by the statement or its rows.
  0, 74, 75, 76, 77, 87, 88, 107, 159, 160, 173, 202, 236, 241, 242, 243, 246, 290, 394, 424, 425, 439, 473, 528, 701, 1001, 1002,
  60, 81, 164, 209, 210, 279, 497, 225, 254, 285, 286, 289, 305, 319, 341, 369, 416, 517, 999,
])
const TOO_MANY_PARTS = 252
const NO_SUCH_COLUMN = 16
/** An unknown column or function, for which the engine suggests others that the query can use. */
const UNKNOWN_IN_QUERY: ReadonlySet<number> = new Set([46, 47])
/**
 * Errors about the text of a query: syntax, unknown names, arguments that a function does not take. Names of the codes:
 * https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */
const NOT_UNDERSTOOD: ReadonlySet<number> = new Set([
  36, 42, 43, 44, 46, 47, 50, 53, 60, 62, 63, 70, 72, 81, 153, 179, 184, 206, 207, 215, 352, 386, 403, 463,
])
const SYNTAX = 62
/** `throwIf`: the message of the view that calls it, then the call. */
const THROWN = 395

/** The code of an error of the engine; 0: none. */
export function codeOf(error: unknown): number {
  return engineError(error).code
}

/** True for an error after which the same statement may succeed later. */
function isPassing({ code, text }: EngineError): boolean {
  // The code means merges that lag behind, which passes, or an insert into too many partitions, which does not.
  return PASSING.has(code) || (code === TOO_MANY_PARTS && !text.includes('partitions')) || isOfShard(code, text)
}

/**
 * True if a server of a cluster lost the connection to a shard, or the shard's part of a table has not got a column yet. Errors that a shard
 * itself reports name it as `Received from`.
 */
function isOfShard(code: number, text: string): boolean {
  if (text.includes('Received from')) return code === NO_SUCH_COLUMN
  return text.includes('Insertion status:') || /while (?:receiving|reading) packet from/.test(text)
}

/** An insert's error message if the same rows would be refused again. Throws `RetryLater` for any other error. */
export function refusalOf(error: unknown): string {
  const found = engineError(error)
  const { text } = found
  if (isPassing(found))
    throw new RetryLater(`the lake did not take an insert: ${text.slice(0, 500)}`, undefined, { cause: error })
  return text.split('\n')[0]!.slice(0, 300)
}

/** The error for one of our own statements: `Refused` if it would fail again, otherwise `RetryLater`. */
export function statementError(what: string, error: unknown): Error {
  const found = engineError(error)
  const text = `${what}: ${found.text.slice(0, 500)}`
  return isPassing(found) ? new RetryLater(text, undefined, { cause: error }) : new Refused(text, { cause: error })
}

interface QueryErrorOptions {
  readonly isLimited?: boolean
  /** Where the caller's text has what is at a place of the statement that ran. */
  readonly placeOf?: (place: Place) => Place
}

/** The engine's words for a place in a statement. */
const FAILED_AT = /failed at position \d+ (.{0,200}?)\(line (\d+), col (\d+)\)/

function placed(text: string, placeOf: QueryErrorOptions['placeOf']): string {
  // The end of a statement is what the guard adds.
  const plain = text.replace(/\n\) LIMIT \d+(?=\. Expected)/, '')
  return plain.replace(FAILED_AT, (_, what: string, line: string, column: string) => {
    if (!placeOf) return `failed at ${what.trim()}`
    const place = placeOf({ line: Number(line), column: Number(column) })
    return `failed at ${what}(line ${place.line}, column ${place.column})`
  })
}

/**
 * A query's error as ours: the engine's message without its decoration. `isLimited`: the caller may not see all tables, so names that the
 * engine suggests for one that does not exist are left out.
 */
export function queryError(error: unknown, { isLimited = false, placeOf }: QueryErrorOptions = {}): Error {
  if (error instanceof Refused) return error
  const { code, text } = engineError(error)
  const bare = code === THROWN ? text.replace(/: while executing '[\s\S]*$/, '') : text.replace(/ \(version [\d.]+\)/g, '')
  const plain = code === SYNTAX ? placed(bare, placeOf) : bare
  const Kind = NOT_UNDERSTOOD.has(code) ? QueryNotUnderstood : Refused
  if (isLimited && !UNKNOWN_IN_QUERY.has(code)) return new Kind(withoutSuggestion(plain).slice(0, 2000))
  return new Kind(plain.slice(0, 2000), { cause: error })
}

/** The suggestion is near the end. If the query itself has these words, more of the message is lost. */
function withoutSuggestion(text: string): string {
  const at = text.indexOf('Maybe you meant')
  return at === -1 ? text : text.slice(0, at).trimEnd()
}

interface EngineError {
  readonly code: number
  readonly text: string
}

function engineError(error: unknown): EngineError {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof RetryLater ? 0 : Number(/Code: (\d+)\./.exec(message)?.[1] ?? 0)
  return { code, text: message.replace(/^(?:Query failed: |Code: \d+\. |DB::Exception: )+/, '') }
}
