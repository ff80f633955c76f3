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
  readonly #rows: RowStore
  readonly #index: KeyIndex

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
    this.size = this.#index.size
  }

  get bytes(): number {
    return bytesOf(this.image)
  }

  get hasAddresses(): boolean {
    return this.#index.findAll !== undefined
  }

  get isList(): boolean {
    return this.image.groups !== undefined
  }

  find(key: string): number {
    return this.#index.find(key)
  }

  findAll(batch: AddressBatch, rows: Int32Array): void {
    this.#index.findAll?.(batch, rows)
  }

  row(number: number): TableRow {
    return this.#rows.get(number)
  }

  list(number: number): readonly TableRow[] {
    const { groups } = this.image
    return groups ? Array.from(rowsIn(groups, number), (row) => this.#rows.get(row)) : [this.#rows.get(number)]
  }

  get(key: string): JsonObject | undefined {
    const found = this.#index.find(key)
    return found < 0 ? undefined : this.list(found)[0]!.values
  }
}
