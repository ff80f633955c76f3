import { parsePrefix } from '../../model/ip.ts'
import { parseRange } from '../../model/ip-range.ts'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { TableDefinition } from './definition.ts'
import type { Format, ReadRow } from './formats/format.ts'
import { keyOfColumns } from './formats/span.ts'
import type { MatchKind } from './table.ts'
import type { TableSchema } from './table-schema.ts'

/** A usable row with its keys; several if the primary key is a list. */
export interface KeyedRow {
  readonly keys: readonly string[]
  readonly row: JsonObject
}

/** One key of a table's content with its row. */
export interface Entry {
  /** The form that all spellings of the key share. */
  readonly canonical: string
  /** As the content spells it. */
  readonly key: string
  readonly row: JsonObject
}

/** Turns what a format has read into rows of a table. */
export class RowShaper {
  readonly #format: Format
  readonly #schema: TableSchema | undefined
  readonly #primaryKey: string

  constructor(format: Format, schema: TableSchema | undefined, primaryKey: string) {
    this.#format = format
    this.#schema = schema
    this.#primaryKey = primaryKey
  }

  /** The row with its keys; a sentence if it cannot be used; `undefined` for one of a wide format that the table leaves out. */
  shape(read: ReadRow): KeyedRow | string | undefined {
    if (typeof read === 'string') return read
    const shaped = this.#schema ? this.#schema.shape(read, this.#format.isText) : read
    if (typeof shaped === 'string') return this.#format.isWide ? undefined : `a row cannot be used: ${shaped}`
    const span = keyOfColumns(shaped, this.#primaryKey)
    if (typeof span === 'string') return span
    const own = Object.hasOwn(shaped, this.#primaryKey) ? shaped[this.#primaryKey] : undefined
    const keys = keysOf(span?.key ?? own)
    if (keys.length === 0) return `a row has no '${this.#primaryKey}' (the primary key)`
    const fields = this.#format.isWide ? this.#schema?.fields : undefined
    return { keys, row: fields ? project(shaped, fields) : shaped }
  }
}

/** What decides how keys are compared. */
export interface MatchEvidence {
  readonly definition: Pick<TableDefinition, 'match' | 'primaryKey'>
  readonly schema: TableSchema | undefined
  readonly format: Format
  readonly text: string
  /** Keys of the content, in order. */
  readonly keys: readonly string[]
}

/** How the keys of a table are compared. */
export function matchKind({ definition, schema, format, text, keys }: MatchEvidence): MatchKind {
  return definition.match ?? format.matchOf?.(text) ?? schema?.matchOf(definition.primaryKey) ?? inferMatch(keys)
}

function keysOf(value: JsonValue | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap((element) => keysOf(element as JsonValue))
  if (typeof value === 'string') return value === '' ? [] : [value]
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? [String(value)] : []
}

function project(row: JsonObject, fields: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(row).filter(([key]) => fields.has(key)))
}

/** Without a schema: addresses or networks if nearly all keys are, otherwise text. */
function inferMatch(keys: readonly string[]): MatchKind {
  const sample = keys.slice(0, 1000)
  const addresses = sample.filter((key) => parsePrefix(key) !== undefined || parseRange(key) !== undefined)
  if (addresses.length < sample.length * 0.9) return 'exact'
  return keys.some((key) => /[/-]/.test(key)) ? 'cidr' : 'ip'
}
