import type { FoundRow, FoundRows, RowChange, WrittenRow } from '../../../model/table-write.ts'
import type { EventSource } from './event-source.ts'
import { lengthOf, type RowVersions } from './row-versions.ts'
import { expiryOf, type WrittenDefinition } from './written-table.ts'

/** Maximum length of a table's keys and columns together, in UTF-16 code units. */
export const MAX_TABLE_LENGTH = 64 * 1024 * 1024
/** Rows that have expired are removed with every write whose number is a multiple of this. */
const REMOVE_EVERY = 64

/** A write to one table. */
export interface Writing {
  readonly number: number
  /** When the batch was received, epoch milliseconds. */
  readonly receivedMs: number
  /** The order of the next row that is written, in any table. */
  readonly nextOrder: () => number
}

/** What a write does to a table. */
export interface Written {
  readonly changes: readonly RowChange[]
  /** Rows that were removed although they had not expired, because the table is full. */
  readonly evicted: number
}

/**
 * What events have found, as changes of a table's rows. Depends on nothing but the table and its arguments, so that a batch that is processed
 * again makes the same changes.
 */
export function writeRows(
  { source, keepsFirst }: Pick<WrittenDefinition, 'source' | 'keepsFirst'>,
  stored: RowVersions,
  { table, rows, reads }: Pick<FoundRows, 'table' | 'rows' | 'reads'>,
  { number, receivedMs, nextOrder }: Writing,
): Written {
  const { timeouts } = source
  const inForce = (row: WrittenRow | undefined) => (row && expiryOf(row, timeouts) > receivedMs ? row : undefined)
  const after = new Map<string, WrittenRow | undefined>()
  const present = (key: string) => (after.has(key) ? after.get(key) : stored.get(key))
  for (const key of reads) {
    const row = inForce(stored.get(key))
    if (row && row.readMs < receivedMs) after.set(key, { ...row, readMs: receivedMs })
  }
  for (const found of rows) after.set(found.key, rewritten(inForce(present(found.key)), found))
  const { gone, evicted } = leaving(stored, after, source, { receivedMs, isTime: number % REMOVE_EVERY === 0 })
  for (const { key } of gone) after.set(key, undefined)
  const changes = [...after].map(([key, row]): RowChange => {
    const before = stored.get(key)
    return { table, key, before, after: row, atMs: before && !inForce(before) ? expiryOf(before, timeouts) : receivedMs }
  })
  return { changes: changes.filter((change) => change.before !== change.after), evicted }

  function rewritten(before: WrittenRow | undefined, found: FoundRow): WrittenRow {
    const times = { writtenMs: receivedMs, readMs: before?.readMs ?? receivedMs, createdMs: before?.createdMs ?? receivedMs }
    const isKept = before !== undefined && (keepsFirst || before.text === found.text)
    const { spelling, text, version, sinceMs } = isKept ? before : { ...found, version: number, sinceMs: receivedMs }
    return { key: found.key, spelling, text, version, sinceMs, ...times, order: nextOrder() }
  }
}

/** The rows that a table loses: those that have expired, if it is time to look for them, and then the oldest, if there are too many. */
function leaving(
  stored: RowVersions,
  after: ReadonlyMap<string, WrittenRow | undefined>,
  { timeouts, maxRows }: EventSource,
  { receivedMs, isTime }: { readonly receivedMs: number; readonly isTime: boolean },
): { readonly gone: readonly WrittenRow[]; readonly evicted: number } {
  const size = { rows: stored.size, length: stored.length }
  const add = (row: WrittenRow | undefined, sign: 1 | -1) => {
    size.rows += row ? sign : 0
    size.length += sign * lengthOf(row)
  }
  for (const [key, row] of after) {
    add(stored.get(key), -1)
    add(row, 1)
  }
  const isFull = () => size.rows > maxRows || size.length > MAX_TABLE_LENGTH
  const hasExpired = (row: WrittenRow) => expiryOf(row, timeouts) <= receivedMs
  const gone = new Set<WrittenRow>()
  const remove = (row: WrittenRow) => {
    gone.add(row)
    add(row, -1)
  }
  if (isTime) for (const row of oldestFirst(stored, after)) if (hasExpired(row)) remove(row)
  let evicted = 0
  for (const row of oldestFirst(stored, after)) {
    if (!isFull()) break
    if (gone.has(row)) continue
    if (!hasExpired(row)) evicted++
    remove(row)
  }
  return { gone: [...gone], evicted }
}

/** The rows after a write; those that it has written come last. */
function* oldestFirst(stored: RowVersions, after: ReadonlyMap<string, WrittenRow | undefined>): Generator<WrittenRow> {
  for (const row of stored) {
    const now = after.get(row.key) ?? row
    if (now.order === row.order) yield now
  }
  const written = [...after.values()].filter((row) => row !== undefined && row.order !== stored.get(row.key)?.order)
  yield* (written as WrittenRow[]).sort((a, b) => a.order - b.order)
}
