import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { parseJson, stringifyJson } from '../../../util/json.ts'
import { TableError } from '../table.ts'
import type { TableSchema } from '../table-schema.ts'
import { sharedBytes, sharedUint32 } from './shared.ts'

/** Rows as JSON in shared memory. */
export interface RowParts {
  /** Column names of each kind of row; most tables have one kind. */
  readonly columns: readonly (readonly string[])[]
  /** The rows, one after the other, each a JSON array of the number of its kind and its values. */
  readonly bytes: Uint8Array
  /** Start of each row, and finally the end of the last one. */
  readonly starts: Uint32Array
}

/** A row of a table. */
export interface TableRow {
  /** Belongs to the store: copy it before changing anything. */
  readonly values: JsonObject
  /** Indicators of the row, by `p_any_*` name, from the table's schema. */
  readonly indicators: Readonly<Record<string, readonly string[]>>
  /** The number of the write that gave it its values. Absent: the table's version is the row's. */
  readonly version?: number
}

/** The most recently read rows are cached as objects, because the same few match repeatedly. */
const KEPT = 1024
const MAX_DEPTH = 1000

/** Reads rows that other threads may read at the same time. */
export class RowStore {
  readonly parts: RowParts
  readonly #bytes: Buffer
  readonly #schema: TableSchema | undefined
  readonly #kept: ({ readonly number: number; readonly row: TableRow } | undefined)[] = []

  constructor(parts: RowParts, schema: TableSchema | undefined) {
    this.parts = parts
    const { buffer, byteOffset, length } = parts.bytes
    this.#bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, length)
    this.#schema = schema
  }

  get(number: number): TableRow {
    const kept = this.#kept[number % KEPT]
    if (kept?.number === number) return kept.row
    const values = this.#read(number)
    const row = { values, indicators: this.#schema?.indicators(values) ?? {} }
    this.#kept[number % KEPT] = { number, row }
    return row
  }

  #read(number: number): JsonObject {
    const { starts, columns } = this.parts
    const text = this.#bytes.toString('utf8', starts[number]!, starts[number + 1]!)
    const read = parseJson(text, { maxDepth: MAX_DEPTH })
    if (read.kind !== 'ok') throw new Error(`row ${number} of a table is damaged: ${read.message}`)
    const [kind, ...values] = read.value as [number, ...JsonValue[]]
    // Defines own properties, even for a column `__proto__`.
    return Object.fromEntries(columns[kind]!.map((column, i) => [column, values[i]!]))
  }
}

/** Rows may be longer than the content that they are read from: what it says once, many rows may repeat. */
const MAX_BYTES = 2 ** 30

/** Collects rows. */
export class RowStoreBuilder {
  size = 0
  readonly #kinds = new Map<string, number>()
  readonly #columns: string[][] = []
  #bytes = Buffer.alloc(64 * 1024)
  #used = 0
  #starts = new Uint32Array(1024)
  readonly #maxBytes: number

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes
  }

  add(row: JsonObject): void {
    const columns = Object.keys(row)
    const text = stringifyJson([this.#kindOf(columns), ...columns.map((column) => row[column]!)])
    if (this.#used + text.length > this.#maxBytes)
      throw new TableError(`the rows of the content have more than ${this.#maxBytes} bytes`)
    const most = this.#used + text.length * 3
    if (most > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], Math.max(most, this.#bytes.length * 2))
    this.#used += this.#bytes.write(text, this.#used)
    if (++this.size === this.#starts.length) this.#growStarts()
    this.#starts[this.size] = this.#used
  }

  build(): RowParts {
    const bytes = sharedBytes(this.#used)
    bytes.set(this.#bytes.subarray(0, this.#used))
    const starts = sharedUint32(this.size + 1)
    starts.set(this.#starts.subarray(0, this.size + 1))
    return { columns: this.#columns, bytes, starts }
  }

  #kindOf(columns: string[]): number {
    const key = JSON.stringify(columns)
    const known = this.#kinds.get(key)
    if (known !== undefined) return known
    this.#kinds.set(key, this.#columns.length)
    return this.#columns.push(columns) - 1
  }

  #growStarts(): void {
    const starts = new Uint32Array(this.#starts.length * 2)
    starts.set(this.#starts)
    this.#starts = starts
  }
}
