import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Refused } from '../../util/errors.ts'
import type { RowIndex } from './row-index.ts'

export interface RowsPage {
  readonly rows: readonly string[]
  /** Where the next page begins; `undefined` after the last row. */
  readonly next: number | undefined
}

const CHUNK_BYTES = 256 * 1024
/** A page ends after this many bytes, with at least one row. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024
const LINE_FEED = 10

/** Rows of a file, one per line, from an offset on. Throws `Refused` for an offset at which no row begins. */
export async function rowsPage(file: string, offset: number, limit: number): Promise<RowsPage> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const [before] = offset === 0 ? [LINE_FEED] : (await handle.read(Buffer.alloc(1), 0, 1, offset - 1)).buffer
    if (offset > size || before !== LINE_FEED)
      throw new Refused(`no row begins at ${offset}: use \`next\` from the previous page`)
    const rows: string[] = []
    let at = offset
    let rest = Buffer.alloc(0)
    while (rows.length < limit && at - offset < MAX_PAGE_BYTES && at < size) {
      // A long row is read in ever larger chunks, so that it is copied only a few times.
      const chunk = Buffer.alloc(Math.max(CHUNK_BYTES, rest.length))
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at + rest.length)
      if (bytesRead === 0) break
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
      let start = 0
      for (let end = bytes.indexOf(LINE_FEED); end >= 0 && rows.length < limit; end = bytes.indexOf(LINE_FEED, start)) {
        rows.push(bytes.toString('utf8', start, end))
        start = end + 1
      }
      at += start
      rest = bytes.subarray(start)
    }
    return { rows, next: at < size ? at : undefined }
  } finally {
    await handle.close()
  }
}

/** Rows of a file from a row on, given by its number from 0 on. */
export async function rowsFrom(index: RowIndex, file: string, row: number, limit: number): Promise<RowsPage> {
  const place = await index.placeOf(file, row)
  let at = place?.offset
  for (let skip = place?.skip ?? 0; skip > 0 && at !== undefined; ) {
    const before = await rowsPage(file, at, skip)
    skip -= before.rows.length
    at = before.next
  }
  return at === undefined ? { rows: [], next: undefined } : rowsPage(file, at, limit)
}

/** All rows of a file, one at a time: the file may be removed meanwhile. */
export async function* readLines(file: string): AsyncGenerator<string> {
  let rest: Buffer[] = []
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString('utf8')
      rest = []
      start = end + 1
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
  }
}
