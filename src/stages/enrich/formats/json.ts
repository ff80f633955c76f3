import { splitJsonArray } from '../../../util/json-spans.ts'
import { TableError } from '../table.ts'
import { batches, type Format, type ReadRow } from './format.ts'
import { readObject } from './jsonl.ts'

/** One JSON array of objects. */
export const json: Format = {
  type: 'json',
  summary: 'One JSON array of objects.',
  isText: false,
  isWide: false,
  extensions: ['.json'],
  read: (text) => batches(rows(text)),
}

function* rows(text: string): Generator<ReadRow> {
  const { whole, elements, rest } = splitJsonArray(text)
  if (!whole) {
    throw new TableError(
      elements.length > 0
        ? `the JSON array is cut off, or something follows it, at character ${rest}`
        : 'not a JSON array of objects: write [ {…}, {…} ], or one object a line with `Format: jsonl`',
    )
  }
  for (const [i, { start, end }] of elements.entries()) yield readObject(text.slice(start, end), `element ${i}`)
}
