import type { JsonObject } from '../../model/json.ts'
import { setOwn } from '../../util/json.ts'
import type { Format, LineReader, Reading } from './format.ts'
import { cellReader, unescapeZeek } from './zeek-cell.ts'

/** Header lines together longer than this belong to no log; the header is then not in force. */
const MAX_HEADER_CHARS = 64 * 1024
const MAX_COLUMNS = 2000

/**
 * Zeek's ASCII writer: rows of separated values under a header of `#` lines (`#separator`, `#fields`, `#types` …).
 * A header may come again in the middle of a file and then counts from there on. Lines that begin with `#` are never
 * rows: Zeek writes such a first value as `\x23…`.
 */
export const zeekTsv: Format = {
  type: 'zeek-tsv',
  summary: "Zeek's tab-separated logs, with their #-header.",
  open: (context) => new ZeekReader(context),
}

/** What a header's lines have said so far. */
interface Header {
  lines: string[]
  separator: string
  setSeparator: string
  emptyField: string
  unsetField: string
  path: string | undefined
  fields: readonly string[]
  types: readonly string[]
}

const HEADER_START: Header = {
  lines: [],
  separator: '\t',
  setSeparator: ',',
  emptyField: '(empty)',
  unsetField: '-',
  path: undefined,
  fields: [],
  types: [],
}

/** Only these header lines change how rows are read; `#open`, `#close` and comments do not. */
const KEPT = ['separator', 'set_separator', 'empty_field', 'unset_field', 'path', 'fields', 'types']

const IS_HEADER: Reading = { kind: 'header' }

class ZeekReader implements LineReader {
  #header: Header = { ...HEADER_START, lines: [] }
  #readRow: ((line: string) => Reading) | undefined
  #columns = 0

  constructor(context: string) {
    for (const line of context === '' ? [] : context.split('\n')) this.#readHeaderLine(line)
  }

  context(): string {
    return this.#header.lines.join('\n')
  }

  read(line: string): Reading | undefined {
    const c = line.charCodeAt(0)
    if (c === 0x23) {
      this.#readHeaderLine(line)
      return IS_HEADER
    }
    if (this.#header.fields.length === 0) return undefined
    this.#readRow ??= this.#compile()
    // A JSON record among the rows, unless the line has a row's number of columns.
    if (c === 0x7b && line.split(this.#header.separator, this.#columns + 1).length !== this.#columns) return undefined
    return this.#readRow(line)
  }

  #readHeaderLine(line: string): void {
    const name = /^#([a-z_]+)/.exec(line)?.[1]
    if (name === undefined || !KEPT.includes(name)) return
    if (name === 'separator') this.#header = { ...HEADER_START, lines: [] }
    const header = this.#header
    if (header.lines.join('\n').length + line.length > MAX_HEADER_CHARS) {
      this.#header = { ...HEADER_START, lines: [] }
      return
    }
    header.lines = [...header.lines.filter((other) => /^#([a-z_]+)/.exec(other)?.[1] !== name), line]
    const value = line.slice(name.length + 1)
    if (name === 'separator') header.separator = unescapeZeek(value.replace(/^ /, '')) || ' '
    else
      this.#setValue(
        header,
        name,
        value.startsWith(header.separator) ? value.slice(header.separator.length) : value.replace(/^\s/, ''),
      )
    this.#readRow = undefined
  }

  #setValue(header: Header, name: string, value: string): void {
    if (name === 'set_separator') header.setSeparator = unescapeZeek(value) || ','
    else if (name === 'empty_field') header.emptyField = value
    else if (name === 'unset_field') header.unsetField = value
    else if (name === 'path') header.path = value
    else if (name === 'fields') header.fields = uniqueNames(value.split(header.separator, MAX_COLUMNS))
    else header.types = value.split(header.separator, MAX_COLUMNS)
  }

  #compile(): (line: string) => Reading {
    const { separator, fields, types, path } = this.#header
    const readers = fields.map((_, i) => cellReader(types[i] ?? 'string', this.#header))
    const columns = fields.length
    this.#columns = columns
    const last = columns - 1
    const hasProto = fields.includes('__proto__')
    // Rows are copies of one object that has all fields: ten times cheaper than adding field by field.
    const template = JSON.parse(`{${fields.map((name) => `${JSON.stringify(name)}:null`).join()}}`) as JsonObject
    return (line) => {
      const raw: JsonObject = { ...template }
      let from = 0
      for (let at = 0; at < columns; at++) {
        const separated = line.indexOf(separator, from)
        if (separated < 0 !== (at === last)) return wrongCount(line, separator, columns)
        const end = at === last ? line.length : separated
        const value = readers[at]!(line.slice(from, end)) ?? undefined
        if (hasProto) setOwn(raw, fields[at]!, value)
        else raw[fields[at]!] = value
        from = end + separator.length
      }
      return { kind: 'record', raw, path }
    }
  }
}

function wrongCount(line: string, separator: string, columns: number): Reading {
  const found = line.split(separator, MAX_COLUMNS).length
  const message = `the row has ${found} columns where #fields names ${columns}: it was cut off, or its header is another log's. Resend the whole row`
  return { kind: 'dead-letter', reason: 'truncated', message }
}

/** A name that comes again gets `_2`, `_3` … behind it, so that no column hides another. */
function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names)
  const times = new Map<string, number>()
  return names.map((name) => {
    let count = (times.get(name) ?? 0) + 1
    while (count > 1 && taken.has(`${name}_${count}`)) count++
    times.set(name, count)
    const unique = count === 1 ? name : `${name}_${count}`
    taken.add(unique)
    return unique
  })
}
