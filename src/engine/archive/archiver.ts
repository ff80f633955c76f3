import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArchiveDay, ArchiveDays, RowSum } from '../../stages/store/archive.ts'
import type { Lake } from '../../stages/store/lake.ts'
import type { RetireAsk } from '../../stages/store/partitions.ts'
import { RetryLater } from '../../util/errors.ts'
import { dayFolder, MANIFEST, type Manifest, readManifest } from './manifest.ts'
import { ArchiveFileMissing, type ArchivePlace } from './place.ts'

export interface ArchiverDeps {
  readonly place: ArchivePlace
  readonly lake: Pick<Lake, 'archiveDays' | 'exportDay'>
  /** For files on their way; emptied at each use. */
  readonly workFolder: string
  readonly now: () => number
}

/** What is wanted of a file: it is read into memory to be sent. */
const TARGET_BYTES = 32 * 1024 * 1024
const MAX_FILE_BYTES = 256 * 1024 * 1024
/** An insert of a restored file is one block of the engine. */
const MAX_FILE_ROWS = 500_000
const MAX_PARTS = 99_999

/** The partition that they are from. */
export interface ArchivedFrom {
  readonly logType: string
  /** On disk, and all rows of it. */
  readonly bytes: number
  readonly all: number
}

export interface Archived {
  readonly rows: number
  /** Days that were written now; the others were in the archive already. */
  readonly days: number
  readonly bytes: number
}

interface Part extends RowSum {
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

/**
 * Writes rows that are to be deleted as Parquet files, and reads them back: the content of each file when it is written, by SQL, and its
 * bytes where they are stored.
 */
export class Archiver {
  readonly #deps: ArchiverDeps

  constructor(deps: ArchiverDeps) {
    this.#deps = deps
  }

  /**
   * Archives the rows that `retire` would delete. Once it resolves, they may be deleted, if there are still exactly `rows`. The same call
   * may be repeated. Rejects with `RetryLater` or `Refused`.
   */
  async archive(ask: RetireAsk, { logType, bytes, all }: ArchivedFrom, signal: AbortSignal): Promise<Archived> {
    const { lake, workFolder } = this.#deps
    const found = await lake.archiveDays(ask)
    const rows = found.days.reduce((sum, day) => sum + day.rows, 0)
    let [days, written] = [0, 0]
    try {
      for (const day of found.days) {
        const size = await this.#day(ask, found, day, { logType, parts: partsOf(day.rows, (bytes * day.rows) / all), signal })
        if (size === undefined) continue
        days += 1
        written += size
      }
    } finally {
      await rm(workFolder, { recursive: true, force: true })
    }
    return { rows, days, bytes: written }
  }

  /** Returns the size of what was written; `undefined` if it was there already. */
  async #day(
    ask: RetireAsk,
    { columns }: ArchiveDays,
    day: ArchiveDay,
    { logType, parts, signal }: { readonly logType: string; readonly parts: number; readonly signal: AbortSignal },
  ): Promise<number | undefined> {
    const { place, now } = this.#deps
    const folder = dayFolder(ask, day, columns)
    if (await this.#isComplete(folder, day, signal)) return undefined
    const files: Part[] = []
    for (let part = 0; part < parts; part++) {
      signal.throwIfAborted()
      const name = `${String(part).padStart(5, '0')}.parquet`
      files.push(await this.#part({ ...ask, columns, day: day.day, part, parts }, folder + name, name, signal))
    }
    const sum = sumOf(files)
    if (sum.rows !== day.rows || sum.checksum !== day.checksum)
      throw new RetryLater(`the rows of ${day.day} in ${ask.database}.${ask.table} changed while they were archived`)
    const manifest: Manifest = {
      version: 1,
      database: ask.database as Manifest['database'],
      table: ask.table,
      log_type: logType,
      ...{ day: day.day, rows: day.rows, checksum: day.checksum },
      first_event_time: day.firstEvent,
      last_event_time: day.lastEvent,
      schema_versions: [...day.schemaVersions],
      columns: columns.map(({ name, type }) => ({ name, type })),
      files: files.map(({ name, rows, bytes, sha256 }) => ({ name, rows, bytes, sha256 })),
      archived_time: new Date(now()).toISOString(),
    }
    const text = `${JSON.stringify(manifest, undefined, 1)}\n`
    const file = await this.#workFile(MANIFEST)
    await writeFile(file, text)
    await place.put(folder + MANIFEST, file, signal)
    if (!(await this.#isComplete(folder, day, signal)))
      throw new RetryLater(`${place.name} does not have ${folder} as it was written`)
    return files.reduce((bytes, one) => bytes + one.bytes, 0)
  }

  async #part(
    ask: Omit<Parameters<Lake['exportDay']>[0], 'file'>,
    key: string,
    name: string,
    signal: AbortSignal,
  ): Promise<Part> {
    const { lake, place } = this.#deps
    const file = await this.#workFile(name)
    const sum = await lake.exportDay({ ...ask, file })
    const { size: bytes } = await stat(file)
    if (bytes > MAX_FILE_BYTES)
      throw new RetryLater(`a file of ${bytes} bytes is too large to be archived; a file may have ${MAX_FILE_BYTES}`)
    const sha256 = await hashOf(createReadStream(file))
    await place.put(key, file, signal)
    await rm(file)
    const stored = await hashOf(place.read(key, signal)).catch((error: unknown) => {
      if (error instanceof ArchiveFileMissing) return 'missing'
      throw error
    })
    if (stored !== sha256) throw new RetryLater(`${place.name} does not return ${key} as it was written`)
    return { ...sum, name, bytes, sha256 }
  }

  /** Whether these rows are in the archive, with all their files. */
  async #isComplete(folder: string, { rows, checksum }: ArchiveDay, signal: AbortSignal): Promise<boolean> {
    const { place } = this.#deps
    const manifest = await readManifest(place, folder, signal)
    if (manifest?.rows !== rows || manifest.checksum !== checksum) return false
    const sizes = new Map<string, number>()
    for await (const { key, bytes } of place.list(folder, { signal })) sizes.set(key, bytes)
    return manifest.files.every(({ name, bytes }) => sizes.get(folder + name) === bytes)
  }

  async #workFile(name: string): Promise<string> {
    await mkdir(this.#deps.workFolder, { recursive: true, mode: 0o700 })
    return join(this.#deps.workFolder, name)
  }
}

/** How many files the rows of a day become. */
export function partsOf(rows: number, bytes: number): number {
  return Math.min(MAX_PARTS, Math.max(1, Math.ceil(bytes / TARGET_BYTES), Math.ceil(rows / MAX_FILE_ROWS)))
}

function sumOf(parts: readonly RowSum[]): RowSum {
  const rows = parts.reduce((sum, one) => sum + one.rows, 0)
  const checksum = parts.reduce((sum, one) => (sum + BigInt(one.checksum)) % 2n ** 64n, 0n)
  return { rows, checksum: String(checksum) }
}

export async function hashOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}
