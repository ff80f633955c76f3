import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf, Refused, StorageError } from '../../util/errors.ts'

/** The file of a backup that lists all others; written last. */
export const MANIFEST = 'manifest.json'
/** The file of a backup that is being made. */
export const UNFINISHED = 'unfinished'
/** The folder of a backup with the contents of the data folder. */
export const DATA = 'data'

/** The layout of backups that this version writes. */
const FORMAT = 1

/**
 * What a backup contains, by its path below the data folder; no path leads out of it. Nothing else is restored: other files of a data
 * folder are derived from content, and are trusted without being looked at.
 */
const path = z
  .string()
  .regex(
    /^(?!(?:.*\/)?\.{0,2}(?:\/|$))(?=[^\\\0]{1,1000}$)(?:state\.db|spool\.db|token|sign-in-key|tables\/.+|lake\/(?:metadata|store)\/.+)$/s,
    'not a file of a backup: those are state.db, spool.db, token, sign-in-key, and files below tables, lake/metadata and lake/store',
  )

const manifestSchema = z.object({
  format: z.int(),
  /** Version of the program that made it. */
  program: z.string(),
  /** RFC 3339: it contains everything that was acknowledged before. */
  created: z.string(),
  /** False: made while the program was stopped. */
  running: z.boolean(),
  /** The newest migration of its state; `null` if its state has none. */
  state: z.string().nullable(),
  /** Whether the API's token is part of it. */
  token: z.boolean(),
  /** Every file below `data`: path, size in bytes, and SHA-256 in hex. */
  files: z.array(z.object({ path, bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
})

export type Manifest = z.output<typeof manifestSchema>
export type ListedFile = Manifest['files'][number]

/** Describes a backup made by this version. */
export function manifestText(about: Omit<Manifest, 'format'>): string {
  return `${JSON.stringify({ format: FORMAT, ...about } satisfies Manifest, undefined, 1)}\n`
}

/**
 * Reads what a backup contains. `known`: the migrations of the state that this version, `program`, has.
 *
 * @throws {Refused} if the folder is not a finished backup, or a newer version made it.
 * @throws {StorageError} if its manifest is damaged.
 */
export function readManifest(folder: string, { known, program }: { known: readonly string[]; program: string }): Manifest {
  if (!existsSync(folder)) throw new Refused(`there is no backup at ${folder}: there is no such folder`)
  if (existsSync(join(folder, UNFINISHED)))
    throw new Refused(
      `${folder} is an unfinished backup: it was interrupted, or is still running. Use another backup, and remove this one if nothing writes to it any more.`,
    )
  const file = join(folder, MANIFEST)
  if (!existsSync(file)) throw new Refused(`${folder} is not a backup: it has no ${MANIFEST}`)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new StorageError(`${file} is damaged: ${messageOf(error)}. Use another backup.`, { cause: error })
  }
  const { format, program: by = 'an unknown version' } = (value ?? {}) as { format?: unknown; program?: unknown }
  if (typeof format === 'number' && format > FORMAT) throw newer(folder, String(by), `backup layout ${format}`, program)
  const manifest = manifestSchema.safeParse(value)
  if (!manifest.success) {
    const [issue] = manifest.error.issues
    throw new StorageError(`${file} is damaged: ${issue?.path.join('.')}: ${issue?.message}. Use another backup.`)
  }
  const { state } = manifest.data
  if (state !== null && !known.includes(state)) throw newer(folder, String(by), `state ${state}`, program)
  return manifest.data
}

function newer(folder: string, by: string, what: string, program: string): Refused {
  return new Refused(
    `the backup ${folder} was made by Caracal ${by}, whose data is newer (${what}) than this version, ${program}, can read: restore it with Caracal ${by} or later`,
  )
}
