import { inParts, type Slice } from '../../../util/slice.ts'
import { TableError } from '../table.ts'
import type { KeyKind } from './index.ts'
import { sharedInt32 } from './shared.ts'

/** Which rows of equal keys count: one of them, or all. */
export const ROW_CHOICES = ['last', 'first', 'newest', 'all'] as const
export type RowChoice = (typeof ROW_CHOICES)[number]

/** The rows of each distinct key, the preferred one first; arrays in shared memory. */
export interface GroupParts {
  /** Start of each group in `rows`, and finally the end of the last one. */
  readonly starts: Int32Array
  readonly rows: Int32Array
}

/** Keys in the order of the content, each with its row. */
export interface KeyRows {
  readonly keys: readonly string[]
  readonly rows: readonly number[]
}

/** Distinct keys with their rows. */
export interface Grouped {
  /** A spelling of each distinct key. */
  readonly keys: readonly string[]
  readonly groups: GroupParts
}

/** One row may have very many: a range is up to 254 networks. */
export const MAX_KEYS = 8_000_000

/**
 * Groups rows by their keys, however these are spelt. `newest`: time of each row. Texts that are not keys of this kind have groups of their
 * own, so that the index can refuse them.
 */
export async function groupRows(
  { keys, rows }: KeyRows,
  kind: Pick<KeyKind<string>, 'canonical' | 'split'>,
  { choice, newest }: { readonly choice: RowChoice; readonly newest?: readonly number[] | undefined },
  slice: Slice,
): Promise<Grouped> {
  const numbers = new Map<string, number>()
  const spellings: string[] = []
  const members: { readonly group: number; readonly row: number }[] = []
  const last: number[] = []
  const take = (key: string, row: number) => {
    const canonical = kind.canonical(key)
    let group = canonical === undefined ? undefined : numbers.get(canonical)
    if (group === undefined) {
      group = spellings.push(key) - 1
      if (canonical !== undefined) numbers.set(canonical, group)
    }
    // A list may contain one key in two spellings.
    if (last[group] === row) return
    last[group] = row
    if (members.push({ group, row }) > MAX_KEYS) throw new TableError(`the content has more than ${MAX_KEYS} keys`)
  }
  await inParts(keys.length, slice, (from, to) => {
    for (let i = from; i < to; i++) for (const key of kind.split?.(keys[i]!) ?? [keys[i]!]) take(key, rows[i]!)
  })
  const starts = sharedInt32(spellings.length + 1)
  for (const { group } of members) starts[group + 1]!++
  for (let i = 0; i < spellings.length; i++) starts[i + 1]! += starts[i]!
  const filled = sharedInt32(members.length)
  const next = Int32Array.from(starts)
  for (const { group, row } of members) filled[next[group]!++] = row
  const groups = { starts, rows: filled }
  await inParts(spellings.length, slice, (from, to) => {
    for (let group = from; group < to; group++) order(rowsIn(groups, group), choice, newest)
  })
  return { keys: spellings, groups }
}

/** The rows of a group. */
export function rowsIn({ starts, rows }: GroupParts, group: number): Int32Array {
  return rows.subarray(starts[group], starts[group + 1])
}

/** Puts the preferred row first. */
function order(rows: Int32Array, choice: RowChoice, newest: readonly number[] = []): void {
  if (rows.length < 2 || choice === 'first' || choice === 'all') return
  // Of equally new rows the last one counts, as without times.
  rows.reverse()
  if (choice === 'newest') rows.set([...rows].sort((a, b) => newest[b]! - newest[a]!))
}
