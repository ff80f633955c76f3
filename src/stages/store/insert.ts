import type { RejectedRow } from './lake.ts'

/** One insert statement carries at most so many rows and bytes; the cut depends on nothing but the rows. */
const CHUNK_ROWS = 50_000
const CHUNK_BYTES = 16 * 1024 * 1024

const NEWLINE = 10
const OPEN = 91
const CLOSE = 93

/** The rows themselves are at fault; `row` is a hint which one (0-based in what was sent). */
export class BadRows extends Error {
  readonly row: number | undefined

  constructor(message: string, row?: number) {
    super(message)
    this.row = row
  }
}

/** Stores bytes of whole lines under a token, all or nothing. Throws `BadRows` when the rows are at fault. */
export type Attempt = (rows: Uint8Array, token: string) => Promise<void>

/** Rows `from` to `to` (exclusive) of an insert. */
type Range = readonly [from: number, to: number]

/**
 * Inserts NDJSON rows so that each good one is stored exactly once, also when the same call is made again after a crash.
 *
 * Every statement's token names the range of rows it carries, so one token always means the same rows. The ranges follow
 * from the rows and the engine's verdicts on them alone: a second run makes the same ones again, and the engine drops
 * those it has. A refused range is cut at the row that the engine complains of, or in the middle.
 */
export async function insertRows(attempt: Attempt, rows: Uint8Array, token: string): Promise<RejectedRow[]> {
  const lines = lineStarts(rows)
  const rejected: RejectedRow[] = []
  const todo = chunks(lines)
  while (todo.length > 0) {
    const [from, to] = todo.pop()!
    try {
      checkShape(rows, lines, from, to)
      await attempt(rows.subarray(lines[from]!, lines[to]!), `${token}#${from}-${to}`)
    } catch (error) {
      if (!(error instanceof BadRows)) throw error
      if (to - from === 1) rejected.push({ index: from, message: error.message })
      else todo.push(...cut(from, to, error.row))
    }
  }
  return rejected
}

/** Byte offsets of the lines, and the end. */
function lineStarts(rows: Uint8Array): number[] {
  const starts: number[] = []
  let at = 0
  while (at < rows.length) {
    starts.push(at)
    const end = rows.indexOf(NEWLINE, at)
    at = end < 0 ? rows.length : end + 1
  }
  starts.push(rows.length)
  return starts
}

/** What to insert, last range first (the caller pops). */
function chunks(lines: readonly number[]): Range[] {
  const ranges: Range[] = []
  const count = lines.length - 1
  let from = 0
  for (let to = 1; to <= count; to++) {
    const full = to - from >= CHUNK_ROWS || (to < count && lines[to + 1]! - lines[from]! > CHUNK_BYTES)
    if (to < count && !full) continue
    ranges.push([from, to])
    from = to
  }
  return ranges.reverse()
}

/** A refused range as smaller ones, last first. */
function cut(from: number, to: number, row: number | undefined): Range[] {
  const middle = from + Math.ceil((to - from) / 2)
  if (row === undefined || row < 0 || row >= to - from) {
    const halves: Range[] = [
      [middle, to],
      [from, middle],
    ]
    return halves
  }
  const bad = from + row
  const parts: Range[] = [
    [bad + 1, to],
    [bad, bad + 1],
    [from, bad],
  ]
  return parts.filter(([a, b]) => b > a)
}

/**
 * A row is one array on a line of its own. This is more than tidiness: a blank line ends the data of an INSERT, and the
 * engine would read what follows as SQL.
 */
function checkShape(rows: Uint8Array, lines: readonly number[], from: number, to: number): void {
  for (let row = from; row < to; row++) {
    const end = lines[row + 1]! - (rows[lines[row + 1]! - 1] === NEWLINE ? 1 : 0)
    if (rows[lines[row]!] === OPEN && rows[end - 1] === CLOSE) continue
    throw new BadRows('the row is not a JSON array on a line of its own', row - from)
  }
}
