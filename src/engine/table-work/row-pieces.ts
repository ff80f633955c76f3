import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { TableDefinition } from '../../stages/enrich/definition.ts'
import { records } from '../../stages/enrich/formats/csv.ts'
import { quote } from '../../stages/enrich/formats/format.ts'
import { readObject } from '../../stages/enrich/formats/jsonl.ts'
import { TableError } from '../../stages/enrich/table.ts'
import { stringifyJson } from '../../util/json.ts'
import { jsonElements } from '../../util/json-spans.ts'

/** A part of a table's content: a row, or text between rows, such as a header or a comment. */
export interface RowPiece {
  readonly row?: JsonObject
  /** As it is written, without the end of its last line. */
  readonly text: string
}

/** How rows of a format are found, and written. */
export interface PieceReader {
  split(text: string): Promise<RowPiece[]>
  /** A row as the format reads it. */
  textRow(row: JsonObject): JsonObject
  write(row: JsonObject): string
  join(pieces: readonly RowPiece[]): string
}

/** Throws `TableError` if the rows of the format cannot be edited one by one. */
export function pieceReader(format: string, { columns, rowsAt }: Pick<TableDefinition, 'columns' | 'rowsAt'>): PieceReader {
  if (format === 'csv') return new CsvPieces(columns)
  if (format === 'jsonl') return new JsonLines()
  if (format === 'json' && rowsAt === undefined) return new JsonArray()
  throw new TableError(
    `its content is ${format}${rowsAt === undefined ? '' : ' with the rows inside an object'}, whose rows are not edited one by one: upload a whole version`,
  )
}

class Lines {
  #ending = '\n'

  /** Texts that end where a line does and satisfy `isWhole`. */
  protected cut(text: string, isWhole: (part: string) => boolean): string[] {
    this.#ending = /\r?\n/.exec(text)?.[0] ?? '\n'
    const parts: string[] = []
    let open: string | undefined
    const lines = text.split(/\r?\n/)
    if (lines.at(-1) === '') lines.pop()
    for (const line of lines) {
      const part: string = open === undefined ? line : `${open}${this.#ending}${line}`
      open = isWhole(part) ? undefined : part
      if (open === undefined) parts.push(part)
    }
    if (open !== undefined) parts.push(open)
    return parts
  }

  join(pieces: readonly RowPiece[]): string {
    return pieces.map(({ text }) => `${text}${this.#ending}`).join('')
  }
}

class CsvPieces extends Lines implements PieceReader {
  #columns: readonly string[] | undefined

  constructor(columns: readonly string[] | undefined) {
    super()
    this.#columns = columns
  }

  async split(text: string): Promise<RowPiece[]> {
    const cells: (readonly string[])[] = []
    for await (const record of records(text)) cells.push(record.cells)
    const isText = (part: string) => part.trim() === '' || part.startsWith('#')
    const parts = this.cut(text, (part) => isText(part) || (part.match(/"/g)?.length ?? 0) % 2 === 0)
    if (parts.filter((part) => !isText(part)).length !== cells.length)
      throw new TableError('the CSV is written in a way in which its rows are not edited one by one: upload a whole version')
    let next = 0
    return parts.map((part) => {
      if (isText(part)) return { text: part }
      const values = cells[next++]!
      if (!this.#columns) {
        this.#columns = values
        return { text: part }
      }
      const isRow = values.length === this.#columns.length
      return { text: part, ...(isRow && { row: Object.fromEntries(this.#columns.map((name, i) => [name, values[i]!])) }) }
    })
  }

  textRow(row: JsonObject): JsonObject {
    const columns = this.#columns ?? []
    const unknown = Object.keys(row).find((name) => !columns.includes(name))
    if (unknown !== undefined)
      throw new TableError(`there is no column ${quote(unknown)}: the columns are ${columns.map(quote).join(', ')}`)
    return Object.fromEntries(columns.map((name) => [name, cellText(name, row[name]).trim()]))
  }

  write(row: JsonObject): string {
    return (this.#columns ?? []).map((name, i) => quoted(String(row[name]), i === 0)).join(',')
  }
}

/** A cell that is read again as it was given. */
function quoted(cell: string, isFirst: boolean): string {
  return /[",\r\n]/.test(cell) || (isFirst && (cell === '' || cell.startsWith('#'))) ? `"${cell.replaceAll('"', '""')}"` : cell
}

class JsonLines extends Lines implements PieceReader {
  async split(text: string): Promise<RowPiece[]> {
    return this.cut(text, () => true).map((part, i) => {
      const row = part.trim() === '' ? '' : readObject(part, `line ${i + 1}`)
      return typeof row === 'string' ? { text: part } : { text: part, row }
    })
  }

  textRow(row: JsonObject): JsonObject {
    return row
  }

  write(row: JsonObject): string {
    return stringifyJson(row)
  }
}

/** An array is written again as a whole, with a line for each row. */
class JsonArray implements PieceReader {
  async split(text: string): Promise<RowPiece[]> {
    return [...jsonElements(text)].map(({ start, end }, i) => {
      const part = text.slice(start, end)
      const row = readObject(part, `element ${i}`)
      return typeof row === 'string' ? { text: part } : { text: part, row }
    })
  }

  textRow(row: JsonObject): JsonObject {
    return row
  }

  write(row: JsonObject): string {
    return stringifyJson(row)
  }

  join(pieces: readonly RowPiece[]): string {
    return `[\n${pieces.map(({ text }) => `  ${text}`).join(',\n')}\n]\n`
  }
}

function cellText(name: string, value: JsonValue | undefined): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'object') throw new TableError(`'${name}' is a list or an object, which a CSV cannot contain`)
  return String(value)
}
