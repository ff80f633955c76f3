import { endOfString, jsonElements, memberValue, skipSpace } from '../../../util/json-spans.ts'
import { TableError } from '../table.ts'
import { batches, type Format, type ReadRow } from './format.ts'
import { readObject } from './jsonl.ts'

/** One JSON array of objects, or a JSON object that has it at the path that the definition names. */
export const json: Format = {
  type: 'json',
  summary: 'One JSON array of objects.',
  isText: false,
  isWide: false,
  extensions: ['.json'],
  read: (text, { rowsAt }) => batches(rowsAt === undefined ? rows(text) : rowsBelow(text, rowsAt)),
}

function* rows(text: string): Generator<ReadRow> {
  const { whole, rest, count } = yield* elements(text)
  if (!whole) {
    throw new TableError(
      count > 0
        ? `the JSON array is incomplete, or something follows it, at character ${rest}`
        : 'not a JSON array of objects: write [ {…}, {…} ], one object per line with `Format: jsonl`, or name the place of the list with `Rows`',
    )
  }
}

function* rowsBelow(text: string, path: string): Generator<ReadRow> {
  let at: number | undefined = skipSpace(text, 0)
  for (const name of path.split('.')) at = at === undefined ? undefined : memberValue(text, at, name)
  if (at === undefined || text[at] !== '[') throw new TableError(`the JSON has no list at '${path}', which Rows names`)
  const list = text.slice(at)
  const { rest } = yield* elements(list)
  if (!closes(list, rest, path.split('.').length)) {
    throw new TableError(`the JSON is incomplete, or '${path}' is no valid list, at character ${at + rest}`)
  }
}

/** True if a text goes on at `from` inside this many objects, and ends with the last of them. */
function closes(text: string, from: number, objects: number): boolean {
  // Whatever follows a complete array in an object begins with one of these; an element that was cut off does not.
  if (!/[,}]/.test(text[from] ?? '')) return false
  let depth = objects
  let at = from
  for (; at < text.length && depth > 0; at++) {
    const c = text[at]!
    if (c === '"') at = endOfString(text, at)
    else if (c === '{' || c === '[') depth++
    else if (c === '}' || c === ']') depth--
  }
  return depth === 0 && skipSpace(text, at) === text.length
}

function* elements(text: string): Generator<ReadRow, { whole: boolean; rest: number; count: number }> {
  const walk = jsonElements(text)
  for (let count = 0; ; count++) {
    const { done, value } = walk.next()
    if (done) return { ...value, count }
    yield readObject(text.slice(value.start, value.end), `element ${count}`)
  }
}
