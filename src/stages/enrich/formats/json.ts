import { jsonElements } from '../../../util/json-spans.ts'
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
  const elements = jsonElements(text)
  for (let n = 0; ; n++) {
    const { done, value } = elements.next()
    if (!done) {
      yield readObject(text.slice(value.start, value.end), `element ${n}`)
      continue
    }
    if (value.whole) return
    throw new TableError(
      n > 0
        ? `the JSON array is incomplete, or something follows it, at character ${value.rest}`
        : 'not a JSON array of objects: write [ {…}, {…} ], or one object per line with `Format: jsonl`',
    )
  }
}
