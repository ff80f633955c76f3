import { existsSync } from 'node:fs'
import { mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { messageOf, Refused, StorageError } from '../../util/errors.ts'
import { syncFolder } from './copy.ts'
import { DATA, MANIFEST, UNFINISHED } from './manifest.ts'

/** The folder of a backup in progress. */
export interface BackupFolder {
  readonly path: string
  /** The folder for the contents of the data folder. */
  readonly data: string
  /** Makes it a backup. */
  finish(manifest: string): Promise<void>
  /** Removes what has been written. */
  discard(): Promise<void>
}

/**
 * Creates the folder of a backup, or takes an empty one, and marks it as unfinished.
 *
 * @throws {Refused} if it contains anything, or is inside the data folder or around it.
 * @throws {StorageError} if it cannot be written.
 */
export async function createBackupFolder(path: string, dataDir: string): Promise<BackupFolder> {
  const isNew = !existsSync(path)
  try {
    if (isNew) await mkdir(path, { mode: 0o700 })
    await refuseUnfit(path, dataDir)
    const handle = await open(join(path, UNFINISHED), 'wx', 0o600)
    await handle.writeFile(`A backup that began at ${new Date().toISOString()} and has not finished.\n`)
    await handle.sync()
    await handle.close()
    await mkdir(join(path, DATA), { mode: 0o700 })
  } catch (error) {
    if (error instanceof Refused) {
      if (isNew) await rm(path, { recursive: true, force: true })
      throw error
    }
    const parent = dirname(path)
    if (isNew && (error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync(parent))
      throw new Refused(`the folder ${parent} does not exist, so ${path} cannot be created: create it first, or check the path`)
    throw new StorageError(`The backup folder ${path} cannot be written: ${messageOf(error)}. ${adviceFor(error)}`, {
      cause: error,
    })
  }
  return {
    path,
    data: join(path, DATA),
    async finish(manifest) {
      const draft = join(path, `${MANIFEST}.tmp`)
      const handle = await open(draft, 'wx', 0o600)
      await handle.writeFile(manifest)
      await handle.sync()
      await handle.close()
      await rename(draft, join(path, MANIFEST))
      await syncFolder(path)
      // Last: a folder with this file is not a backup, whatever else it contains.
      await rm(join(path, UNFINISHED))
      await syncFolder(path)
      if (isNew) await syncFolder(dirname(path))
    },
    async discard() {
      if (isNew) return rm(path, { recursive: true, force: true })
      // The marker goes last.
      for (const name of [DATA, MANIFEST, `${MANIFEST}.tmp`, UNFINISHED])
        await rm(join(path, name), { recursive: true, force: true })
    },
  }
}

/** What a service of systemd gets for every folder that its unit does not name, or that belongs to somebody else. */
const NOT_ALLOWED = new Set<unknown>(['EACCES', 'EPERM', 'EROFS'])

/** What to do about an error of the file system. */
export function adviceFor(error: unknown): string {
  const advice = 'Caracal writes backups itself, as the user it runs as: choose an existing folder that this user may write to.'
  if (!NOT_ALLOWED.has((error as NodeJS.ErrnoException).code)) return advice
  return `${advice} As a service it may only write below folders that \`caracal service install --backups FOLDER\` has named.`
}

async function refuseUnfit(path: string, dataDir: string): Promise<void> {
  const names = await readdir(path)
  if (names.includes(UNFINISHED))
    throw new Refused(
      `${path} contains an unfinished backup: it was interrupted, or is still running. Remove the folder if nothing writes to it any more, or choose another one.`,
    )
  if (names.length > 0) throw new Refused(`${path} is not empty: a backup needs a new or empty folder`)
  const [own, data] = await Promise.all([realpath(path), realpath(dataDir)])
  if (isWithin(own, data) || isWithin(data, own))
    throw new Refused(`${path} cannot contain a backup of ${dataDir}, because one is inside the other: choose a folder elsewhere`)
}

function isWithin(path: string, folder: string): boolean {
  const below = relative(folder, path)
  return below === '' || (!below.startsWith('..') && resolve(folder, below) === path)
}
