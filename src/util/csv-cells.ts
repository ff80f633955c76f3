import { splitJsonArray } from './json-spans.ts'

/** A row of CSV, without its line end, from a JSON array. Values other than text stay exact JSON; NULL is an empty cell. */
export function csvRow(row: string, isForSpreadsheet = false): string {
  const cell = cellOf(isForSpreadsheet)
  return valuesOf(row)
    .map((json) => csvValue(json, cell))
    .join(',')
}

/** The first row of CSV: the names of the columns. */
export function csvHeader(names: readonly string[], isForSpreadsheet = false): string {
  return names.map(cellOf(isForSpreadsheet)).join(',')
}

/** The exact texts of a row's values. */
export function valuesOf(row: string): string[] {
  return splitJsonArray(row).elements.map(({ start, end }) => row.slice(start, end))
}

function cellOf(isForSpreadsheet: boolean): (text: string) => string {
  return isForSpreadsheet ? (text) => csvCell(withoutFormula(text)) : csvCell
}

function csvValue(json: string, cell: (text: string) => string): string {
  if (json === 'null') return ''
  return json.startsWith('"') ? cell(JSON.parse(json) as string) : csvCell(json)
}

/** RFC 4180. An empty text is quoted, which tells it from NULL. */
function csvCell(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/**
 * Spreadsheets run a text that begins like this as a formula, and text in logs is written by anyone:
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
function withoutFormula(text: string): string {
  return /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text
}
