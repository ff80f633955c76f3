import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import Database from 'libsql'
import { messageOf, StorageError, UnstorableText } from '../util/errors.ts'

/** A prepared statement, as Kysely's SQLite dialect and our own code use it. */
export interface Statement {
  readonly reader: boolean
  all(parameters: readonly unknown[]): unknown[]
  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  iterate(parameters: readonly unknown[]): IterableIterator<unknown>
}

/** An open SQLite file. Synchronous, so it needs a dedicated thread. */
export interface SqliteFile {
  prepare(sql: string): Statement
  exec(sql: string): void
  close(): void
}

export interface SqliteOptions {
  readonly readonly?: boolean
  /** Maximum size of the file in 4 KiB pages; beyond it writes fail with "disk full" (tests, quotas). */
  readonly maxPages?: number
}

/**
 * Opens a SQLite file durably: WAL, every commit fsynced (but see `unhurried` in `own-adapter.ts`).
 *
 * All parameters pass a guard, because libsql 0.5 aborts the whole process on a bound boolean or a lone Buffer, Date or object, cuts
 * strings at NUL and loses digits of big integers (found by testing). Booleans become 0/1, bytes are passed as a plain Uint8Array, and
 * anything that would be stored wrongly throws a TypeError.
 *
 * A file that was not closed cleanly is checked for damage (`PRAGMA quick_check`) before it is used.
 *
 * Throws `StorageError` if the file cannot be opened or is damaged; so do its statements.
 */
export function openSqlite(file: string, options: SqliteOptions = {}): SqliteFile {
  let db: InstanceType<typeof Database> | undefined
  try {
    // libsql ignores `readonly` and `fileMustExist` if the file does not exist.
    if (options.readonly && !existsSync(file)) throw new Error('there is no such file')
    db = new Database(file, options.readonly ? { readonly: true, fileMustExist: true } : {})
    db.exec('PRAGMA busy_timeout = 5000')
    if (!options.readonly) db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    else db.exec('PRAGMA query_only = ON')
    if (options.maxPages) db.exec(`PRAGMA max_page_count = ${Math.trunc(options.maxPages)}`)
    if (!options.readonly) checkAfterCrash(db)
  } catch (error) {
    db?.close()
    const reason = messageOf(error)
    const text = isDamage(error)
      ? damageText(file, reason)
      : `Cannot open ${file}: ${reason}. Is the folder writable and the disk not full?`
    throw new StorageError(text, { cause: error })
  }
  const opened = db
  return {
    prepare: (sql) => {
      const statement = guarded(storing(file, () => opened.prepare(sql)) as unknown as Statement, file)
      return /^\s*rollback\b/i.test(sql) ? inTransaction(opened, statement) : statement
    },
    exec: (sql) => storing(file, () => void opened.exec(sql)),
    close: () => {
      if (!options.readonly) markClean(opened)
      opened.close()
    },
  }
}

/** `PRAGMA user_version` of a file that was closed cleanly. Nothing else uses that number. */
const CLEAN = 1

/** Checks for damage if the file was not closed cleanly, and marks it as open. Throws if it is damaged. */
function checkAfterCrash(db: InstanceType<typeof Database>): void {
  const [row] = db.prepare('PRAGMA user_version').all() as { user_version: number }[]
  if (row?.user_version !== CLEAN) {
    const found = (db.prepare('PRAGMA quick_check(5)').all() as { quick_check: string }[]).map((each) => each.quick_check)
    if (found.some((text) => text !== 'ok'))
      throw new Damaged(
        `database disk image is malformed: ${found
          .join('; ')
          .replace(/\s*\n\s*/g, '; ')
          .slice(0, 300)}`,
      )
  }
  db.exec('PRAGMA user_version = 0')
}

function markClean(db: InstanceType<typeof Database>): void {
  try {
    db.exec(`PRAGMA user_version = ${CLEAN}`)
  } catch {
    // If the disk is full, the next start checks the file.
  }
}

/** The result of the check. */
class Damaged extends Error {}

/** SQLite's result codes; libsql's number may carry extra information in its higher bits. */
const CODE = { busy: 5, readonly: 8, ioErr: 10, corrupt: 11, full: 13, cantOpen: 14, notADb: 26 } as const

function hasCode(error: unknown, ...names: readonly (keyof typeof CODE)[]): boolean {
  const { rawCode } = error as { readonly rawCode?: unknown }
  return typeof rawCode === 'number' && names.some((name) => CODE[name] === (rawCode & 0xff))
}

function isDamage(error: unknown): boolean {
  return error instanceof Damaged || hasCode(error, 'corrupt', 'notADb')
}

function damageText(file: string, reason: string): string {
  return `The file ${file} is damaged (${reason}). Stop Caracal and restore the file from a backup. Without one, move it out of the data folder together with its -wal and -shm files: Caracal then creates a new one, and whatever was only in this file is lost.`
}

function guarded(statement: Statement, file: string): Statement {
  return {
    reader: statement.reader,
    all: (parameters) => storing(file, () => statement.all(parameters.map(bindable))),
    run: (parameters) => storing(file, () => statement.run(parameters.map(bindable))),
    iterate: (parameters) => statement.iterate(parameters.map(bindable)),
  }
}

/** A disk failure as a `StorageError`, the only error for which callers wait and retry. */
function storing<T>(file: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    if (isDamage(error)) throw new StorageError(damageText(file, messageOf(error)), { cause: error })
    // The disk or a quota is full, or the file is not writable.
    if (hasCode(error, 'full', 'ioErr', 'readonly', 'cantOpen')) throw new StorageError(messageOf(error), { cause: error })
    throw error
  }
}

/** SQLite rolls back by itself when the disk is full; the error of a second rollback must not hide the original one. */
function inTransaction(db: InstanceType<typeof Database>, statement: Statement): Statement {
  return {
    ...statement,
    all: (parameters) => (db.inTransaction ? statement.all(parameters) : []),
    run: (parameters) => (db.inTransaction ? statement.run(parameters) : { changes: 0, lastInsertRowid: 0 }),
  }
}

/** Converts a value to one that libsql can bind. Throws `UnstorableText` or a TypeError for values that it would store wrongly or crash on. */
export function bindable(value: unknown): string | number | null | Uint8Array {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case 'boolean':
      return value ? 1 : 0
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`cannot bind ${value}: not a finite number`)
      return value
    case 'bigint':
      if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER))
        throw new TypeError(`cannot bind ${value}: outside the safe integers; store it as text`)
      return Number(value)
    case 'string':
      if (value.includes('\0') || !value.isWellFormed()) throw new UnstorableText()
      return value
  }
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError(`cannot bind ${Object.prototype.toString.call(value)}: only text, numbers, booleans, bytes and null`)
}

/** Another process has the data folder. */
export class DataFolderInUse extends StorageError {}

/**
 * Locks the data folder for this process. The lock is SQLite's own file lock, so it ends with the process, even after kill -9. Throws
 * `DataFolderInUse` if another process has it, and `StorageError` if the folder is not writable.
 */
export function lockDataDir(dataDir: string): () => void {
  try {
    makeFolder(resolve(dataDir))
    const probe = join(dataDir, `.write-test-${process.pid}`)
    closeSync(openSync(probe, 'w'))
    rmSync(probe)
  } catch (error) {
    throw new StorageError(
      `The data folder ${dataDir} cannot be written: ${messageOf(error)}. Give this user write access, or set data_dir to another folder.`,
      { cause: error },
    )
  }
  let db: InstanceType<typeof Database> | undefined
  try {
    db = new Database(join(dataDir, 'lock'))
    db.exec(
      'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (pid INTEGER); COMMIT; BEGIN EXCLUSIVE',
    )
  } catch (error) {
    db?.close()
    if (hasCode(error, 'busy'))
      throw new DataFolderInUse(
        `The data folder ${dataDir} is in use by another Caracal process. Stop that one first, or set data_dir to another folder.`,
        { cause: error },
      )
    const text = `The data folder ${dataDir} cannot be locked: ${messageOf(error)}. Is the disk full, or does ${join(dataDir, 'lock')} not belong to Caracal?`
    throw new StorageError(text, { cause: error })
  }
  const held = db
  return () => void held.close()
}

/** Not Node's `recursive`, which never returns if a folder cannot be created although its parent exists (`/proc`). */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}
