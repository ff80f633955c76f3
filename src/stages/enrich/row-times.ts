import type { JsonObject, JsonValue } from '../../model/json.ts'
import { stringifyJson } from '../../util/json.ts'

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|[+-]\d\d:?\d\d)?)?$/i

/**
 * A time in a row as epoch milliseconds: RFC 3339 (the time, its zone and the `T` may be missing; without a zone it is UTC), or a number of
 * seconds, milliseconds, microseconds or nanoseconds since 1970, distinguished by their size. `undefined` if it is neither.
 */
export function timeOf(value: JsonValue): number | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return ofNumber(Number(value))
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (/^-?\d{1,20}(?:\.\d+)?$/.test(text)) return ofNumber(Number(text))
  const [, day, clock = '00:00', zone = 'Z'] = ISO.exec(text) ?? []
  if (day === undefined) return undefined
  const ms = Date.parse(`${day}T${clock}${zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2').toUpperCase()}`)
  return Number.isNaN(ms) ? undefined : ms
}

function ofNumber(number: number): number | undefined {
  if (!Number.isFinite(number)) return undefined
  const size = Math.abs(number)
  if (size < 1e11) return number * 1e3
  if (size < 1e14) return number
  return size < 1e17 ? number / 1e3 : number / 1e6
}

/** The time in a column of a row; `undefined` if there is none, a sentence if it cannot be read. */
export function timeIn(row: JsonObject, column: string): number | string | undefined {
  const value = Object.hasOwn(row, column) ? row[column] : undefined
  if (value === undefined || value === null || value === '') return undefined
  return timeOf(value) ?? `a row's '${column}' is not a time: ${stringifyJson(value).slice(0, 80)}`
}
