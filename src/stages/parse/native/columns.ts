import type { JsonObject } from '../../../model/json.ts'
import { readQuoted } from './access-line.ts'

/** How a column becomes a value: text, a number, `address:port` as two fields, or a list with commas between its values. */
export type Column = readonly [name: string, kind?: 'number' | 'list' | 'endpoint']

/** Values of a line with one blank between them, some in quotes or brackets; `-` is `undefined`. Undefined if a value is empty. */
export function readColumns(text: string): (string | undefined)[] | undefined {
  const values: (string | undefined)[] = []
  for (let at = 0; at <= text.length; ) {
    const c = text.charCodeAt(at)
    if (c === 0x22) {
      const quoted = readQuoted(text, at)!
      values.push(quoted.value)
      at = quoted.end + 1
      continue
    }
    const close = c === 0x5b ? text.indexOf(']', at) : -1
    const isBracketed = close > 0 && (close + 1 === text.length || text.charCodeAt(close + 1) === 0x20)
    const blank = text.indexOf(' ', isBracketed ? close : at)
    const end = blank < 0 ? text.length : blank
    if (end === at) return undefined
    const value = isBracketed ? text.slice(at + 1, close) : text.slice(at, end)
    values.push(value === '-' ? undefined : value)
    at = end + 1
  }
  return values
}

/** The record of a line's values, or `undefined` if a number is not one. Columns without a value are left out. */
export function recordOf(columns: readonly Column[], values: readonly (string | undefined)[]): JsonObject | undefined {
  const record: JsonObject = {}
  for (const [i, [name, kind]] of columns.entries()) {
    const value = values[i]
    if (value === undefined) continue
    if (kind === 'number') {
      if (!/^-?\d{1,15}(?:\.\d{1,15})?$/.test(value)) return undefined
      record[name] = Number(value)
    } else if (kind === 'list') record[name] = value.split(',')
    else if (kind === 'endpoint') addEndpoint(name, value, record)
    else record[name] = value
  }
  return record
}

/** `192.0.2.10:44325`, `[2001:db8::1]:443` → `<name>Ip` and `<name>Port`. */
function addEndpoint(name: string, value: string, record: JsonObject): void {
  const [, bracketed, bare, port] = /^(?:\[([^\]]{1,255})\]|([^[\]:]{1,255})):(\d{1,5})$/.exec(value) ?? []
  record[`${name}Ip`] = bracketed ?? bare ?? value
  if (port !== undefined) record[`${name}Port`] = Number(port)
}
