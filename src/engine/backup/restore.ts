import { existsSync } from 'node:fs'
import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { knownMigrations } from '../../state/db.ts'
import { lockDataDir } from '../../state/sqlite.ts'
import { Refused, StorageError } from '../../util/errors.ts'
import { version } from '../../util/version.ts'
import { copyFiles, needRoom, syncFolder } from './copy.ts'
import { DATA, type ListedFile, type Manifest, readManifest } from './manifest.ts'

/** The file of a data folder into which a backup is being restored. */
const RESTORING = 'unfinished-restore'

/** What locking a folder leaves in it. */
const OF_LOCK = /^lock(?:-journal)?$/

/** Reads what a backup contains, and refuses one that this version cannot restore: see `readManifest`. */
export async function openBackup(folder: string): Promise<Manifest> {
  return readManifest(folder, { known: await knownMigrations(), program: version() })
}

/**
 * Restores a backup into an empty data folder, which is created if it does not exist. Every file is compared with its recorded hash.
 *
 * @throws {Refused} if the data folder is not empty.
 * @throws {StorageError} if a file is damaged, or something cannot be read or written: the data folder is empty again then.
 */
export async function restoreBackup(folder: string, manifest: Manifest, dataDir: string): Promise<void> {
  // Before it is locked, which leaves a file in it.
  if (existsSync(dataDir)) await refuseContents(dataDir, RESTORING)
  const unlock = lockDataDir(dataDir)
  try {
    refuseUnrestored(dataDir)
    await refuseContents(dataDir)
    await restore(folder, manifest, dataDir)
  } finally {
    unlock()
  }
}

async function restore(folder: string, { files }: Manifest, dataDir: string): Promise<void> {
  await needRoom(
    dataDir,
    files.reduce((sum, { bytes }) => sum + bytes, 0),
    'The contents of the backup',
  )
  const marker = await open(join(dataDir, RESTORING), 'wx', 0o600)
  await marker.writeFile(`The backup ${folder} is being restored into this folder.\n`)
  await marker.sync()
  await marker.close()
  await syncFolder(dataDir)
  try {
    const paths = files.map(({ path }) => path)
    const sizes = files.map(({ bytes }) => bytes)
    const copied = await copyFiles(paths, join(folder, DATA), dataDir, undefined, sizes)
    refuseDamaged(folder, files, copied)
    await syncFolder(dataDir)
    await rm(join(dataDir, RESTORING))
    await syncFolder(dataDir)
  } catch (error) {
    await empty(dataDir)
    if (!(error instanceof Error && 'syscall' in error)) throw error
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const text = missing ? `the backup ${folder} lacks a file that it lists` : `the backup ${folder} cannot be restored`
    throw new StorageError(`${text}: ${error.message}`, { cause: error })
  }
}

/** Throws `Refused` if an interrupted restore has left the data folder incomplete. */
export function refuseUnrestored(dataDir: string): void {
  if (existsSync(join(dataDir, RESTORING)))
    throw new Refused(
      `the data folder ${dataDir} is incomplete: restoring a backup into it was interrupted. Delete everything in it, and restore the backup again.`,
    )
}

async function refuseContents(dataDir: string, except?: string): Promise<void> {
  const present = (await readdir(dataDir)).filter((name) => !OF_LOCK.test(name))
  if (present.length === 0 || (except !== undefined && present.includes(except))) return
  const names = `${present.slice(0, 3).join(', ')}${present.length > 3 ? ', …' : ''}`
  throw new Refused(
    `the data folder ${dataDir} is not empty (it contains ${names}): a backup is only restored into an empty one. Move its contents away, or specify another folder with --data-dir.`,
  )
}

function refuseDamaged(folder: string, files: readonly ListedFile[], copied: readonly ListedFile[]): void {
  const damaged = files.flatMap(({ path, bytes, sha256 }, i) => {
    const { bytes: size, sha256: hash } = copied[i]!
    if (size > bytes) return [`${path} has more than ${bytes} bytes`]
    if (size !== bytes) return [`${path} has ${size} bytes, not ${bytes}`]
    return hash === sha256 ? [] : [`${path} has other contents than when it was written`]
  })
  if (damaged.length > 0)
    throw new StorageError(
      `the backup ${folder} is damaged: ${damaged.slice(0, 3).join('; ')}${damaged.length > 3 ? `; and ${damaged.length - 3} further files` : ''}. Use another backup; nothing was restored.`,
    )
}

/** The marker goes last. */
async function empty(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir))
    if (!OF_LOCK.test(name) && name !== RESTORING) await rm(join(dataDir, name), { recursive: true, force: true })
  await rm(join(dataDir, RESTORING), { force: true })
}
