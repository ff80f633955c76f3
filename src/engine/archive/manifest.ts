import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { ArchiveDay } from '../../stages/store/archive.ts'
import type { StoredColumn } from '../../stages/store/ddl.ts'
import type { PartitionId } from '../../stages/store/partitions.ts'
import { messageOf, Refused } from '../../util/errors.ts'
import { ArchiveFileMissing, type ArchivePlace } from './place.ts'

const sha256 = z.string().regex(/^[\da-f]{64}$/)

/** `manifest.json`: what was archived of a table on one day. It is written last, so where it is, the files are complete. */
const manifestSchema = z.object({
  version: z.literal(1),
  database: z.enum(['logs', 'matches']),
  table: z.string().regex(/^[A-Za-z0-9_]{1,128}$/),
  log_type: z.string(),
  /** The day on which the rows were received, UTC. */
  day: z.iso.date(),
  rows: z.int().min(0),
  /** See `RowSum`. */
  checksum: z.string(),
  first_event_time: z.string(),
  last_event_time: z.string(),
  schema_versions: z.array(z.int()),
  columns: z.array(z.object({ name: z.string().min(1).max(512), type: z.string().max(100) })),
  files: z.array(z.object({ name: z.string().regex(/^\d{5}\.parquet$/), rows: z.int().min(0), bytes: z.int().min(0), sha256 })),
  archived_time: z.string(),
})

export type Manifest = z.output<typeof manifestSchema>

export const MANIFEST = 'manifest.json'
const MAX_MANIFEST_BYTES = 8 * 1024 * 1024

/** The folder of a table's archived days. */
export function tableFolder({ database, table }: Pick<PartitionId, 'database' | 'table'>): string {
  return `${database}/${table}/`
}

/**
 * The folder of archived rows. Its last part is derived from their content: the same rows, archived again after a crash, are in the same
 * place, and others are never overwritten.
 */
export function dayFolder(table: PartitionId, { day, rows, checksum }: ArchiveDay, columns: readonly StoredColumn[]): string {
  const content = JSON.stringify([rows, checksum, columns.map(({ name, type }) => [name, type])])
  const id = createHash('sha256').update(content).digest('hex').slice(0, 16)
  return `${tableFolder(table)}${day}/${id}/`
}

/** The day and id in the key of a manifest; `undefined` for any other file. */
export function dayIn(key: string): string | undefined {
  return /^(?:logs|matches)\/\w{1,128}\/(\d{4}-\d{2}-\d{2})\/[\da-f]{16}\/manifest\.json$/.exec(key)?.[1]
}

/** The manifest in a folder; `undefined` without one. Rejects with `Refused` for a damaged one. */
export async function readManifest(place: ArchivePlace, folder: string, signal: AbortSignal): Promise<Manifest | undefined> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const piece of place.read(folder + MANIFEST, signal)) {
      bytes += piece.length
      if (bytes > MAX_MANIFEST_BYTES) throw new Refused(`${place.name}: ${folder}${MANIFEST} is larger than a manifest can be`)
      pieces.push(piece)
    }
  } catch (error) {
    if (error instanceof ArchiveFileMissing) return undefined
    throw error
  }
  try {
    return manifestSchema.parse(JSON.parse(Buffer.concat(pieces).toString()))
  } catch (error) {
    const message = `${place.name}: ${folder}${MANIFEST} is damaged, or from another version of Caracal: ${messageOf(error)}`
    throw new Refused(message, { cause: error })
  }
}
