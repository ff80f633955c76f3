/** Converts the engine's answer to the rows that `Lake.query` returns. */
export interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly string[]
  readonly rowsRead?: number
  readonly bytesRead?: number
}

/** The formats that `readAnswer` and `readCountedAnswer` read. */
export const FORMAT = 'JSONCompactEachRowWithNamesAndTypes'
export const COUNTED_FORMAT = 'JSONCompactEachRowWithProgress'

interface Progress {
  readonly read_rows?: string | number
  readonly read_bytes?: string | number
}

const ROW = '{"row":'

/** The same with the number of rows that the engine read: its progress is in the answer. */
export function readCountedAnswer(text: string): Answer {
  const columns: { name: string; type: string }[] = []
  const rows: string[] = []
  let [rowsRead, bytesRead] = [0, 0]
  for (const line of text.split('\n')) {
    if (line.startsWith(ROW)) rows.push(line.slice(ROW.length, -1))
    else if (line !== '') {
      const { meta = [], progress } = JSON.parse(line) as { meta?: typeof columns; progress?: Progress }
      columns.push(...meta)
      // Each line of progress is about everything so far.
      rowsRead = Math.max(rowsRead, Number(progress?.read_rows ?? 0))
      bytesRead = Math.max(bytesRead, Number(progress?.read_bytes ?? 0))
    }
  }
  const head = [columns.map(({ name }) => name), columns.map(({ type }) => type)].map((line) => JSON.stringify(line))
  return { ...readAnswer([...head, ...rows].join('\n')), rowsRead, bytesRead }
}

/** In columns of these types, times are strings and nothing else is. */
const TIMES = /^(?:Nullable\(|Array\(|LowCardinality\(|SimpleAggregateFunction\(\w+, )*DateTime64\(/

const TRAILING_ZEROS = /(T\d\d:\d\d:\d\d)(?:\.0+|(\.\d*?[1-9])0+)Z"/g

/** Parses the format JSONCompactEachRowWithNamesAndTypes: names, types, then one row per line. */
export function readAnswer(text: string): Answer {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const names = lines.length > 0 ? (JSON.parse(lines[0]!) as string[]) : []
  const types = lines.length > 1 ? (JSON.parse(lines[1]!) as string[]) : []
  const columns = names.map((name, i) => ({ name, type: types[i]! }))
  const times = types.flatMap((type, i) => (TIMES.test(type) ? [i] : []))
  const rows = lines.slice(2)
  return { columns, rows: times.length > 0 ? rows.map((row) => trimTimes(row, new Set(times))) : rows }
}

/** `.120000000Z` → `.12Z`, `.000Z` → `Z`, only in the given columns of a row. */
function trimTimes(row: string, times: ReadonlySet<number>): string {
  let out = ''
  let done = 0
  let column = 0
  let depth = 0
  let start = 1
  for (let at = 0; at < row.length; at++) {
    const c = row.charCodeAt(at)
    if (c === 34) at = stringEnd(row, at)
    else if (c === 91 || c === 123) depth++
    else if (c === 93 || c === 125) depth--
    if ((c === 44 && depth === 1) || depth === 0) {
      if (times.has(column)) {
        out += row.slice(done, start) + row.slice(start, at).replace(TRAILING_ZEROS, '$1$2Z"')
        done = at
      }
      column++
      start = at + 1
    }
  }
  return out + row.slice(done)
}

/** Index of the quote that closes the string opened at `at`. */
function stringEnd(row: string, at: number): number {
  let end = row.indexOf('"', at + 1)
  while (end > 0 && escaped(row, end)) end = row.indexOf('"', end + 1)
  return end < 0 ? row.length : end
}

function escaped(row: string, quote: number): boolean {
  let slashes = 0
  while (row.charCodeAt(quote - 1 - slashes) === 92) slashes++
  return slashes % 2 === 1
}
