import { createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { QueryJob } from '../../model/query-job.ts'
import { messageOf, StorageError } from '../../util/errors.ts'

const PIECE_CHARS = 256 * 1024

/** The files of queries in a folder: what is known of each (`<id>.json`), and its rows (`<id>.rows`), one JSON array per line. */
export class JobFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** All queries. A file that cannot be read, such as one that a crash cut off, is removed with its rows. */
  async load(): Promise<QueryJob[]> {
    await stored('the folder of query results', mkdir(this.#folder, { recursive: true, mode: 0o700 }))
    const jobs: QueryJob[] = []
    const names = await readdir(this.#folder)
    for (const name of names) {
      const id = /^([0-9a-f]{24})\.json$/.exec(name)?.[1]
      if (id === undefined) continue
      try {
        jobs.push(JSON.parse(await readFile(this.#of(id, 'json'), 'utf8')) as QueryJob)
      } catch {
        await this.remove(id)
      }
    }
    const known = new Set(jobs.map(({ id }) => id))
    for (const name of names) if (!known.has(name.slice(0, 24))) await rm(join(this.#folder, name), { force: true })
    return jobs.sort((a, b) => a.createdMs - b.createdMs)
  }

  async save(job: QueryJob): Promise<void> {
    const draft = this.#of(job.id, 'draft')
    await stored('a query', writeFile(draft, JSON.stringify(job), { mode: 0o600 }))
    await stored('a query', rename(draft, this.#of(job.id, 'json')))
  }

  /** Stores the rows, and returns their size in bytes. */
  async saveRows(id: string, rows: readonly string[]): Promise<number> {
    const file = this.rows(id)
    await stored("a query's result", pipeline(Readable.from(pieces(rows)), createWriteStream(file, { mode: 0o600 })))
    return (await stat(file)).size
  }

  /** The file with the rows. */
  rows(id: string): string {
    return this.#of(id, 'rows')
  }

  /** A file for a result in another form. */
  converted(id: string, n: number): string {
    return this.#of(id, `${n}.parquet`)
  }

  async removeRows(id: string): Promise<void> {
    await rm(this.rows(id), { force: true })
  }

  /** The query goes first: rows without one are removed at the next start, a query without its rows would fail. */
  async remove(id: string): Promise<void> {
    await rm(this.#of(id, 'json'), { force: true })
    await this.removeRows(id)
  }

  #of(id: string, ending: string): string {
    return join(this.#folder, `${id}.${ending}`)
  }
}

function* pieces(rows: readonly string[]): Generator<string> {
  let piece = ''
  for (const row of rows) {
    piece += `${row}\n`
    if (piece.length < PIECE_CHARS) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

async function stored<T>(what: string, done: Promise<T>): Promise<T> {
  try {
    return await done
  } catch (error) {
    throw new StorageError(`${what} could not be stored: ${messageOf(error)}`, { cause: error })
  }
}
