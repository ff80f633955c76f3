import type { JsonObject } from '../../model/json.ts'
import { setOwn } from '../../util/json.ts'
import type { Format, LineReader, Reading } from './format.ts'
import { type CellReader, cellReader, unescapeZeek } from './zeek-cell.ts'

/** Longer headers do not occur in real logs and are ignored. */
const MAX_HEADER_CHARS = 64 * 1024
const MAX_COLUMNS = 2000

/**
 * Zeek's ASCII writer: rows of separated values under a header of `#` lines (`#separator`, `#fields`, `#types` …).
 * A header can appear again in the middle of a file and then applies from there on. Lines that begin with `#` are never
 * rows: Zeek writes such a first value as `\x23…`.
 */
export const zeekTsv: Format = {
  type: 'zeek-tsv',
  summary: "Zeek's tab-separated logs with their # header.",
  example: {
    lines: [
      '#separator \\x09',
      '#path\tconn',
      '#fields\tts\tuid\tn\ttags',
      '#types\ttime\tstring\tcount\tset[string]',
      '1700000000.000001\tC1\t7\ta,b',
      '#close\t2024-01-01-00-00-00',
      '1700000000.5\tC\\x09x\t-\t(empty)',
    ],
    records: [
      { ts: '1700000000.000001', uid: 'C1', n: 7, tags: ['a', 'b'] },
      { ts: '1700000000.5', uid: 'C\tx', tags: [] },
    ],
  },
  open: (context) => new ZeekReader(context),
}

/** The header lines read so far. */
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

/** The header lines that affect how rows are read; `#open`, `#close` and comments do not. */
const KEPT = ['separator', 'set_separator', 'empty_field', 'unset_field', 'path', 'fields', 'types']

const IS_HEADER: Reading = { kind: 'header' }

class ZeekReader implements LineReader {
  #header: Header = { ...HEADER_START, lines: [] }
  #readRow: ((line: string) => Reading) | undefined

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
    const { fields, separator } = this.#header
    const columns = fields.length
    if (columns === 0) return undefined
    // This is a JSON record among the rows, unless the line has as many columns as a row.
    if (c === 0x7b && line.split(separator, columns + 1).length !== columns) return undefined
    // Otherwise alternating header lines and short rows would recompile a wide header each time.
    if (!this.#readRow && isShort(line, separator, columns)) return wrongCount(line, separator, columns)
    this.#readRow ??= this.#compile()
    return this.#readRow(line)
  }

  #readHeaderLine(line: string): void {
    const name = /^#([a-z_]+)/.exec(line)?.[1]
    if (name === undefined || !KEPT.includes(name)) return
    if (name === 'separator') this.#header = { ...HEADER_START, lines: [] }
    const header = this.#header
    if (header.lines.reduce((sum, other) => sum + other.length, line.length) > MAX_HEADER_CHARS) {
      this.#header = { ...HEADER_START, lines: [] }
      return
    }
    header.lines = [...header.lines.filter((other) => /^#([a-z_]+)/.exec(other)?.[1] !== name), line]
    const value = line.slice(name.length + 1)
    if (name === 'separator') header.separator = separatorOf(value)
    else
      this.#setValue(
        header,
        name,
        value.startsWith(header.separator) ? value.slice(header.separator.length) : value.replace(/^\s/, ''),
      )
    this.#readRow = undefined
  }

  #setValue(header: Header, name: string, value: string): void {
    // Tools that end every line with a separator do so here, too.
    const first = value.split(header.separator, 1)[0]!
    if (name === 'set_separator') header.setSeparator = unescapeZeek(first) || ','
    else if (name === 'empty_field') header.emptyField = first
    else if (name === 'unset_field') header.unsetField = first
    else if (name === 'path') header.path = first
    else if (name === 'fields') header.fields = columnNames(value.split(header.separator, MAX_COLUMNS))
    else header.types = value.split(header.separator, MAX_COLUMNS)
  }

  #compile(): (line: string) => Reading {
    const { separator, fields, types, path } = this.#header
    const unsplit = unsplitHeader(fields, separator)
    if (unsplit) return () => unsplit
    const readers = fields.map((name, i) =>
      NAMELESS.test(name) && !types[i] ? orNull : cellReader(types[i] || 'string', this.#header),
    )
    const described = types.length > 0 ? fields.map((name, i) => ({ name, type: types[i] || 'string' })) : undefined
    const columns = fields.length
    const last = columns - 1
    const hasProto = fields.includes('__proto__')
    // Rows are copies of one object with all fields, which is ten times cheaper than adding fields one by one.
    const template = JSON.parse(`{${fields.map((name) => `${JSON.stringify(name)}:null`).join()}}`) as JsonObject
    return (line) => {
      const raw: JsonObject = { ...template }
      let from = 0
      for (let at = 0; at < columns; at++) {
        const separated = line.indexOf(separator, from)
        if (separated < 0 !== (at === last) && !(at === last && hasOnly(line, separated, separator)))
          return wrongCount(line, separator, columns)
        const end = separated < 0 ? line.length : separated
        const value = readers[at]!(line.slice(from, end)) ?? undefined
        if (hasProto) setOwn(raw, fields[at]!, value)
        else raw[fields[at]!] = value
        from = end + separator.length
      }
      return { kind: 'record', raw, path, columns: described }
    }
  }
}

/** True if a line has fewer separators than a row with this number of columns. */
function isShort(line: string, separator: string, columns: number): boolean {
  let at = -separator.length
  for (let i = 1; i < columns; i++) {
    at = line.indexOf(separator, at + separator.length)
    if (at < 0) return true
  }
  return false
}

function wrongCount(line: string, separator: string, columns: number): Reading {
  const found = line.split(separator, MAX_COLUMNS).length
  const message = `the row has ${found} columns where #fields names ${columns}: it was cut off, or its header is another log's. Resend the whole row`
  return { kind: 'dead-letter', reason: 'truncated', message }
}

/** Other spellings that tools use for the separator's escapes. */
const SEPARATORS: Readonly<Record<string, string>> = {
  '\\t': '\t',
  '\\x09': '\t',
  '\\\\x09': '\t',
  '\\u0009': '\t',
  '\\011': '\t',
  '0x09': '\t',
  tab: '\t',
  '<tab>': '\t',
  '\\s': ' ',
}

/** The value of `#separator`: after one space or tab, an escape as written by Zeek or by another tool. */
function separatorOf(value: string): string {
  const text = value.length > 1 ? value.replace(/^[ \t]/, '').replace(/(?<=\S)\s+$/, '') : value
  const bare = /^"(.+)"$/.exec(text)?.[1] ?? text
  const spelling = bare.toLowerCase()
  return Object.hasOwn(SEPARATORS, spelling) ? SEPARATORS[spelling]! : unescapeZeek(bare) || ' '
}

/** Name for a column that has none in the header. */
const NAMELESS = /^column_\d+$/

/** A cell in such a column; it is usually empty. */
const orNull: CellReader = (cell) => (cell === '' ? null : cell)

/** Whether a line has only separators from this index on. */
function hasOnly(line: string, from: number, separator: string): boolean {
  for (let at = from; at < line.length; at += separator.length) if (!line.startsWith(separator, at)) return false
  return true
}

/**
 * Unique column names. Tools that remove columns from a log leave holes in the header: one at the end is dropped, one in between
 * keeps its position under a name of ours.
 */
function columnNames(names: readonly string[]): string[] {
  let count = names.length
  while (count > 1 && names[count - 1] === '') count--
  return uniqueNames(names.slice(0, count).map((name, i) => (name === '' ? `column_${i + 1}` : name)))
}

/** Zeek's field names have no spaces, so a name with spaces is a whole line that the separator did not split. */
function unsplitHeader(fields: readonly string[], separator: string): Reading | undefined {
  if (fields.length !== 1 || !/[\s,;|]/.test(fields[0]!.trim())) return undefined
  const message = `the header's #separator is ${JSON.stringify(separator)}, which does not split #fields (${JSON.stringify(fields[0]!.slice(0, 60))}): the two do not belong together. Send the file with the header as Zeek wrote it`
  return { kind: 'dead-letter', reason: 'no_header', message }
}

/** A repeated name gets `_2`, `_3` … appended, so that no column hides another. */
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
