import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { environment } from '../config/env.ts'
import { databaseSettings } from '../config/state.ts'
import type { StateDb } from '../state/db.ts'
import { openStateAt, readStateAt, type StatePlace } from '../state/index.ts'
import { whenItAnswers } from '../state/postgres/answers.ts'
import type { OwnerOptions } from '../state/postgres/owner.ts'
import { getMeta, setMeta } from '../state/sources.ts'
import type { Log } from '../telemetry/log.ts'
import { messageOf, StorageError } from '../util/errors.ts'
import { isOnServers } from './on-servers.ts'

type Placed = Pick<Config, 'data_dir' | 'state'>
type AllPlaced = Pick<Config, 'data_dir' | 'state' | 'lake'>

/** In a data folder whose state is in a server's database: the id that both have. */
export const FOLDER_ID = 'state-database'
/** Key in `meta`. */
export const DATABASE_ID = 'data_folder'
/** In a data folder whose state is just being moved to a server's database: the id that the database has if that is done. */
export const MOVING_ID = 'state-moving'

/** Where the configured state is. Throws `ConfigError` for a secret or a file that cannot be read. */
export function statePlace({ data_dir: dataDir, state }: Placed): StatePlace {
  return state.type === 'sqlite' ? { type: 'sqlite', dataDir } : { type: 'postgres', ...databaseSettings(state, environment()) }
}

/** Waits a minute for a state's server that starts at the same time. Rejects with `StorageError` if it does not answer, or refuses. */
export async function stateAnswers(config: Placed, log: Log, signal?: AbortSignal): Promise<void> {
  const place = statePlace(config)
  if (place.type !== 'postgres') return
  await whenItAnswers(place, { signal, onWait: (message) => log.warn(`${message} Waiting for up to a minute.`) })
}

/** Whether a Caracal has been started with this data folder and this kind of state before. */
export function hasState({ data_dir, state }: Placed): boolean {
  return existsSync(join(data_dir, state.type === 'sqlite' ? 'state.db' : FOLDER_ID))
}

/** Opens the state for reading only. */
export function viewState(config: Placed): StateDb {
  return readStateAt(statePlace(config))
}

/**
 * Opens the state for writing.
 *
 * @throws {StorageError} if it cannot be used, or is not that of the data folder.
 */
export async function openOwnState(
  { config, maxPages }: { readonly config: AllPlaced; readonly maxPages?: number },
  options: OwnerOptions,
): Promise<StateDb> {
  refuseOther(config)
  const db = await openStateAt(statePlace(config), { ...options, ...(maxPages ? { maxPages } : {}) })
  // With everything on servers, any folder will do.
  if (config.state.type === 'sqlite' || isOnServers(config)) return db
  try {
    await belongTogether(db, config)
    return db
  } catch (error) {
    await db.destroy()
    throw error
  }
}

/** Starting with an empty state would read and alert on everything again. */
function refuseOther({ data_dir, state }: Placed): void {
  if (state.type === 'postgres' && existsSync(join(data_dir, 'state.db')))
    throw new StorageError(
      `The data folder ${data_dir} has a state in SQLite (state.db), and the configuration names a database of PostgreSQL. Run \`caracal migrate\`, which moves the state there; or set data_dir to a new folder, or leave out \`state\` to go on with this one.`,
    )
  if (state.type === 'sqlite' && existsSync(join(data_dir, MOVING_ID)))
    throw new StorageError(
      `The state of the data folder ${data_dir} was being moved to a database of PostgreSQL when that was interrupted, and it may be there already. Set \`state\` as it was then, and run \`caracal migrate\` again.`,
    )
  if (state.type === 'sqlite' && existsSync(join(data_dir, FOLDER_ID)))
    throw new StorageError(
      `The state of the data folder ${data_dir} is in a database of PostgreSQL, and the configuration does not name one. Set \`state\` as it was, or set data_dir to a new folder.`,
    )
}

/** What waits in the folder's spool and lies in its lake belongs to one state, and the state to them. */
async function belongTogether(db: StateDb, { data_dir }: Placed): Promise<void> {
  const file = join(data_dir, FOLDER_ID)
  const ofDatabase = await getMeta(db, DATABASE_ID)
  const ofFolder = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
  if (ofDatabase !== undefined && ofDatabase !== ofFolder)
    throw new StorageError(
      `The state's database belongs to another data folder than ${data_dir}: events and what waits to be processed are there. Set data_dir to that folder, or state.url to an empty database. If that folder is lost for good, let this one take its place with DELETE FROM meta WHERE key = '${DATABASE_ID}'.`,
    )
  const id = ofFolder ?? randomUUID()
  try {
    if (ofFolder === undefined) writeFileSync(file, `${id}\n`, { mode: 0o600, flush: true })
  } catch (error) {
    throw new StorageError(`${file} cannot be written: ${messageOf(error)}. Is the disk full?`, { cause: error })
  }
  await setMeta(db, DATABASE_ID, id)
}
