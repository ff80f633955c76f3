import type { JsonObject } from '../../../model/json.ts'
import type { WrittenRow } from '../../../model/table-write.ts'
import { parseJson } from '../../../util/json.ts'
import type { Binding } from '../associations.ts'
import type { TableDefinition } from '../definition.ts'
import type { Table } from '../table.ts'
import { schemaOfIndicators, type TableSchema } from '../table-schema.ts'
import { canonicalParts, joinKey } from '../tables/composite-index.ts'
import type { TableRow } from '../tables/row-store.ts'
import { type EventSource, type KeyShape, keyShape, type Timeouts } from './event-source.ts'

/** A table that events write, compiled. */
export interface WrittenDefinition {
  readonly source: EventSource
  readonly shape: KeyShape
  readonly keyColumns: readonly string[]
  /** The first row of a key stays. */
  readonly keepsFirst: boolean
  /** Whether an event writes a row. */
  readonly isWanted: (event: JsonObject) => boolean
  readonly binding: Binding
  readonly schema: TableSchema | undefined
}

/** Compiles the definition of a table that events write. */
export function defineWritten(
  { events: source, key, rowChoice, primaryKey, indicators, ...definition }: TableDefinition & { readonly events: EventSource },
  fileSchema: TableSchema | undefined,
  isWanted: (event: JsonObject) => boolean,
): WrittenDefinition {
  const { name, match, parts, associations, added, byValue } = definition
  const schema = fileSchema ?? (indicators && schemaOfIndicators(indicators))
  const automatic = key.kind === 'composite' ? undefined : schema?.automaticOf(primaryKey)
  return {
    source,
    shape: keyShape({ name, key, match, parts }, schema),
    keyColumns: key.columns,
    keepsFirst: rowChoice === 'first',
    isWanted,
    binding: { associations, added, automatic, byValue },
    schema,
  }
}

/** When a row expires, epoch milliseconds. */
export function expiryOf({ createdMs, writtenMs, readMs }: WrittenRow, timeouts: Timeouts): number {
  return Math.min(
    createdMs + (timeouts.createMs ?? Number.POSITIVE_INFINITY),
    writtenMs + (timeouts.writeMs ?? Number.POSITIVE_INFINITY),
    Math.max(writtenMs, readMs) + (timeouts.readMs ?? Number.POSITIVE_INFINITY),
  )
}

/** The row of a key. */
export type RowOfKey = (key: string) => WrittenRow | undefined

/** The rows that events had written at a time: a table as one batch sees it. */
export class WrittenTable implements Table {
  readonly name: string
  readonly match: Table['match']
  readonly binding: Binding
  readonly size: number
  /** That of the newest write; each row has its own. */
  readonly version: string
  readonly bytes = 0
  readonly skipped = { count: 0, examples: [] }
  readonly hasAddresses = false
  readonly isList = false
  readonly isExpiring: boolean
  readonly #definition: WrittenDefinition
  readonly #rowOf: RowOfKey
  readonly #numbers = new Map<string, number>()
  readonly #found: WrittenRow[] = []

  /** `rowOf` must give the same answers as long as the table is used. */
  constructor(
    definition: WrittenDefinition,
    { rowOf, size, version }: { readonly rowOf: RowOfKey; readonly size: number; readonly version: number },
  ) {
    const { shape, binding, source } = definition
    this.name = shape.id.name
    this.match = shape.compared.length > 1 ? 'composite' : shape.compared[0]!
    this.binding = binding
    this.isExpiring = Object.values(source.timeouts).some((timeout) => timeout !== undefined)
    this.size = size
    this.version = String(version)
    this.#definition = definition
    this.#rowOf = rowOf
  }

  find(text: string, atMs?: number): number {
    const { shape, source } = this.#definition
    const key = canonicalKey(text, shape)
    const row = key === undefined ? undefined : this.#rowOf(key)
    if (!row || (atMs !== undefined && expiryOf(row, source.timeouts) <= atMs)) return -1
    const known = this.#numbers.get(row.key)
    if (known !== undefined) return known
    this.#numbers.set(row.key, this.#found.length)
    return this.#found.push(row) - 1
  }

  /** Addresses are compared as keys, one by one. */
  findAll(): never {
    throw new Error(`table '${this.name}' has no index of addresses`)
  }

  row(number: number): TableRow {
    const { text, version } = this.#found[number]!
    const read = parseJson(text, { maxDepth: MAX_DEPTH })
    if (read.kind !== 'ok') throw new Error(`a row of table '${this.name}' is damaged: ${read.message}`)
    const values = read.value as JsonObject
    return { values, indicators: this.#definition.schema?.indicators(values) ?? {}, version }
  }

  list(number: number): readonly TableRow[] {
    return [this.row(number)]
  }

  get(key: string, atMs?: number): JsonObject | undefined {
    const found = this.find(key, atMs)
    return found < 0 ? undefined : this.row(found).values
  }
}

const MAX_DEPTH = 1000

/** The form that all spellings of a key share; of several parts as `joinKey` writes them. `undefined`: not a key of the table. */
export function canonicalKey(text: string, { compared }: KeyShape): string | undefined {
  return canonicalParts(compared.length > 1 ? text : joinKey([text]), compared)?.toWellFormed()
}

/** A table without rows that collects the keys for which it is asked. */
export class ReadKeys extends WrittenTable {
  readonly found = new Set<string>()

  constructor(definition: WrittenDefinition) {
    super(definition, { rowOf: (key) => void this.found.add(key), size: 0, version: 0 })
  }
}
