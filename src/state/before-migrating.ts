import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, StorageError } from '../util/errors.ts'
import { version } from '../util/version.ts'
import { copySqlite, migrationsIn } from './copy.ts'

/** The folder of the data folder with the state as it was before its last migration. */
export const BEFORE = 'before-upgrade'

/**
 * Prepares migrating the state in a data folder to the last of the `known` migrations: copies it to `BEFORE` if there is anything to
 * migrate. Only the newest copy is kept.
 *
 * @throws {StorageError} if a newer version has migrated it, or it cannot be copied.
 */
export function beforeMigrating(dataDir: string, known: readonly string[]): void {
  const file = join(dataDir, 'state.db')
  const present = existsSync(file) ? migrationsIn(file) : []
  const newest = present.at(-1)
  if (newest === undefined) return
  const unknown = present.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new StorageError(
      `The data folder ${dataDir} was used by a newer version of Caracal: its state has been migrated to ${newest}, and this version, ${version()}, knows the migrations up to ${known.at(-1)}. Start the newer version, or restore a backup that was made before the upgrade into another folder.`,
    )
  if (present.length === known.length) return
  const folder = join(dataDir, BEFORE)
  const copy = `state-${newest}.db`
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    rmSync(join(folder, `${copy}.tmp`), { force: true })
    copySqlite(file, join(folder, `${copy}.tmp`))
    renameSync(join(folder, `${copy}.tmp`), join(folder, copy))
    for (const name of readdirSync(folder)) if (name !== copy) rmSync(join(folder, name), { force: true })
  } catch (error) {
    const text = `The state is copied before it is migrated, and that failed, so nothing was migrated: ${messageOf(error)}`
    throw new StorageError(text, { cause: error })
  }
}
