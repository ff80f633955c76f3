import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { openState, type StateDb } from '../../state/db.ts'
import { openStateAt } from '../../state/index.ts'
import { getMeta } from '../../state/sources.ts'
import { openSqlite } from '../../state/sqlite.ts'
import { type TakenTable, takeIn } from '../../state/take-in/take-in.ts'
import { messageOf, StorageError } from '../../util/errors.ts'
import { syncFolder } from '../backup/copy.ts'
import { DATABASE_ID, FOLDER_ID, MOVING_ID, statePlace } from '../state-place.ts'
import type { MigrationNews } from './migrate.ts'

/** What became of the state. */
export interface MovedState {
  /** `undefined`: an earlier run, which was stopped just before its end, had moved them. */
  readonly tables: readonly TakenTable[] | undefined
  /** The name of `state.db` in the data folder from now on. */
  readonly kept: string
}

/**
 * Moves `state.db` to the database of the configuration, if it is still to be moved. It remains in the data folder under another name.
 *
 * Whether a run that was killed has moved it is seen from the database: the id in `MOVING_ID` is committed together with the rows.
 *
 * @throws {Refused} if the database is not empty.
 * @throws {StorageError} if it cannot be used, or belongs to another data folder.
 */
export async function moveState(config: Config, { onProgress, signal }: MigrationNews): Promise<MovedState> {
  const { data_dir: dataDir } = config
  const path = join(dataDir, 'state.db')
  await toNewestMigration(dataDir)
  const db = await openStateAt(statePlace(config), { signal })
  try {
    const committed = await committedId(db, dataDir)
    const id = committed ?? randomUUID()
    let tables: readonly TakenTable[] | undefined
    if (committed === undefined) {
      const onCommit = () => writeId(dataDir, MOVING_ID, id)
      const onRows = (table: string, done: number, of: number) => onProgress({ part: 'state', table, done, of })
      tables = await takeIn(path, db, { mark: { key: DATABASE_ID, value: id }, onCommit, onRows, signal })
    }
    return { tables, kept: await finish(dataDir, id) }
  } finally {
    await db.destroy()
  }
}

/** True if an earlier run was stopped at a moment at which the state may have been moved. */
export function mayHaveMoved({ data_dir: dataDir }: Pick<Config, 'data_dir'>): boolean {
  return existsSync(join(dataDir, MOVING_ID))
}

async function toNewestMigration(dataDir: string): Promise<void> {
  await (await openState(dataDir)).destroy()
}

/** The id of the state in the database if it is that of this folder already. Throws if it is another folder's. */
async function committedId(db: StateDb, dataDir: string): Promise<string | undefined> {
  const id = await getMeta(db, DATABASE_ID)
  const file = join(dataDir, MOVING_ID)
  if (id !== undefined && !(existsSync(file) && readFileSync(file, 'utf8').trim() === id))
    throw new StorageError(
      `The database that state.url names belongs to another data folder than ${dataDir}, so the state cannot be moved there. Name an empty database in state.url.`,
    )
  return id
}

/** Each step can be repeated, and the last one says that all are done. */
async function finish(dataDir: string, id: string): Promise<string> {
  writeId(dataDir, FOLDER_ID, id)
  const kept = `state.db.migrated-${new Date().toISOString().slice(0, 10)}-${id.slice(0, 8)}`
  const path = join(dataDir, 'state.db')
  const isWhole = hasWhole(path)
  renameSync(path, join(dataDir, kept))
  rmSync(`${path}-shm`, { force: true })
  if (isWhole) rmSync(`${path}-wal`, { force: true })
  else if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, join(dataDir, `${kept}-wal`))
  await syncFolder(dataDir)
  rmSync(join(dataDir, MOVING_ID), { force: true })
  return kept
}

/** Puts what is still in the log into the file itself. True if the file needs its log no more. */
function hasWhole(path: string): boolean {
  const file = openSqlite(path)
  try {
    const [row] = file.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all([]) as { busy: number }[]
    return row?.busy === 0
  } finally {
    file.close()
  }
}

function writeId(dataDir: string, name: string, id: string): void {
  try {
    writeFileSync(join(dataDir, name), `${id}\n`, { mode: 0o600, flush: true })
  } catch (error) {
    const text = `${join(dataDir, name)} cannot be written: ${messageOf(error)}. Is the disk full?`
    throw new StorageError(text, { cause: error })
  }
}
