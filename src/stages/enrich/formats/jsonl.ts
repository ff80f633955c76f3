import type { JsonObject } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'
import { batches, type Format, lines, type ReadRow } from './format.ts'

/** Maximum nesting depth of a row. */
const MAX_DEPTH = 32
/** Maximum length of a row: one of millions of columns or keys cannot be read in parts, and events would wait for it. */
const MAX_ROW_CHARACTERS = 1024 * 1024

/** One JSON object per line. */
export const jsonl: Format = {
  type: 'jsonl',
  summary: 'One JSON object per line.',
  isText: false,
  isWide: false,
  extensions: ['.jsonl', '.ndjson'],
  read: (text) => batches(rows(text)),
}

function* rows(text: string): Generator<ReadRow> {
  for (const { line, number } of lines(text)) {
    if (line.trim() !== '') yield readObject(line, `line ${number}`)
  }
}

/** The JSON object, or a sentence on why the text is not one. */
export function readObject(text: string, place: string): ReadRow {
  if (text.length > MAX_ROW_CHARACTERS) return `${place} has more than ${MAX_ROW_CHARACTERS} characters`
  const result = parseJson(text, { maxDepth: MAX_DEPTH })
  if (result.kind === 'failure') return `${place}: ${result.message}`
  const { value } = result
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${place} is not a JSON object`
  return value as JsonObject
}
