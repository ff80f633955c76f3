import type { Column } from '../../model/column.ts'
import type { Event } from '../../model/event.ts'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { RowOrigin } from '../../model/schema.ts'
import { setOwn, stringifyJson } from '../../util/json.ts'

// What JSON.stringify would escape; short texts without it are quoted by hand, which is faster.
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes exactly these.
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/

/** A text with a comma before it. */
function text(value: string): string {
  return value.length < 64 && !ESCAPED.test(value) ? `,"${value}"` : `,${JSON.stringify(value)}`
}

/** An array of texts as JSON; absent is empty: the lake's arrays have no NULL. */
function texts(values: readonly string[] | undefined): string {
  if (values === undefined || values.length === 0) return ',[]'
  let array = ''
  for (let i = 0; i < values.length; i++) array += text(values[i]!)
  return `,[${array.slice(1)}]`
}

/** Exact JSON text of a value, as a JSON string. */
function nested(value: JsonValue): string {
  if (Array.isArray(value) && value.length === 0) return ',"[]"'
  return `,${JSON.stringify(stringifyJson(value))}`
}

/** `extra`: the fields that the schema does not know, as exact JSON text of an object. */
function extra(event: Event, names: readonly string[]): string {
  if (names.length === 0) return ',null'
  const object: JsonObject = {}
  for (const name of names) setOwn(object, name, event[name]!)
  return nested(object)
}

/**
 * The function that writes an event as the lake's row. Generated for the same reason, and as safely, as the one that
 * makes events: column names and constants enter the code as JSON literals only. `constants` are the columns that hold
 * the same value in every event of the schema, as JSON text.
 */
export function generateRow(
  columns: readonly Column[],
  constants: ReadonlyMap<string, string>,
  unknownFields: (event: Event) => readonly string[],
): (event: Event, origin?: RowOrigin) => string {
  const parts: string[] = []
  // The first column, the log type, is a constant: what follows it begins with a comma.
  let fixed = '['
  for (const column of columns) {
    const constant = constants.get(column.name)
    if (constant !== undefined) fixed += fixed === '[' ? constant : `,${constant}`
    else {
      if (fixed !== '') parts.push(JSON.stringify(fixed))
      fixed = ''
      parts.push(partOf(column))
    }
  }
  parts.push(JSON.stringify(`${fixed}]`))
  const code = `'use strict'
return function row(event, origin) {
  let x
  return ${parts.join(` +\n    `)}
}`
  const make = new Function('tools', code) as (tools: unknown) => (event: Event, origin?: RowOrigin) => string
  return make({ text, texts, nested, extra, unknownFields })
}

/** Columns of what a batch's events have in common. */
const ORIGIN: ReadonlyMap<string, keyof RowOrigin> = new Map([
  ['p_source_file', 'file'],
  ['p_generation', 'generation'],
])

/** Code for one column's value with a comma before it. */
function partOf({ name, kind }: Column): string {
  const value = `event[${JSON.stringify(name)}]`
  const ofOrigin = ORIGIN.get(name)
  if (ofOrigin) return `((x = origin?.${ofOrigin}) === undefined ? ',null' : tools.text(x))`
  if (name === 'extra') return 'tools.extra(event, tools.unknownFields(event))'
  if (kind === 'strings') return `tools.texts(${value})`
  const written = kind === 'json' ? 'tools.nested(x)' : kind === 'string' || kind === 'timestamp' ? 'tools.text(x)' : `(',' + x)`
  return `((x = ${value}) === undefined || x === null ? ',null' : ${written})`
}
