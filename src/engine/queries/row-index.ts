import { open } from 'node:fs/promises'

/** Every this many rows, the index knows where one begins. */
const STEP = 64
/** Files whose index is kept. */
const MAX_FILES = 16
const CHUNK_BYTES = 1024 * 1024
const LINE_FEED = 10

export interface RowPlace {
  /** Where a row begins, in bytes. */
  readonly offset: number
  /** Rows between it and the row that was asked for. */
  readonly skip: number
}

/** Where rows begin in files of results, which never change: any row is found without reading what is before it again. */
export class RowIndex {
  readonly #files = new Map<string, Promise<readonly number[]>>()

  /** A place shortly before a row, given by its number from 0 on; `undefined` after the last row. */
  async placeOf(file: string, row: number): Promise<RowPlace | undefined> {
    if (row === 0) return { offset: 0, skip: 0 }
    const offset = (await this.#starts(file))[Math.floor(row / STEP)]
    return offset === undefined ? undefined : { offset, skip: row % STEP }
  }

  #starts(file: string): Promise<readonly number[]> {
    const known = this.#files.get(file)
    if (known) return known
    const starts = startsOf(file)
    this.#files.set(file, starts)
    starts.catch(() => this.#files.delete(file))
    if (this.#files.size > MAX_FILES) this.#files.delete(this.#files.keys().next().value!)
    return starts
  }
}

async function startsOf(file: string): Promise<number[]> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const starts = size === 0 ? [] : [0]
    const chunk = Buffer.alloc(CHUNK_BYTES)
    let rows = 0
    for (let at = 0; at < size; ) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at)
      if (bytesRead === 0) break
      const bytes = chunk.subarray(0, bytesRead)
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, end + 1))
        if (++rows % STEP === 0 && at + end + 1 < size) starts.push(at + end + 1)
      at += bytesRead
    }
    return starts
  } finally {
    await handle.close()
  }
}
