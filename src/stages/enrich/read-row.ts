import { parsePrefix } from '../../model/ip.ts'
import { parseRange } from '../../model/ip-range.ts'
import type { JsonObject } from '../../model/json.ts'
import { find } from '../../util/define.ts'
import type { TableDefinition } from './definition.ts'
import type { Format, ReadRow } from './formats/format.ts'
import { keysOfRow } from './row-keys.ts'
import { type MatchKind, type Table, TableError } from './table.ts'
import type { TableKey } from './table-key.ts'
import type { TableSchema } from './table-schema.ts'
import { type PartKind, splitKey } from './tables/composite-index.ts'
import { compositeKind, type KeyKind, keyKinds } from './tables/index.ts'

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
  readonly #key: TableKey

  constructor(format: Format, schema: TableSchema | undefined, key: TableKey) {
    this.#format = format
    this.#schema = schema
    this.#key = key
  }

  /** The row with its keys; a sentence if it cannot be used; `undefined` for one of a wide format that the table leaves out. */
  shape(read: ReadRow): KeyedRow | string | undefined {
    if (typeof read === 'string') return read
    const shaped = this.#schema ? this.#schema.shape(read, this.#format.isText) : read
    if (typeof shaped === 'string') return this.#format.isWide ? undefined : `a row cannot be used: ${shaped}`
    const keys = keysOfRow(shaped, this.#key)
    if (typeof keys === 'string') return keys
    const fields = this.#format.isWide ? this.#schema?.fields : undefined
    return { keys, row: fields ? project(shaped, fields) : shaped }
  }
}

/** What decides how keys are compared. */
export interface MatchEvidence {
  readonly definition: Pick<TableDefinition, 'match' | 'parts' | 'key'>
  readonly schema: TableSchema | undefined
  readonly format: Format
  readonly text: string
  /** Keys of the content, in order. */
  readonly keys: readonly string[]
}

/** How the keys of a table are compared. */
export function keyKindOf(evidence: MatchEvidence): KeyKind<Table['match']> {
  const { definition, schema, format, text, keys } = evidence
  const { match, parts, key } = definition
  if (key.kind === 'composite') return compositeKind(parts ?? key.columns.map((_, at) => partOf(evidence, at)))
  if (key.kind === 'range') return find('key kind', keyKinds, 'cidr')
  return find('key kind', keyKinds, match ?? format.matchOf?.(text) ?? schema?.matchOf(key.columns[0]!) ?? inferMatch(keys))
}

/** How a part of a composite key is compared if the definition does not say it. */
function partOf({ definition, schema, keys }: MatchEvidence, at: number): PartKind {
  const column = definition.key.columns[at]!
  const match = schema?.matchOf(column) ?? inferMatch(keys.slice(0, SAMPLE).map((key) => splitKey(key)[at]!))
  if (match === 'cidr' && schema?.matchOf(column))
    throw new TableError(`'${column}' contains networks, which cannot be part of a composite key: add \`Match:\``)
  return match === 'cidr' ? 'exact' : (match as PartKind)
}

/** Number of keys from which their kind is inferred. */
const SAMPLE = 1000

function project(row: JsonObject, fields: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(row).filter(([key]) => fields.has(key)))
}

/** Without a schema: addresses or networks if nearly all keys are, otherwise text. */
function inferMatch(keys: readonly string[]): MatchKind {
  const sample = keys.slice(0, SAMPLE)
  const addresses = sample.filter((key) => parsePrefix(key) !== undefined || parseRange(key) !== undefined)
  if (addresses.length < sample.length * 0.9) return 'exact'
  return keys.some((key) => /[/-]/.test(key)) ? 'cidr' : 'ip'
}
