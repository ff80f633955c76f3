import { csvHeader, csvRow, valuesOf } from '../util/csv-cells.ts'

/** The forms of a result as text. */
export const TEXT_FORMATS = ['csv', 'ndjson', 'json', 'arrays'] as const
export type TextFormat = (typeof TEXT_FORMATS)[number]

export const CONTENT_TYPES: Readonly<Record<TextFormat | 'parquet', string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
  json: 'application/json',
  arrays: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
}

interface Result {
  readonly names: readonly string[]
  /** A JSON array each. */
  readonly rows: AsyncIterable<string>
}

const PIECE_CHARS = 64 * 1024

/** A result as text, a piece at a time. Values are the exact JSON texts of the lake; `isForSpreadsheet`: CSV that cannot contain formulas. */
export async function* formatted(result: Result, format: TextFormat, isForSpreadsheet = false): AsyncGenerator<string> {
  let piece = ''
  for await (const line of linesOf(result, format, isForSpreadsheet)) {
    piece += line
    if (piece.length < PIECE_CHARS) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

async function* linesOf({ names, rows }: Result, format: TextFormat, isForSpreadsheet: boolean): AsyncGenerator<string> {
  if (format === 'csv') {
    yield `${csvHeader(names, isForSpreadsheet)}\r\n`
    for await (const row of rows) yield `${csvRow(row, isForSpreadsheet)}\r\n`
  } else if (format === 'arrays') for await (const row of rows) yield `${row}\n`
  else if (format === 'ndjson') for await (const row of rows) yield `${objectOf(names, row)}\n`
  else {
    let before = '['
    for await (const row of rows) {
      yield `${before}\n${objectOf(names, row)}`
      before = ','
    }
    yield before === '[' ? '[]\n' : '\n]\n'
  }
}

function objectOf(names: readonly string[], row: string): string {
  return `{${valuesOf(row)
    .map((value, i) => `${JSON.stringify(names[i])}:${value}`)
    .join(',')}}`
}
