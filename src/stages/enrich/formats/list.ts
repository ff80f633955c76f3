import type { JsonObject } from '../../../model/json.ts'
import { batches, type Format, lines } from './format.ts'

/** The end of the key: a tab, or blanks before a `;` or `#` (so that a key may hold blanks, `;` and `#` itself). */
const END = /\t|\s+[;#]/

/** One key a line; `#` and `;` begin a comment; what follows a key is its `note`: `1.10.16.0/20 ; SBL256894`. */
export const list: Format = {
  type: 'list',
  summary: 'One key a line, with comments after # or ; kept as the note.',
  isText: true,
  isWide: false,
  extensions: ['.txt', '.list', '.lst', '.netset', '.ipset'],
  read: (text, { primaryKey }) => batches(rows(text, primaryKey)),
}

function* rows(text: string, primaryKey: string): Generator<JsonObject> {
  for (const { line } of lines(text)) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue
    const end = END.exec(trimmed)
    const key = end ? trimmed.slice(0, end.index) : trimmed
    const note = end ? trimmed.slice(end.index + end[0].length).trim() : ''
    yield note === '' ? { [primaryKey]: key } : { [primaryKey]: key, note }
  }
}
