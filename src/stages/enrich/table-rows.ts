import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { Looked, TableRows } from '../../model/lookup.ts'
import type { MissesOf } from './join-plan.ts'
import type { Table } from './table.ts'
import { AddressBatch } from './tables/address-batch.ts'
import { joinKey } from './tables/composite-index.ts'
import type { TableRow } from './tables/row-store.ts'

/** Names shown in a message. */
const MAX_SHOWN = 20

/** Rows of one key. */
const MAX_LIST = 100

let created = 0

const addresses = new AddressBatch(1)
const NOT_FOUND = Int32Array.of(-1)

/** When rows have expired, epoch milliseconds, and what is called with addresses that a live table lacks. */
export interface TableRowsOptions {
  readonly atMs?: number
  readonly missesOf?: MissesOf
  /** Why a table that exists has no rows here: a sentence, or `undefined`. */
  readonly absent?: AbsentTable
}

export type AbsentTable = (table: string) => string | undefined

/** Row access for `event.lookup(table, key)` in rules. */
export function tableRows(tables: readonly Table[], { atMs, missesOf, absent }: TableRowsOptions = {}): TableRows {
  const byName = new Map(tables.map((table) => [table.name, table]))
  // As with the keys of an event, the exact name wins, then the first one that differs only in case.
  const byFoldedName = new Map(tables.toReversed().map((table) => [table.name.toLowerCase(), table]))
  return {
    stamp: `${++created}`,
    find(name, key) {
      const table = byName.get(name) ?? byFoldedName.get(name.toLowerCase())
      if (!table) return { problem: absent?.(name) ?? unknown(name, [...byName.keys()]) }
      const looked = rowOf(table, key, atMs)
      if ('row' in looked && looked.row === null && typeof key === 'string') noteMiss(table, key, missesOf)
      return looked
    },
  }
}

/** A live table fills itself with what rules ask for, too. */
function noteMiss(table: Table, key: string, missesOf: MissesOf | undefined): void {
  const note = missesOf?.(table)
  if (!note) return
  addresses.read([key])
  note(addresses, NOT_FOUND)
}

function rowOf(table: Table, key: JsonValue, atMs: number | undefined): Looked {
  const { name, version } = table
  const problem = { problem: `a key of table '${name}' is ${expected(table)}, not ${shown(key)}` }
  if (key !== null && Array.isArray(key) !== (table.match === 'composite')) return problem
  const parts = (Array.isArray(key) ? (key as JsonValue[]) : [key]).map(textOf)
  if (parts.includes(undefined)) return problem
  const found = parts.includes(null) ? -1 : table.find(table.match === 'composite' ? joinKey(parts as string[]) : parts[0]!, atMs)
  if (found < 0) return { table: name, version, row: null }
  const copy = ({ values, version: own }: TableRow): JsonObject => ({ ...values, p_match: key, p_version: own ?? version })
  const row = table.isList ? table.list(found, atMs).slice(0, MAX_LIST).map(copy) : copy(table.row(found))
  return { table: name, version, row }
}

/** Null, a missing field, is in no table. */
function textOf(part: JsonValue): string | null | undefined {
  if (part === null) return null
  return typeof part === 'object' ? undefined : String(part)
}

function expected({ match }: Table): string {
  return match === 'composite' ? 'a list of its parts' : 'a text, a number, true or false'
}

function shown(key: JsonValue): string {
  if (Array.isArray(key)) return `a list of ${key.length}`
  return typeof key === 'object' ? 'a map' : JSON.stringify(String(key))
}

function unknown(name: string, known: readonly string[]): string {
  const shown = known.slice(0, MAX_SHOWN).join(', ')
  const more = known.length > MAX_SHOWN ? ` and ${known.length - MAX_SHOWN} more` : ''
  return `no table '${name}' is in force. In force: ${known.length === 0 ? 'none' : `${shown}${more}`}. \`caracal tables\` says why one is not`
}
