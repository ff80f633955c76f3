import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { migrationsIn } from '../../state/copy.ts'
import { DataFolderInUse, lockDataDir } from '../../state/sqlite.ts'
import { Refused } from '../../util/errors.ts'
import { version } from '../../util/version.ts'
import type { FinishedBackup } from './backups.ts'
import { copyDatabases, copyRest } from './contents.ts'
import { createBackupFolder } from './folder.ts'
import { rememberBackup } from './known.ts'
import { manifestText } from './manifest.ts'
import { refuseUnrestored } from './restore.ts'

/**
 * Backs up a data folder that no program uses, without migrating it. `undefined`: a program uses it. Aborting the signal ends it.
 *
 * @throws {Refused} if there is no data folder, or the folder for the backup cannot be used.
 * @throws {StorageError} if something cannot be read or written; nothing is left of the backup then.
 */
export async function backUpStopped(dataDir: string, path: string, signal: AbortSignal): Promise<FinishedBackup | undefined> {
  refuseUnrestored(dataDir)
  // Locking a folder would create it.
  if (!existsSync(join(dataDir, 'state.db')))
    throw new Refused(`there is no data folder at ${dataDir}: specify the one to back up with --data-dir or --config`)
  let unlock: () => void
  try {
    unlock = lockDataDir(dataDir)
  } catch (error) {
    if (error instanceof DataFolderInUse) return undefined
    throw error
  }
  try {
    return await copyStopped(dataDir, path, signal)
  } finally {
    unlock()
  }
}

async function copyStopped(dataDir: string, path: string, signal: AbortSignal): Promise<FinishedBackup> {
  const folder = await createBackupFolder(path, dataDir)
  try {
    const createdMs = Date.now()
    await copyDatabases(dataDir, folder.data)
    // A turn of the loop, in which a signal of the system that came during the copy is received.
    await setImmediate()
    // Thrown between two files, it ends the copying of files like an error of the disk.
    const stopIfAborted = () => signal.throwIfAborted()
    stopIfAborted()
    const { files, token } = await copyRest(dataDir, join(dataDir, 'lake'), folder.data, stopIfAborted)
    stopIfAborted()
    const state = migrationsIn(join(folder.data, 'state.db')).at(-1) ?? null
    const created = new Date(createdMs).toISOString()
    await folder.finish(manifestText({ program: version(), created, running: false, state, token, files }))
    rememberBackup(dataDir, { folder: path, created })
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    return { folder: path, createdMs, pauseMs: 0, token, files: files.length, bytes }
  } catch (error) {
    await folder.discard().catch(() => {})
    throw error
  }
}
