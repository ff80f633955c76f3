import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { Flusher } from '../../pipeline/flusher.ts'
import { createChdbLake } from '../../stages/store/chdb.ts'
import type { Lake } from '../../stages/store/lake.ts'
import { type MovedTable, moveLake } from '../../stages/store/moving/move-lake.ts'
import { RowWriter } from '../../stages/store/row-writer.ts'
import { openState, type StateDb } from '../../state/db.ts'
import { pipelineState } from '../../state/pipeline-state.ts'
import { messageOf, Refused, StorageError } from '../../util/errors.ts'
import { syncFolder } from '../backup/copy.ts'
import { MOVED_LAKE } from '../lake-place.ts'
import { openConfiguredLake } from '../open-lake.ts'
import { openOwnState } from '../state-place.ts'
import type { MigrationNews } from './migrate.ts'

/** What became of the lake. */
export interface MovedLake {
  readonly tables: readonly MovedTable[]
  /** The name of its folder from now on; `undefined`: tables differ, so it stays what it is. */
  readonly kept: string | undefined
}

/** The file of a data folder whose lake is being moved: the moment at which the server's lake began, which no two have in common. */
export const MOVING_LAKE = 'lake-moving'

const MAX_FLUSH_BYTES = 48 * 1024 * 1024

/**
 * Moves the rows of the lake in the data folder to the configured server. Its folder remains under another name.
 *
 * @throws {Refused} if the server has rows that are not from this folder.
 * @throws {StorageError} if one of the lakes cannot be used. Rejects with `RetryLater` if the server is away.
 */
export async function moveFolderLake(config: Config, news: MigrationNews): Promise<MovedLake> {
  const { data_dir: dataDir } = config
  const to = await openConfiguredLake(config, () => {})
  try {
    const begun = await begin(to, config)
    const from = await createChdbLake({ dataDir })
    let tables: readonly MovedTable[]
    try {
      await storeWaiting(config, from, news)
      const onRows = (table: string, done: number, of: number) => news.onProgress({ part: 'lake', table, done, of })
      tables = await moveLake(from, to, { folder: join(dataDir, 'moving'), onRows, signal: news.signal })
    } finally {
      await from.close()
    }
    if (tables.some(({ rowsBefore, rowsAfter }) => rowsBefore !== rowsAfter)) return { tables, kept: undefined }
    return { tables, kept: await finish(dataDir, begun) }
  } finally {
    await to.close()
  }
}

/** Returns the moment at which the server's lake began. Throws `Refused` if it has rows and this folder has not begun to move any there. */
async function begin(to: Lake, { data_dir: dataDir, lake }: Config): Promise<string> {
  const { rows } = await to.query('SELECT toString(since) FROM monitor.lake_owner ORDER BY since, id LIMIT 1')
  const [since] = JSON.parse(rows[0]!) as [string]
  const file = join(dataDir, MOVING_LAKE)
  if (existsSync(file) && readFileSync(file, 'utf8').trim() === since) return since
  const filled = (await to.move({ do: 'storedTables' })).filter((table) => table.rows > 0)
  if (filled.length > 0)
    throw new Refused(
      `the lake on ${'url' in lake ? lake.url : 'the server'} has rows already (${filled
        .slice(0, 3)
        .map(({ database, table, rows: n }) => `${database}.${table}: ${n}`)
        .join(
          ', ',
        )}), and rows are only moved into an empty one. Name another server; or, if nobody needs them, drop the databases logs, matches, signals, monitor and lookups there and run \`caracal lake init\`.`,
    )
  try {
    writeFileSync(file, `${since}\n`, { mode: 0o600, flush: true })
  } catch (error) {
    throw new StorageError(`${file} cannot be written: ${messageOf(error)}. Is the disk full?`, { cause: error })
  }
  return since
}

/**
 * Stores what the state has for the lake. An insert of which the state does not know yet whether it was done would otherwise be repeated on
 * the server, which does not know its token.
 */
async function storeWaiting(config: Config, lake: Lake, { onNotice, signal }: MigrationNews): Promise<void> {
  const db = await stateNow(config, signal)
  try {
    const flusher = new Flusher(pipelineState(db), new RowWriter(config.data_dir, lake), {
      flushRows: config.flush_rows,
      flushMs: config.flush_ms,
      maxBytes: MAX_FLUSH_BYTES,
      now: Date.now,
      onTrouble: () => {},
      onLost: (text) => onNotice(`The lake permanently refused rows: ${text}.`),
    })
    await flusher.flush()
  } catch (error) {
    throw new StorageError(
      `rows that wait in the state cannot be stored in the lake of the data folder, so nothing was moved: ${messageOf(error)}`,
      { cause: error },
    )
  } finally {
    await db.destroy()
  }
}

/** The state, wherever it still is. */
function stateNow(config: Config, signal: AbortSignal): Promise<StateDb> {
  const { data_dir: dataDir, state } = config
  if (state.type !== 'sqlite' && existsSync(join(dataDir, 'state.db'))) return openState(dataDir)
  return openOwnState({ config }, { signal })
}

async function finish(dataDir: string, begun: string): Promise<string> {
  const kept = `${MOVED_LAKE}${new Date().toISOString().slice(0, 10)}-${createHash('sha256').update(begun).digest('hex').slice(0, 8)}`
  renameSync(join(dataDir, 'lake'), join(dataDir, kept))
  await syncFolder(dataDir)
  rmSync(join(dataDir, MOVING_LAKE), { force: true })
  return kept
}
