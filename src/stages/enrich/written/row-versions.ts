import type { WrittenRow } from '../../../model/table-write.ts'

/** A row as of a write, and as it was before. */
interface Version {
  readonly number: number
  /** `undefined`: it was gone. */
  readonly row: WrittenRow | undefined
  before: Version | undefined
}

/**
 * The rows of one table, as they are and as they were before the last writes: batches in progress see the rows as of their beginning, while
 * later ones already write.
 */
export class RowVersions {
  /** In the order in which they were last written. */
  readonly #rows = new Map<string, Version>()
  /** Rows that are gone, as long as some batch may still see them. */
  readonly #gone = new Map<string, Version>()
  #length = 0

  get size(): number {
    return this.#rows.size
  }

  /** Length of all keys and columns, in UTF-16 code units. */
  get length(): number {
    return this.#length
  }

  /** The row as of a write; default: the newest one. */
  get(key: string, number = Number.POSITIVE_INFINITY): WrittenRow | undefined {
    let version = this.#rows.get(key) ?? this.#gone.get(key)
    while (version && version.number > number) version = version.before
    return version?.row
  }

  /** Keys that have a row as of some write. */
  get keys(): readonly string[] {
    return [...this.#rows.keys(), ...this.#gone.keys()]
  }

  /** The rows as of the newest write, those written longest ago first. */
  *[Symbol.iterator](): Generator<WrittenRow> {
    for (const { row } of this.#rows.values()) yield row!
  }

  /** The row from a write on; `undefined`: it is gone. Versions that no write from `oldest` on sees are dropped. */
  put(key: string, row: WrittenRow | undefined, { number, oldest }: { readonly number: number; readonly oldest: number }): void {
    const before = this.#rows.get(key) ?? this.#gone.get(key)
    const version = { number, row, before: neededBy(oldest, before) }
    this.#length += lengthOf(row) - lengthOf(before?.row)
    // A row that is only read keeps its place.
    if (!row || row.order !== before?.row?.order) this.#rows.delete(key)
    this.#gone.delete(key)
    if (row) this.#rows.set(key, version)
    else if (version.before) this.#gone.set(key, version)
    this.#forget(oldest)
  }

  #forget(oldest: number): void {
    for (const [key, { number }] of this.#gone) {
      if (number > oldest) return
      this.#gone.delete(key)
    }
  }
}

/** The versions that a batch may see that sees the table as of `oldest`, or of a later write. */
function neededBy(oldest: number, newest: Version | undefined): Version | undefined {
  for (let version = newest; version; version = version.before) if (version.number <= oldest) version.before = undefined
  return newest
}

/** How much a row takes of its table's length. */
export function lengthOf(row: WrittenRow | undefined): number {
  return row ? row.key.length + row.spelling.length + row.text.length : 0
}
