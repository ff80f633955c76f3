import { chmodSync, closeSync, existsSync, fsyncSync, openSync } from 'node:fs'
import Database from 'libsql'
import { messageOf, StorageError } from '../util/errors.ts'

/**
 * Copies a SQLite file as it is at one moment, also while another thread or process writes to it. The copy is a new file, and on disk when
 * this returns. Synchronous, so it needs a dedicated thread.
 *
 * The file must not be copied in any other way while a process uses it: closing it would release that process's locks.
 *
 * Throws `StorageError` if the file is missing or damaged, or the copy cannot be written.
 */
export function copySqlite(from: string, to: string): void {
  let db: InstanceType<typeof Database> | undefined
  try {
    if (!existsSync(from)) throw new Error('there is no such file')
    db = new Database(from, { readonly: true, fileMustExist: true })
    db.exec('PRAGMA busy_timeout = 5000')
    db.prepare('VACUUM INTO ?').run([to])
    chmodSync(to, 0o600)
    const written = openSync(to, 'r+')
    fsyncSync(written)
    closeSync(written)
  } catch (error) {
    const text = `${from} cannot be copied to ${to}: ${messageOf(error)}. Is the disk full, or the file damaged?`
    throw new StorageError(text, { cause: error })
  } finally {
    db?.close()
  }
}

/** The migrations that a state database has been through, oldest first. Throws `StorageError` if it cannot be read. */
export function migrationsIn(file: string): string[] {
  let db: InstanceType<typeof Database> | undefined
  try {
    db = new Database(file, { readonly: true, fileMustExist: true })
    db.exec('PRAGMA busy_timeout = 5000')
    const [table] = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'kysely_migration'").all([])
    if (!table) return []
    return (db.prepare('SELECT name FROM kysely_migration ORDER BY name').all([]) as { name: string }[]).map(({ name }) => name)
  } catch (error) {
    throw new StorageError(`${file} cannot be read: ${messageOf(error)}`, { cause: error })
  } finally {
    db?.close()
  }
}
