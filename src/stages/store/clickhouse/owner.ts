import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { StorageError } from '../../../util/errors.ts'
import { createEverywhere, dropEverywhere, placed } from '../cluster.ts'
import { quoteText, tableName } from '../ddl.ts'
import { rowsOf, type Statements, withSettings } from '../engine.ts'

/** The file of the data folder that says which lake it writes. */
export const OWNER_FILE = 'lake-owner'

const OWNER = { database: 'monitor', table: 'lake_owner' }
const TABLE = tableName(OWNER)

/** The id of a data folder, made when it is first asked for. */
function idOf(dataDir: string): string {
  const file = join(dataDir, OWNER_FILE)
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(16).toString('hex')}\n`, { mode: 0o600 })
  return readFileSync(file, 'utf8').trim()
}

/**
 * Makes a data folder the only one that writes the lake: the first to claim it has it. Two that write the same tables would each delete
 * and alter what the other relies on. Throws `StorageError` if another one has it.
 */
export async function claim(session: Statements, dataDir: string, url: string): Promise<void> {
  const id = idOf(dataDir)
  await createEverywhere(
    session,
    OWNER,
    `CREATE TABLE IF NOT EXISTS ${TABLE} (id String, place String, since DateTime64(9, 'UTC')) ENGINE = ReplacingMergeTree ORDER BY (since, id)`,
  )
  const first = async () =>
    rowsOf<[string, string, string]>(
      await session.run(`SELECT id, place, toString(since) FROM ${TABLE} ORDER BY since, id LIMIT 1`),
    )[0]
  if (!(await first())) {
    const place = `${hostname()}:${resolve(dataDir)}`
    await session.run(
      `INSERT INTO ${TABLE} SELECT ${quoteText(id)}, ${quoteText(place)}, now64(9)${withSettings(placed(session, OWNER, ''))}`,
    )
  }
  const [owner, place, since] = (await first())!
  if (owner !== id)
    throw new StorageError(
      `the lake on ${url} belongs to another data folder (${place}, since ${since} UTC), and only one may write it. If that one is gone or is this one restored, stop it for good and run \`caracal lake init --take-over\`; otherwise use another server`,
    )
}

/** Forgets which data folder writes the lake: the next to open it has it. */
export async function release(session: Statements): Promise<void> {
  await dropEverywhere(session, OWNER)
}
