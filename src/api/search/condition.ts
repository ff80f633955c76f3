import { addressRange, addressText } from '../../model/ip-text.ts'
import type { Params } from '../timeline/sql.ts'
import type { Filter, Op } from './filters.ts'
import { quoteName } from './quote.ts'

/** A column of a table as the lake describes it. */
export interface Column {
  readonly name: string
  /** The engine's type, without `Nullable` and `LowCardinality`. */
  readonly type: string
}

/** A field of a table: a column, or a member of a column with JSON. */
export interface Field {
  readonly column: Column
  readonly path: readonly string[]
}

/** The field of that name in a table, if it has one. Names of columns come first: they may contain dots. */
export function fieldIn(columns: ReadonlyMap<string, Column>, name: string): Field | undefined {
  const exact = columns.get(name)
  if (exact) return { column: exact, path: [] }
  const parts = name.split('.')
  for (let length = parts.length - 1; length > 0; length--) {
    const column = columns.get(parts.slice(0, length).join('.'))
    if (column?.type === 'String') return { column, path: parts.slice(length) }
  }
  return undefined
}

/** Operations that hold for an event that does not have the field. */
export function holdsWithout(op: Op): boolean {
  return op === 'missing' || op.startsWith('not_')
}

/** A filter as SQL. Values are parameters; names are those of columns that exist. */
export function conditionOf({ op, values }: Filter, field: Field, params: Params): string {
  if (op === 'exists') return `NOT ${isEmpty(field, params)}`
  if (op === 'missing') return isEmpty(field, params)
  if (op.startsWith('not_')) return `NOT ${any(op.slice(4) as Op, values, field, params)}`
  return any(op, values, field, params)
}

/** That the event's text occurs in a field of any kind that has text. */
export function textCondition(text: string, columns: Iterable<Column>, params: Params): string {
  const value = params.add(text)
  const each = [...columns].flatMap((column) => {
    if (column.type === 'String') return [contains(textOf({ column, path: [] }, params), value)]
    return column.type === 'Array(String)' ? [`arrayExists(x -> ${contains('x', value)}, ${quoteName(column.name)})`] : []
  })
  return each.length === 0 ? 'false' : `(${each.join(' OR ')})`
}

/** The values of a field, one row each. */
export function valuesOf(field: Field, params: Params): string {
  return isList(field) ? `arrayJoin(${quoteName(field.column.name)})` : textOf(field, params)
}

function any(op: Op, values: Filter['values'], field: Field, params: Params): string {
  if (op === 'equals' && isList(field)) return `hasAny(${quoteName(field.column.name)}, [${params.list(values.map(String))}])`
  const each = values.map((value) => {
    if (isList(field)) return `arrayExists(x -> ${compared(op, 'x', String(value), params)}, ${quoteName(field.column.name)})`
    if (isText(field) || !(op in SIGNS)) return compared(op, textOf(field, params), String(value), params)
    const { name, type } = field.column
    return `coalesce(${quoteName(name)} ${SIGNS[op as keyof typeof SIGNS]} ${typed(String(value), type, params)}, false)`
  })
  return each.length === 1 ? each[0]! : `(${each.join(' OR ')})`
}

const SIGNS = { equals: '=', greater: '>', greater_or_equal: '>=', less: '<', less_or_equal: '<=' } as const

/** A comparison of a text, which is never null. */
function compared(op: Op, text: string, value: string, params: Params): string {
  switch (op) {
    case 'contains':
      return contains(text, params.add(value))
    case 'starts_with':
      return `startsWith(${text}, ${params.add(value)})`
    case 'ends_with':
      return `endsWith(${text}, ${params.add(value)})`
    case 'in_network':
      return inNetwork(text, value, params)
    default:
      return `${text} ${SIGNS[op as keyof typeof SIGNS]} ${params.add(value)}`
  }
}

function contains(text: string, value: string): string {
  return `positionCaseInsensitiveUTF8(${text}, ${value}) > 0`
}

/** The engine compares IPv4 addresses as IPv6 addresses. A text that is no address is in no network. */
function inNetwork(text: string, network: string, params: Params): string {
  const { family, first, last } = addressRange(network)!
  const [from, to] = [first, last].map((value) => `toIPv6(${params.add(addressText(family, value))})`)
  const address = `toIPv6OrNull(${text})`
  return `coalesce(${address} >= ${from} AND ${address} <= ${to}, false)`
}

/** A value as one of the column's type; null if it cannot be one. */
function typed(value: string, type: string, params: Params): string {
  if (type.startsWith('DateTime64')) return `parseDateTime64BestEffortOrNull(${params.add(value)}, 9, 'UTC')`
  return `accurateCastOrNull(${params.add(value)}, '${type.replaceAll(/[^A-Za-z0-9]/g, '')}')`
}

function isEmpty(field: Field, params: Params): string {
  const name = quoteName(field.column.name)
  if (isList(field)) return `empty(${name})`
  return isText(field) ? `(${textOf(field, params)} = '')` : `isNull(${name})`
}

/** A field as text; an event without it has the empty text. */
function textOf({ column, path }: Field, params: Params): string {
  const name = quoteName(column.name)
  if (path.length === 0) return column.type === 'String' ? `coalesce(${name}, '')` : `coalesce(toString(${name}), '')`
  const keys = path.map((key) => (/^\d{1,4}$/.test(key) ? String(Number(key) + 1) : params.add(key))).join(', ')
  const json = `coalesce(${name}, '')`
  // A member that is no text has its JSON as text.
  return `if(JSONType(${json}, ${keys}) = 'String', JSONExtractString(${json}, ${keys}), JSONExtractRaw(${json}, ${keys}))`
}

function isText({ column, path }: Field): boolean {
  return column.type === 'String' || column.type === 'Bool' || path.length > 0
}

function isList({ column }: Field): boolean {
  return column.type === 'Array(String)'
}
