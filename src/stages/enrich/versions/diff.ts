import type { JsonObject } from '../../../model/json.ts'
import { stringifyJson } from '../../../util/json.ts'
import { createSlice } from '../../../util/slice.ts'
import { rankOf } from '../verdict.ts'
import { type EntrySource, entriesOf, type ReadTable } from './entries.ts'
import { AFTER, BEFORE, KeyTally, type Side } from './key-tally.ts'

/** How keys differ between two versions of a table; `worsened` keys are among the changed ones. */
export const DIFFERENCES = ['added', 'removed', 'changed', 'worsened'] as const
export type Difference = (typeof DIFFERENCES)[number]

/** A key that differs. */
export interface KeyChange {
  /** As the later version spells it, or the earlier one if it was removed. */
  readonly key: string
  /** A row of the key in the earlier version; `null` if there was none. */
  readonly before: JsonObject | null
  /** The same in the later version. */
  readonly after: JsonObject | null
}

/** The number of keys that differ. */
export type DiffCounts = Readonly<Record<Difference, number>>

export interface TableDiff {
  readonly counts: DiffCounts
  /** The keys that were asked for, in the order of the content. */
  readonly keys: Readonly<Record<Difference, readonly KeyChange[]>>
}

/** Maximum number of keys to list, by difference. Absent: none, only counted. */
export type DiffLimits = Partial<Readonly<Record<Difference, number>>>

/**
 * Compares two contents of a table as it reads them now: spelling of keys, order of rows and order of columns do not count. Memory is that
 * of the larger content and some fifty bytes per key. Works in slices; two versions of a million rows take seconds, so it runs in its own
 * thread (`engine/table-work`). `before: undefined`: there was nothing, so that every key is added.
 *
 * @throws {TableError} if one of them cannot be read.
 */
export async function diffContents(
  table: ReadTable,
  before: EntrySource | undefined,
  after: EntrySource,
  limits: DiffLimits = {},
): Promise<TableDiff> {
  const tally = new KeyTally()
  const slice = createSlice()
  const verdict = table.definition.verdict
  const count = async (side: Side, content: EntrySource) => {
    for await (const batch of entriesOf(table, content)) {
      for (const { canonical, row } of batch) tally.add(side, canonical, fixedText(row), verdict ? rankOf(verdict, row) : 0)
      await slice()
    }
  }
  if (before) await count(BEFORE, before)
  await count(AFTER, after)
  const { added, removed, changed, worsened } = tally.count()
  const counts = { added, removed, changed, worsened }
  const lists = new Lists(limits, tally)
  // Only then are keys and rows read again, and only those that are listed are held.
  if (lists.isWanted) {
    for await (const batch of entriesOf(table, after)) {
      for (const { canonical, key, row } of batch) lists.take(AFTER, canonical, key, row)
      await slice()
    }
    for await (const batch of before ? entriesOf(table, before) : []) {
      for (const { canonical, key, row } of batch) lists.take(BEFORE, canonical, key, row)
      await slice()
    }
  }
  return { counts, keys: lists.keys }
}

/** Collects the listed keys. */
class Lists {
  readonly #limits: DiffLimits
  readonly #tally: KeyTally
  readonly #found: Record<Difference, Map<string, { key: string; before: JsonObject | null; after: JsonObject | null }>> = {
    added: new Map(),
    removed: new Map(),
    changed: new Map(),
    worsened: new Map(),
  }

  constructor(limits: DiffLimits, tally: KeyTally) {
    this.#limits = limits
    this.#tally = tally
  }

  get isWanted(): boolean {
    return Object.values(this.#limits).some((limit) => limit > 0)
  }

  get keys(): TableDiff['keys'] {
    const { added, removed, changed, worsened } = this.#found
    return {
      added: [...added.values()],
      removed: [...removed.values()],
      changed: [...changed.values()],
      worsened: [...worsened.values()],
    }
  }

  take(side: Side, canonical: string, key: string, row: JsonObject): void {
    const change = this.#tally.changeOf(canonical)
    if (change === 'same') return
    this.#list(change, side, canonical, key, row)
    if (change === 'changed' && this.#tally.isWorse(canonical)) this.#list('worsened', side, canonical, key, row)
  }

  #list(difference: Difference, side: Side, canonical: string, key: string, row: JsonObject): void {
    const list = this.#found[difference]
    let listed = list.get(canonical)
    if (!listed) {
      if (list.size >= (this.#limits[difference] ?? 0)) return
      listed = { key, before: null, after: null }
      list.set(canonical, listed)
    }
    if (side === AFTER) listed.after ??= row
    else listed.before ??= row
  }
}

/** A row's text, independent of the order of its columns. */
function fixedText(row: JsonObject): string {
  const columns = Object.keys(row).sort()
  return stringifyJson(columns.map((column) => [column, row[column]!]))
}
