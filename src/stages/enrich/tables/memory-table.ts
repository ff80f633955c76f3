import type { IpFamily } from '../../../model/ip.ts'
import type { JsonObject } from '../../../model/json.ts'
import type { Binding } from '../associations.ts'
import type { MatchKind, SkippedRows, Table } from '../table.ts'
import type { TableSchema } from '../table-schema.ts'
import type { KeyIndex } from './index.ts'

export interface MemoryTableParts {
  readonly name: string
  readonly version: string
  readonly match: MatchKind
  readonly rows: readonly JsonObject[]
  readonly index: KeyIndex
  readonly skipped: SkippedRows
  readonly binding: Binding
  readonly schema: TableSchema | undefined
}

/** Rows as objects beside an index of their keys. */
export class MemoryTable implements Table {
  readonly name: string
  readonly version: string
  readonly match: MatchKind
  readonly size: number
  readonly skipped: SkippedRows
  readonly binding: Binding
  readonly #rows: readonly JsonObject[]
  readonly #index: KeyIndex
  readonly #schema: TableSchema | undefined

  constructor({ name, version, match, rows, index, skipped, binding, schema }: MemoryTableParts) {
    this.name = name
    this.version = version
    this.match = match
    this.size = index.size
    this.skipped = skipped
    this.binding = binding
    this.#rows = rows
    this.#index = index
    this.#schema = schema
  }

  get(key: string): JsonObject | undefined {
    const row = this.#index.find(key)
    return row < 0 ? undefined : this.#rows[row]
  }

  getAddress(family: IpFamily, words: Uint32Array): JsonObject | undefined {
    const row = this.#index.findAddress?.(family, words) ?? -1
    return row < 0 ? undefined : this.#rows[row]
  }

  indicators(row: JsonObject): Readonly<Record<string, readonly string[]>> {
    return this.#schema?.indicators(row) ?? {}
  }
}
