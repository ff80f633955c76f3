import type { Chunk } from '../../model/chunk.ts'
import type { JsonObject } from '../../model/json.ts'
import type { LetterContext } from '../../model/outcome.ts'
import type { LetterReplay, ReplayCursor } from '../../model/replay.ts'
import type { Parser } from '../../stages/parse/parser.ts'
import { quoteText, tableName } from '../../stages/store/ddl.ts'
import { sha256 } from '../../util/hash.ts'
import { parseJson, stringifyJson } from '../../util/json.ts'
import { DEAD_LETTERS, REPLAYED } from '../rows.ts'
import { comesBefore, type LettersPage, type StoredLetter } from './page.ts'
import { among, behind, instant } from './sql.ts'

/** The fields of a letter that `lettersPage` reads, in order. */
export const LETTER_COLUMNS = [
  'p_parse_time',
  'p_row_id',
  'source',
  'reason',
  'position',
  'length',
  'sha256',
  'raw',
  'raw_encoding',
  'context',
]

type Choice = Pick<LetterReplay, 'sources' | 'reasons' | 'sinceMs'>

/** The number of letters that are not replayed yet, by source. */
export function countLettersSql(choice: Choice, untilMs: number): string {
  return `SELECT source, count() FROM ${tableName(DEAD_LETTERS)} WHERE ${open(choice, untilMs)} GROUP BY source ORDER BY source`
}

/** A source's letters after the cursor, oldest first, as `lettersPage` reads them. */
export function lettersSql(source: string, choice: Choice, untilMs: number, after: ReplayCursor['after'], limit: number): string {
  const where = [open(choice, untilMs), `source = ${quoteText(source)}`, ...behind('p_parse_time', after)].join(' AND ')
  return `SELECT ${LETTER_COLUMNS.join(', ')} FROM ${tableName(DEAD_LETTERS)} WHERE ${where} ORDER BY p_parse_time, p_row_id LIMIT ${limit}`
}

/** Records that are not replayed yet. Refused rows of tables other than those of events are not records. */
function open({ sources, reasons, sinceMs }: Choice, untilMs: number): string {
  return [
    `p_parse_time < ${instant(untilMs)}`,
    `match(position, '^(logs\\\\.|[0-9a-f]{16}:)')`,
    ...(sinceMs === undefined ? [] : [`p_parse_time >= ${instant(sinceMs)}`]),
    ...(sources.length > 0 ? [among('source', sources)] : []),
    ...(reasons.length > 0 ? [among('reason', reasons)] : []),
    `(p_row_id, p_parse_time) NOT IN (SELECT p_row_id, letter_time FROM ${tableName(REPLAYED)})`,
  ].join(' AND ')
}

/** What Caracal has stored itself is deeper than records may be: what senders add is nested in it. */
const MAX_DEPTH = 1000

/** Why a letter cannot be parsed again: not all bytes of its record were stored. */
export const CUT = 'cut'

/** Rows of the result of `lettersSql`, at least one, as a page. `inner` parses the records. */
export function lettersPage(replayId: string, rows: readonly string[], part: number, inner: Parser): LettersPage {
  const letters = new Map<string, StoredLetter>()
  const aside = new Map<string, number>()
  const chunks: Chunk[] = []
  let last = { time: '0', rowId: '' }
  let source = ''
  for (const row of rows) {
    const [time, rowId, of, reason, position, length, hash, text, encoding, context] = JSON.parse(row) as string[]
    if (comesBefore(last, { time: time!, rowId: rowId! })) last = { time: time!, rowId: rowId! }
    source = of!
    const raw = Buffer.from(text!, encoding === 'base64' ? 'base64' : 'utf8')
    const isWhole = raw.length === Number(length) && sha256(raw) === hash
    // If a row id occurs twice, the later letter is from the event that the earlier one became, and waits for the next replay.
    if (!isWhole || letters.has(rowId!)) {
      aside.set(CUT, (aside.get(CUT) ?? 0) + 1)
      continue
    }
    letters.set(rowId!, { rowId: rowId!, time: time!, source, reason: reason! })
    const own: LetterContext = context ? contextOf(context) : {}
    chunks.push(chunkOf(rowId!, reason === 'internal' ? recordOf(raw, position!) : raw, own, Date.parse(time!)))
  }
  const filteredBy = new Map<string, string>()
  const guessed = new Set<string>()
  const parser: Parser = {
    parse(chunk, bound, receivedMs) {
      const result = inner.parse(chunk, bound, receivedMs)
      const rowId = rowIdOf(chunk)
      for (const filter of result.filtered.keys()) filteredBy.set(rowId, filter)
      if (result.guessed.size > 0) guessed.add(rowId)
      return result
    },
  }
  const next = { part, after: last }
  return { replayId, sourceId: source, records: rows.length, chunks, parser, next, letters, aside, filteredBy, guessed }
}

/** The letter's record as a separate chunk: it gets its row id again, and is parsed with what was known about it. */
function chunkOf(
  rowId: string,
  raw: Buffer,
  { context = '', logTypes, hints, receivedMs }: LetterContext,
  letterMs: number,
): Chunk {
  return {
    bytes: raw,
    records: Uint32Array.of(0, raw.length),
    place: rowId.slice(0, 16),
    offset: Number.parseInt(rowId.slice(16), 16),
    context,
    final: true,
    faults: [],
    receivedMs: receivedMs ?? letterMs,
    ...(logTypes && { logTypes }),
    ...(hints && { hints: [{ from: 0, hints }] }),
  }
}

function rowIdOf({ place, offset }: Chunk): string {
  return place + offset.toString(16).padStart(12, '0')
}

/** For an event that could not be finished, the letter has the event itself: the record is the event without what Caracal added. */
function recordOf(raw: Buffer, position: string): Buffer {
  if (position.startsWith('logs.')) return raw
  const parsed = parseJson(raw.toString(), { maxDepth: MAX_DEPTH })
  if (parsed.kind !== 'ok' || typeof parsed.value !== 'object' || parsed.value === null) return raw
  const event = parsed.value as JsonObject
  if (typeof event['p_row_id'] !== 'string') return raw
  return Buffer.from(stringifyJson(Object.fromEntries(Object.entries(event).filter(([name]) => !name.startsWith('p_')))))
}

/** Exact, since it may contain fields with large integers. */
function contextOf(text: string): LetterContext {
  const parsed = parseJson(text, { maxDepth: MAX_DEPTH })
  if (parsed.kind === 'failure') throw new Error(`the context of a dead letter is damaged: ${parsed.message}`)
  return parsed.value as LetterContext
}
