import { DAY_MS } from '../lifetime/weeks.ts'
import { dayIn, MANIFEST, type Manifest, readManifest, tableFolder } from './manifest.ts'
import type { ArchivePlace } from './place.ts'

/** Which archived days to list; days are UTC, as in 2026-03-02, and inclusive. */
export interface ArchiveFilter {
  /** The table of a log type. Default: all. */
  readonly table?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Folder of the last day of the page before. */
  readonly after?: string | undefined
  readonly limit: number
}

/** Rows of one table and day in the archive. */
export interface ArchivedDay {
  /** Its folder in the place. */
  readonly folder: string
  readonly manifest: Manifest
}

export interface ArchivedDays {
  readonly days: readonly ArchivedDay[]
  /** Folder of the last of them if there are more than `limit`: what `after` of the next page is. */
  readonly last: string | undefined
}

const DATABASES = ['logs', 'matches'] as const
/** Manifests to read at the same time. */
const READS = 8
const MAX_KNOWN = 5000

const dayBefore = (day: string) => new Date(Date.parse(day) - DAY_MS).toISOString().slice(0, 10)

/** Lists an archive. Manifests never change, so those that were read are remembered. */
export class ArchiveListing {
  readonly #place: ArchivePlace
  readonly #known = new Map<string, Manifest>()

  constructor(place: ArchivePlace) {
    this.#place = place
  }

  /** Events before matches, then by table and day. */
  async list(
    { table, from = '', to = '9999-12-31', after = '', limit }: ArchiveFilter,
    signal: AbortSignal,
  ): Promise<ArchivedDays> {
    const folders: string[] = []
    for (const database of DATABASES) {
      const root = table === undefined ? `${database}/` : tableFolder({ database, table })
      // Some stores (SeaweedFS) also leave out all keys that begin with what they are to list after: so from the day before.
      const first = table === undefined || from === '' ? '' : root + dayBefore(from)
      const begin = [after, first].sort().at(-1) || undefined
      for await (const { key } of this.#place.list(root, { after: begin, signal })) {
        const day = dayIn(key)
        const folder = key.slice(0, -MANIFEST.length)
        if (day === undefined || day < from || folder <= after) continue
        if (day > to && table !== undefined) break
        if (day <= to) folders.push(folder)
        if (folders.length > limit) break
      }
    }
    const days: ArchivedDay[] = []
    const shown = folders.slice(0, limit)
    for (let i = 0; i < shown.length; i += READS)
      days.push(...(await Promise.all(shown.slice(i, i + READS).map((folder) => this.#day(folder, signal)))).flat())
    return { days, last: folders.length > limit ? shown.at(-1) : undefined }
  }

  /** None if it was removed meanwhile. */
  async #day(folder: string, signal: AbortSignal): Promise<ArchivedDay[]> {
    const manifest = this.#known.get(folder) ?? (await readManifest(this.#place, folder, signal))
    if (!manifest) return []
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(folder, manifest)
    return [{ folder, manifest }]
  }
}
