import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { lockDataDir } from '../../state/sqlite.ts'
import { Refused, RetryLater, StorageError } from '../../util/errors.ts'
import { refuseUnrestored } from '../backup/restore.ts'
import { hasLake, movedLake } from '../lake-place.ts'
import { FOLDER_ID, MOVING_ID } from '../state-place.ts'
import { MOVING_LAKE, type MovedLake, moveFolderLake } from './lake.ts'
import { type MovedState, mayHaveMoved, moveState } from './state.ts'

/** How far a migration is. */
export interface MigrationProgress {
  readonly part: 'state' | 'lake'
  readonly table: string
  /** Rows of all tables of that part. */
  readonly done: number
  readonly of: number
}

export interface MigrationNews {
  onProgress(progress: MigrationProgress): void
  /** What people should know of, and need not act on. */
  onNotice(text: string): void
  readonly signal: AbortSignal
}

/** What was moved; absent: it is not to be moved, or is there already. */
export interface Migrated {
  readonly state?: MovedState
  readonly lake?: MovedLake
}

/**
 * Moves the state and the lake of a data folder that no program uses to the servers that the configuration names. A call that was stopped,
 * however, is repeated and goes on.
 *
 * @throws {Refused} if the configuration names no server, or one that is not empty.
 * @throws {StorageError} if a program uses the data folder, or something cannot be read or written; the data folder is as before then.
 */
export async function migrate(config: Config, news: MigrationNews): Promise<Migrated> {
  const { data_dir: dataDir } = config
  refuseWithoutServer(config)
  // Locking a folder would create it.
  if (!existsSync(dataDir))
    throw new Refused(`there is no data folder at ${dataDir}: specify the one to migrate with --data-dir or --config`)
  const unlock = lockDataDir(dataDir)
  try {
    refuseUnrestored(dataDir)
    // What a run left that was killed after its last step.
    if (!existsSync(join(dataDir, 'state.db'))) rmSync(join(dataDir, MOVING_ID), { force: true })
    if (!hasLake(config)) rmSync(join(dataDir, MOVING_LAKE), { force: true })
    // What is committed there is newer than state.db, so it comes before anything that reads the state.
    const early = stateIsToMove(config) && mayHaveMoved(config) ? await moveState(config, news) : undefined
    const lake = lakeIsToMove(config) ? await moveFolderLake(config, news) : undefined
    const isWrong = lake?.tables.some(({ rowsBefore, rowsAfter }) => rowsBefore !== rowsAfter) ?? false
    const state = early ?? (stateIsToMove(config) && !isWrong ? await moveState(config, news) : undefined)
    return { ...(state && { state }), ...(lake && { lake }) }
  } catch (error) {
    if (!(error instanceof RetryLater)) throw error
    const text = `${error.message.replace(/\.$/, '')}. What was moved before stays where it is: run the same command again, and it goes on.`
    throw new StorageError(text, { cause: error })
  } finally {
    unlock()
  }
}

function stateIsToMove({ state, data_dir }: Config): boolean {
  return state.type !== 'sqlite' && existsSync(join(data_dir, 'state.db'))
}

function lakeIsToMove(config: Config): boolean {
  return config.lake.type !== 'chdb' && hasLake(config)
}

function refuseWithoutServer(config: Config): void {
  const { state, lake, data_dir: dataDir } = config
  const isBack =
    (state.type === 'sqlite' && existsSync(join(dataDir, FOLDER_ID))) ||
    (lake.type === 'chdb' && !hasLake(config) && movedLake(config) !== undefined)
  if (isBack)
    throw new Refused(
      `the ${state.type === 'sqlite' && existsSync(join(dataDir, FOLDER_ID)) ? 'state' : 'lake'} of ${dataDir} is on a server, and nothing is moved from a server back into the data folder. Set \`state\` and \`lake\` as they were.`,
    )
  if (state.type === 'sqlite' && lake.type === 'chdb')
    throw new Refused(
      `nothing to migrate: the configuration has state and lake in the data folder. Name the server first, in caracal.yml: \`state: {type: postgres, url: …}\` (docs/state.md), \`lake: {type: clickhouse, url: …}\` (docs/lake.md), or both.`,
    )
}
