import type { JsonObject, JsonValue } from '../model/json.ts'
import { parseJson, setOwn } from '../util/json.ts'
import { endOfString, skipSpace } from '../util/json-spans.ts'

export type Path = readonly PropertyKey[]

/** Start and end of a value's text. */
interface Extent {
  readonly start: number
  readonly end: number
}

/** A valid JSON text whose parts can be extracted as written: numbers keep their digits. */
export class JsonText {
  readonly text: string
  /** Start of an object or array → its members by name or index, parsed on first use. */
  readonly #members = new Map<number, ReadonlyMap<string, Extent>>()

  constructor(text: string) {
    this.text = text
  }

  /** The text of the value at a path, or `undefined` if there is none. */
  slice(path: Path): string | undefined {
    let extent: Extent | undefined = { start: skipSpace(this.text, 0), end: this.text.length }
    for (const step of path) {
      extent = this.#of(extent.start).get(String(step))
      if (!extent) return undefined
    }
    return this.text.slice(extent.start, extent.end)
  }

  #of(start: number): ReadonlyMap<string, Extent> {
    let members = this.#members.get(start)
    if (!members) {
      members = new Map(membersAt(this.text, start))
      this.#members.set(start, members)
    }
    return members
  }
}

/** Members of the object or array that begins at `start`; empty for other values. */
function* membersAt(text: string, start: number): Generator<[string, Extent]> {
  const opener = text[start]
  if (opener !== '{' && opener !== '[') return
  const closer = opener === '{' ? '}' : ']'
  let at = skipSpace(text, start + 1)
  for (let index = 0; text[at] !== closer; index += 1) {
    let name = String(index)
    if (opener === '{') {
      const keyEnd = stringEnd(text, at)
      name = JSON.parse(text.slice(at, keyEnd)) as string
      // After the colon.
      at = skipSpace(text, skipSpace(text, keyEnd) + 1)
    }
    const end = valueEnd(text, at)
    yield [name, { start: at, end }]
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
}

function valueEnd(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return stringEnd(text, start)
  if (first !== '{' && first !== '[') {
    const stop = /[\s,\]}]/g
    stop.lastIndex = start
    return stop.exec(text)?.index ?? text.length
  }
  const token = /["{}[\]]/g
  token.lastIndex = start
  let depth = 0
  for (let found = token.exec(text); found; found = token.exec(text)) {
    if (found[0] === '"') token.lastIndex = stringEnd(text, found.index)
    else depth += found[0] === '{' || found[0] === '[' ? 1 : -1
    if (depth === 0) return token.lastIndex
  }
  return text.length
}

/** Index after the closing quote of the string whose opening quote is at `open`. */
function stringEnd(text: string, open: number): number {
  return endOfString(text, open) + 1
}

/**
 * The value of a JSON text, with exact large integers; floats that JSON lacks (`NaN`, `1e999`) are accepted too. Throws an `Error` that
 * says what is wrong.
 */
export function jsonValue(text: string): unknown {
  const read = parseJson(text, LIMITS)
  if (read.kind === 'ok') return read.value
  const floats = takeOutFloats(text)
  const again = floats.marks.size > 0 ? parseJson(floats.text, LIMITS) : read
  if (again.kind === 'failure') throw new Error(again.message)
  return putBack(again.value, floats.marks)
}

const LIMITS = { maxDepth: 250 }

/** Replaces floats that JSON readers do not accept with marks, which are strings that the text does not contain. */
function takeOutFloats(text: string): { readonly text: string; readonly marks: ReadonlyMap<string, number> } {
  let prefix = 'float-'
  while (text.includes(prefix)) prefix += '-'
  const marks = new Map<string, number>()
  const token = /"(?:[^"\\]+|\\.)*"|NaN|-?\d+(?:\.\d+)?[eE][-+]?\d+/g
  const marked = text.replace(token, (found) => {
    if (found.startsWith('"') || Number.isFinite(Number(found))) return found
    const mark = `${prefix}${found}`
    marks.set(mark, Number(found))
    return `"${mark}"`
  })
  return { text: marked, marks }
}

function putBack(value: unknown, marks: ReadonlyMap<string, number>): unknown {
  if (typeof value === 'string') return marks.get(value) ?? value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((inner) => putBack(inner, marks))
  const object: JsonObject = {}
  for (const [key, inner] of Object.entries(value)) setOwn(object, key, putBack(inner, marks) as JsonValue)
  return object
}
