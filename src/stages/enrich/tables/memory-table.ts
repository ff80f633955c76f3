import type { JsonObject } from '../../../model/json.ts'
import type { Binding } from '../associations.ts'
import type { SkippedRows, Table } from '../table.ts'
import type { TableSchema } from '../table-schema.ts'
import type { AddressBatch } from './address-batch.ts'
import { type IndexParts, type KeyIndex, openIndex } from './index.ts'
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

  find(key: string): number {
    return this.#index.find(key)
  }

  findAll(batch: AddressBatch, rows: Int32Array): void {
    this.#index.findAll?.(batch, rows)
  }

  row(number: number): TableRow {
    return this.#rows.get(number)
  }

  get(key: string): JsonObject | undefined {
    const row = this.#index.find(key)
    return row < 0 ? undefined : this.#rows.get(row).values
  }
}
