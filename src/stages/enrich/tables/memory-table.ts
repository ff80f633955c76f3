import type { JsonObject } from '../../../model/json.ts'
import type { Binding } from '../associations.ts'
import type { SkippedRows, Table } from '../table.ts'
import type { TableSchema } from '../table-schema.ts'
import type { AddressBatch } from './address-batch.ts'
import { type IndexParts, type KeyIndex, openIndex } from './index.ts'
import { type GroupParts, rowsIn } from './row-groups.ts'
import { type RowParts, RowStore, type TableRow } from './row-store.ts'
import { bytesOf } from './shared.ts'

/** A table without its schema, to be sent to another thread, which then shares the memory. */
export interface TableImage {
  readonly name: string
  readonly version: string
  readonly match: Table['match']
  readonly skipped: SkippedRows
  readonly binding: Binding
  readonly index: IndexParts
  readonly rows: RowParts
  /** The rows of each key, whose number the index then has instead of a row's. Absent: one row a key. */
  readonly groups?: GroupParts | undefined
  /** All rows of a key count, not only the first. */
  readonly isList?: boolean
  /** From when on each row is not found any more, epoch milliseconds. Only with `groups`. */
  readonly expires?: Float64Array | undefined
}

/** Rows and an index of their keys in shared memory. */
export class MemoryTable implements Table {
  readonly image: TableImage
  readonly name: string
  readonly version: string
  readonly match: Table['match']
  readonly size: number
  readonly skipped: SkippedRows
  readonly binding: Binding
  readonly isList: boolean
  readonly #rows: RowStore
  readonly #index: KeyIndex
  readonly #groups: GroupParts | undefined

  /** Opens a table that this or another thread has built with the same schema. */
  constructor(image: TableImage, schema: TableSchema | undefined) {
    this.image = image
    this.name = image.name
    this.version = image.version
    this.match = image.match
    this.skipped = image.skipped
    this.binding = image.binding
    this.#index = openIndex(image.index)
    this.#rows = new RowStore(image.rows, schema)
    this.#groups = image.groups
    this.isList = image.isList === true
    this.size = this.#index.size
  }

  get bytes(): number {
    return bytesOf(this.image)
  }

  get isExpiring(): boolean {
    return this.image.expires !== undefined
  }

  get hasAddresses(): boolean {
    return this.#index.findAll !== undefined
  }

  find(key: string, atMs = BEFORE_ALL): number {
    const found = this.#index.find(key)
    if (found < 0 || this.#groups === undefined) return found
    if (this.#firstOf(found, atMs) >= 0) return this.#numberOf(found, atMs)
    const next = this.#index.findWhere?.(key, (group) => this.#firstOf(group, atMs) >= 0) ?? -1
    return next < 0 ? -1 : this.#numberOf(next, atMs)
  }

  findAll(batch: AddressBatch, rows: Int32Array, atMs = BEFORE_ALL): void {
    this.#index.findAll?.(batch, rows)
    if (this.#groups === undefined) return
    const isLive = (group: number) => this.#firstOf(group, atMs) >= 0
    for (let i = 0; i < batch.size; i++) {
      const found = this.#index.outerWhere?.(rows[i]!, isLive) ?? -1
      rows[i] = found < 0 ? -1 : this.#numberOf(found, atMs)
    }
  }

  row(number: number): TableRow {
    return this.#rows.get(number)
  }

  list(number: number, atMs = BEFORE_ALL): readonly TableRow[] {
    if (!this.isList) return [this.#rows.get(number)]
    const { expires } = this.image
    const rows = Array.from(rowsIn(this.#groups!, number))
    return (expires ? rows.filter((row) => expires[row]! > atMs) : rows).map((row) => this.#rows.get(row))
  }

  get(key: string, atMs?: number): JsonObject | undefined {
    const found = this.find(key, atMs)
    return found < 0 ? undefined : this.list(found, atMs)[0]!.values
  }

  /** The first row of a group that has not expired, -1 for none. */
  #firstOf(group: number, atMs: number): number {
    const { starts, rows } = this.#groups!
    const { expires } = this.image
    for (let at = starts[group]!; at < starts[group + 1]!; at++) {
      const row = rows[at]!
      if (expires === undefined || expires[row]! > atMs) return row
    }
    return -1
  }

  #numberOf(group: number, atMs: number): number {
    return this.isList ? group : this.#firstOf(group, atMs)
  }
}

/** The time if none is given: nothing has expired. */
const BEFORE_ALL = Number.NEGATIVE_INFINITY
