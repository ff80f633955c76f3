import type { Count, FinishedRows } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import type { JsonObject, JsonValue } from '../model/json.ts'
import type { DeadLetter, LetterContext } from '../model/outcome.ts'
import { MAX_DEAD_LETTER_BYTES } from '../model/outcome.ts'
import type { UnfitRow } from '../util/block/encode.ts'
import { sha256 } from '../util/hash.ts'
import { parseJson, stringifyJson } from '../util/json.ts'
import { DEAD_LETTERS, deadLetterRow, rowsOf } from './rows.ts'

/** The outcome for rows that the lake will never accept. */
export interface Refusal {
  /** The rows as dead letters. */
  readonly rows: readonly FinishedRows[]
  readonly counts: readonly Count[]
  /** Those that cannot be dead letters: their number, and why one of them was refused. */
  readonly lost?: { readonly n: number; readonly reason: string }
}

/** Rows that the lake will never accept, as dead letters and the counts that change with them. */
export function refusedRows(spec: TableSpec, refused: readonly UnfitRow[], nowMs: number): Refusal {
  const last = refused.at(-1)
  if (!last) return { rows: [], counts: [] }
  // Not records, or themselves dead letters, which would come back forever.
  if (spec.database === 'monitor') return { rows: [], counts: [], lost: { n: refused.length, reason: last.message } }
  const time = new Date(nowMs).toISOString()
  const letters = refusedLetters(spec, refused)
  const rows = rowsOf(
    DEAD_LETTERS,
    letters.map((letter) => deadLetterRow(letter, time)),
  )
  if (spec.database !== 'logs') return { rows, counts: [] }
  const counts = letters.flatMap(({ source }): Count[] => [
    { sourceId: source, outcome: 'stored', reason: '', n: -1 },
    { sourceId: source, outcome: 'dead_lettered', reason: 'internal', n: 1 },
  ])
  return { rows, counts }
}

/** A dead letter for each row that its table cannot store. */
export function refusedLetters(spec: TableSpec, refused: readonly UnfitRow[]): DeadLetter[] {
  const at = (name: string) => spec.columns.findIndex((column) => column.name === name)
  return refused.map(({ row, message }) => {
    const values = row as readonly JsonValue[]
    const whole = stringifyJson(values.map((value) => value ?? null))
    const bytes = Buffer.from(spec.database === 'logs' ? recordOf(spec, values, whole) : whole)
    return {
      reason: 'internal',
      message: `The lake refused this row of ${spec.database}.${spec.table}: ${message}. The schema and the lake disagree about a value: change the schema, then send the record again.`,
      source: String(values[at('p_source_id')] ?? ''),
      position: `${spec.database}.${spec.table}`,
      length: bytes.length,
      sha256: sha256(bytes),
      raw: bytes.subarray(0, MAX_DEAD_LETTER_BYTES),
      rowId: String(values[at('p_row_id')] ?? ''),
      // Not the letter's own time: an event that is refused when it is replayed is a different letter from its original one.
      context: JSON.stringify({ receivedMs: Date.parse(String(values[at('p_parse_time')])) } satisfies LetterContext),
    }
  })
}

/** The finished row as a record that can be sent to its source again: the log's own fields, without what Caracal added. */
function recordOf({ columns }: TableSpec, values: readonly JsonValue[], line: string): string {
  const members: string[] = []
  columns.forEach(({ name, kind }, i) => {
    const value = values[i]
    if (value === null || value === undefined || name.startsWith('p_')) return
    const text = kind === 'json' && typeof value === 'string' ? value : stringifyJson(value)
    // Fields that the schema does not know, as one object.
    if (name === 'extra') members.push(...membersOf(text))
    else members.push(`${JSON.stringify(name)}:${text}`)
  })
  return members.length > 0 ? `{${members.join(',')}}` : line
}

function membersOf(text: string): string[] {
  const parsed = parseJson(text, { maxDepth: 500 })
  if (parsed.kind !== 'ok' || typeof parsed.value !== 'object' || parsed.value === null) return []
  return Object.entries(parsed.value as JsonObject).map(([name, value]) => `${JSON.stringify(name)}:${stringifyJson(value!)}`)
}
