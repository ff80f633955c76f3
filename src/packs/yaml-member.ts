import { isDeepStrictEqual } from 'node:util'
import { isMap, isNode, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml'
import type { JsonObject, JsonValue } from '../model/json.ts'
import { stringifyJson } from '../util/json.ts'
import { jsonValue, type Path } from './json-text.ts'
import { readYaml, YAML_OPTIONS } from './yaml-file.ts'

/** Longer values of maps in braces are written over several lines. */
const LINE = 100

/**
 * A YAML text in which the map at a path has this member; everything else stays as it is written, comments included. `undefined` if the map
 * is not written there (an alias) or the result would not read as intended.
 */
export function withMember(text: string, path: Path, key: string, value: JsonObject): string | undefined {
  const document = parseDocument(text, YAML_OPTIONS)
  if (document.errors.length > 0) return undefined
  const map = document.getIn(path, true)
  if (!isMap(map)) return undefined
  const changed = map.flow ? inBraces(text, map, key, value) : inBlock(text, map, key, value)
  return changed !== undefined && isAsIntended(text, changed, path, key, value) ? changed : undefined
}

function isAsIntended(before: string, after: string, path: Path, key: string, value: JsonObject): boolean {
  try {
    const expected = jsonValue(readYaml(before)) as JsonObject
    const map = path.reduce<JsonValue>((inner, step) => (inner as JsonObject)[step as string]!, expected) as JsonObject
    map[key] = value
    return isDeepStrictEqual(jsonValue(readYaml(after)), expected)
  } catch {
    return false
  }
}

function inBraces(text: string, map: YAMLMap, key: string, value: JsonObject): string | undefined {
  const [start, end] = map.range!
  const last = map.items.at(-1)
  const own = memberOf(map, key)
  const column = columnOf(text, startOf(last) ?? start)
  const json = jsonLines(value, column)
  if (own) {
    const range = isNode(own.value) ? own.value.range : undefined
    return range ? splice(text, range[0], range[1], json) : undefined
  }
  const isQuoted = !last || (isScalar(last.key) && last.key.type === 'QUOTE_DOUBLE')
  const member = `${isQuoted ? JSON.stringify(key) : key}: ${json}`
  if (!last) return splice(text, start, end, `{${member}}`)
  const lastEnd = endOf(last)
  if (lastEnd === undefined) return undefined
  const isSpread = text.slice(start, startOf(map.items[0])).includes('\n')
  return splice(text, lastEnd, lastEnd, isSpread ? `,\n${' '.repeat(column)}${member}` : `, ${member}`)
}

function inBlock(text: string, map: YAMLMap, key: string, value: JsonObject): string | undefined {
  const last = map.items.at(-1)
  const from = startOf(map.items[0])
  if (!last || from === undefined) return undefined
  const column = columnOf(text, from)
  const block = `${key}:${blockOf(value, column + 2)}`
  const own = memberOf(map, key)
  const end = endOf(own ?? last)
  if (end === undefined) return undefined
  if (own) {
    const isWithBreak = text[end - 1] === '\n'
    return splice(text, startOf(own)!, end, isWithBreak ? `${block}\n` : block)
  }
  const lineEnd = text[end - 1] === '\n' ? end - 1 : text.indexOf('\n', end)
  const at = lineEnd < 0 ? text.length : lineEnd
  return splice(text, at, at, `\n${' '.repeat(column)}${block}`)
}

function memberOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((item) => isScalar(item.key) && item.key.value === key)
}

function startOf(pair: Pair | undefined): number | undefined {
  return isNode(pair?.key) ? pair.key.range?.[0] : undefined
}

/** The end of a member's value, or of its key if it has none. */
function endOf({ key, value }: Pair): number | undefined {
  const node = isNode(value) ? value : isNode(key) ? key : undefined
  return node?.range?.[1]
}

function columnOf(text: string, at: number): number {
  return at - (text.lastIndexOf('\n', at - 1) + 1)
}

function splice(text: string, from: number, to: number, part: string): string {
  return text.slice(0, from) + part + text.slice(to)
}

/** JSON on one line if it is short, otherwise indented from a column. */
function jsonLines(value: JsonValue, column: number): string {
  const line = stringifyJson(value)
  if (line.length <= LINE || typeof value !== 'object' || value === null) return line
  const indent = ' '.repeat(column + 2)
  const isList = Array.isArray(value)
  const parts = isList
    ? (value as JsonValue[]).map((one) => jsonLines(one, column + 2))
    : Object.entries(value as JsonObject).map(([key, one]) => `${JSON.stringify(key)}: ${jsonLines(one!, column + 2)}`)
  const [open, close] = isList ? '[]' : '{}'
  return `${open}\n${parts.map((part) => `${indent}${part}`).join(',\n')}\n${' '.repeat(column)}${close}`
}

/** What follows the colon or the dash before a value. */
function blockOf(value: JsonValue, column: number): string {
  const indent = `\n${' '.repeat(column)}`
  if (Array.isArray(value) && value.length > 0)
    return (value as JsonValue[]).map((one) => `${indent}-${blockOf(one, column + 2).replace(/^\n */, ' ')}`).join('')
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0)
    return Object.entries(value as JsonObject)
      .map(([key, one]) => `${indent}${plain(key)}:${blockOf(one!, column + 2)}`)
      .join('')
  return ` ${typeof value === 'string' ? plain(value) : stringifyJson(value)}`
}

/** Without quotes if it cannot be anything but this text. */
function plain(text: string): string {
  const isWord = /^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
  return /^[A-Za-z_][\w./@-]*$/.test(text) && !isWord ? text : JSON.stringify(text)
}
