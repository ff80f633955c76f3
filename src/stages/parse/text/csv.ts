import { z } from 'zod'
import type { JsonObject } from '../../../model/json.ts'
import { setOwn } from '../../../util/json.ts'
import { HEADER } from '../native/native.ts'
import { textOptions, withOptions } from './text-options.ts'
import { defineTextParser, Miss, type TextReader } from './text-parser.ts'

/** A longer line of column names would have to be remembered between chunks. */
const MAX_HEADER_CHARS = 64 * 1024

/** Rows of values between delimiters, quoted where needed. */
export const csv = defineTextParser({
  type: 'csv',
  summary: 'Values between delimiters, with column names from the schema or from the first row.',
  settings: z
    .strictObject({
      delimiter: z
        .string()
        .length(1)
        .refine((one) => one !== '"' && one !== '\n' && one !== '\r', { error: 'must not be a quote or the end of a line' })
        .default(','),
      hasHeader: z.boolean().default(false).describe('The first row of each file or body has the names of the columns.'),
      columns: z
        .array(z.string())
        .min(1)
        .refine((names) => repeated(names) === undefined, { error: 'a column is there twice' })
        .optional()
        .describe(
          'Names of the columns, in order; a column with an empty name is left out. With `hasHeader`, they replace its names.',
        ),
      ...textOptions,
    })
    .refine(({ hasHeader, columns }) => hasHeader || columns, { error: 'needs `columns`, or `hasHeader: true`' }),
  example: {
    settings: { columns: ['time', 'user', '', 'note'], emptyValues: ['-'] },
    texts: ['2024-04-19T10:00:01Z,root,17,"said ""hello"", and left"', '2024-04-19T10:00:02Z,-,18,'],
    records: [
      { time: '2024-04-19T10:00:01Z', user: 'root', note: 'said "hello", and left' },
      { time: '2024-04-19T10:00:02Z', note: '' },
    ],
  },
  create: (settings) => withOptions(settings, { open: (context) => new CsvReader(settings, context) }),
})

interface CsvSettings {
  readonly delimiter: string
  readonly hasHeader: boolean
  readonly columns?: readonly string[] | undefined
}

class CsvReader implements TextReader {
  readonly #settings: CsvSettings
  /** The header row as it was written, '' before it was seen. */
  #header: string
  #columns: readonly string[] | undefined
  #wrong: Miss | undefined

  constructor(settings: CsvSettings, header: string) {
    this.#settings = settings
    this.#header = header
    this.#columns = settings.columns
    if (header !== '') this.#takeHeader(header)
  }

  context(): string {
    return this.#header
  }

  read(text: string): JsonObject | typeof HEADER | Miss {
    const { hasHeader, delimiter } = this.#settings
    // Where files were joined, the header comes again.
    if (hasHeader && (this.#header === '' || text === this.#header)) return this.#takeHeader(text) ?? HEADER
    if (this.#wrong) return this.#wrong
    const values = splitRow(text, delimiter)
    if (values instanceof Miss) return values
    const columns = this.#columns!
    if (values.length !== columns.length)
      return new Miss('invalid_format', `the row has ${values.length} columns, but should have ${columns.length}`)
    const raw: JsonObject = {}
    for (let i = 0; i < columns.length; i++) {
      const name = columns[i]!
      if (name !== '') setOwn(raw, name, values[i]!)
    }
    return raw
  }

  /** A wrong header is remembered too: the row after it must not be taken for one. */
  #takeHeader(text: string): Miss | undefined {
    if (text.length > MAX_HEADER_CHARS)
      return new Miss('invalid_format', `the header has ${text.length} characters, more than the ${MAX_HEADER_CHARS} allowed`)
    const columns = columnsOf(text, this.#settings)
    this.#header = text
    this.#wrong = columns instanceof Miss ? columns : undefined
    if (!(columns instanceof Miss)) this.#columns = columns
    return this.#wrong
  }
}

function columnsOf(header: string, { delimiter, columns }: CsvSettings): readonly string[] | Miss {
  const names = splitRow(header, delimiter)
  if (names instanceof Miss) return new Miss(names.reason, `the header cannot be read: ${names.why}`)
  if (columns) return columns
  const trimmed = names.map((name) => name.trim())
  const twice = repeated(trimmed)
  if (twice === undefined) return trimmed
  return new Miss('invalid_format', `the header has the column '${twice.slice(0, 60)}' twice: name the columns with \`columns\``)
}

/** A name that is there twice; unnamed columns are left out. */
function repeated(names: readonly string[]): string | undefined {
  const known = new Set<string>()
  return names.find((name) => name !== '' && known.size === known.add(name).size)
}

/**
 * The values of a row. As in other lenient readers, a quote inside a value that does not begin with one is a character, and so is a
 * quote in a quoted value that neither a quote, the delimiter nor the end follows.
 */
export function splitRow(text: string, delimiter: string): string[] | Miss {
  const values: string[] = []
  let at = 0
  for (;;) {
    if (text.charCodeAt(at) === 0x22) {
      const end = closingQuote(text, at + 1, delimiter)
      if (end < 0) return new Miss('invalid_format', `the quote at character ${at + 1} is not closed`)
      values.push(text.slice(at + 1, end).replaceAll('""', '"'))
      at = end + 1
    } else {
      const next = text.indexOf(delimiter, at)
      const end = next < 0 ? text.length : next
      values.push(text.slice(at, end))
      at = end
    }
    if (at >= text.length) return values
    at++
  }
}

/** The quote before a delimiter or the end of the text, or -1. */
function closingQuote(text: string, from: number, delimiter: string): number {
  let quote = text.indexOf('"', from)
  while (quote >= 0) {
    const next = text[quote + 1]
    if (next === undefined || next === delimiter) return quote
    quote = text.indexOf('"', next === '"' ? quote + 2 : quote + 1)
  }
  return -1
}
