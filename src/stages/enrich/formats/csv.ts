import { Readable } from 'node:stream'
import { type CsvError, parse } from 'csv-parse'
import type { JsonObject } from '../../../model/json.ts'
import { messageOf } from '../../../util/errors.ts'
import { TableError } from '../table.ts'
import { BATCH, type Format, quote, type ReadRow } from './format.ts'

/** Characters passed to the parser at a time. */
const PIECE = 64 * 1024
const MAX_RECORD_CHARACTERS = 1024 * 1024
/** A longer line is a longer record, or one of millions of empty values: the list of them alone would fill the memory. */
const MAX_LINE = 2 * MAX_RECORD_CHARACTERS
const MAX_COLUMNS = 1000

/** Comma-separated values (RFC 4180) with a header line, unless the definition names the columns; blanks around values are removed. */
export const csv: Format = {
  type: 'csv',
  summary: 'Comma-separated values with a header line.',
  isText: true,
  isWide: false,
  extensions: ['.csv'],
  async *read(text, { primaryKey, columns }) {
    let header = columns && checkHeader(columns, primaryKey, 'the columns are')
    let batch: ReadRow[] = []
    for await (const { cells, line } of records(text)) {
      if (!header) header = checkHeader(cells, primaryKey, 'its first line is')
      else if (cells.length === header.length) batch.push(toRow(header, cells))
      else batch.push(`line ${line} has ${cells.length} values for ${header.length} columns`)
      if (batch.length < BATCH) continue
      yield batch
      batch = []
    }
    if (!header) throw new TableError('the CSV is empty: its first line must name the columns')
    yield batch
  },
}

/** The records of a CSV text; blank lines and lines that begin with # are left out. */
export async function* records(text: string): AsyncGenerator<{ readonly cells: readonly string[]; readonly line: number }> {
  const parser = parse({
    trim: true,
    skip_empty_lines: true,
    comment: '#',
    comment_no_infix: true,
    relax_column_count: true,
    info: true,
    max_record_size: MAX_RECORD_CHARACTERS,
  })
  const feed = Readable.from(pieces(text))
  feed.on('error', (error) => parser.destroy(error)).pipe(parser)
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      yield { cells: record, line: info.lines }
    }
  } catch (error) {
    throw new TableError(`not CSV: ${messageOf(error)}`, { cause: error as CsvError })
  } finally {
    feed.destroy()
    parser.destroy()
  }
}

function* pieces(text: string): Generator<string> {
  let line = 0
  for (let at = 0; at < text.length; at += PIECE) {
    const piece = text.slice(at, at + PIECE)
    yield piece
    const end = Math.max(piece.lastIndexOf('\n'), piece.lastIndexOf('\r'))
    if (end >= 0) line = at + end
    else if (at + PIECE - line > MAX_LINE) throw new TableError(`a line has more than ${MAX_LINE} characters`)
  }
}

function checkHeader(cells: readonly string[], primaryKey: string, these: string): readonly string[] {
  if (!cells.includes(primaryKey)) {
    throw new TableError(`the CSV has no column '${primaryKey}' (the primary key): ${these} ${quote(cells.join(','))}`)
  }
  if (cells.length > MAX_COLUMNS) throw new TableError(`the CSV has ${cells.length} columns; at most ${MAX_COLUMNS} are read`)
  const twice = cells.find((cell, i) => cells.indexOf(cell) !== i)
  if (twice !== undefined) throw new TableError(`the CSV names the column ${quote(twice)} twice`)
  if (cells.some((cell) => cell === '' || cell === '__proto__')) {
    throw new TableError(`the CSV has a column without a usable name: ${quote(cells.join(','))}`)
  }
  return cells
}

function toRow(header: readonly string[], cells: readonly string[]): JsonObject {
  const row: JsonObject = {}
  for (let i = 0; i < header.length; i++) row[header[i]!] = cells[i]!
  return row
}
