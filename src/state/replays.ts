import type { Kysely } from 'kysely'
import type { Replay } from '../model/replay.ts'
import { setMeta } from './sources.ts'
import type { StateTables } from './tables.ts'

const PREFIX = 'replay:'

/** The replay's key in `meta`: a page's transaction stores the replay together with the page's outcome. */
export function replayKey(id: string): string {
  return PREFIX + id
}

/** All stored replays, oldest first. */
export async function loadReplays(db: Kysely<StateTables>): Promise<Replay[]> {
  const rows = await db.selectFrom('meta').select('value').where('key', 'like', `${PREFIX}%`).execute()
  return rows.map(({ value }) => JSON.parse(value) as Replay).sort((a, b) => a.createdMs - b.createdMs)
}

export async function saveReplay(db: Kysely<StateTables>, replay: Replay): Promise<void> {
  await setMeta(db, replayKey(replay.id), JSON.stringify(replay))
}

export async function deleteReplay(db: Kysely<StateTables>, id: string): Promise<void> {
  await db.deleteFrom('meta').where('key', '=', replayKey(id)).execute()
}
