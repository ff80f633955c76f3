import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Learned } from '../model/learned.ts'
import { setMeta } from './sources.ts'
import type { StateTables } from './tables.ts'

const PREFIX = 'learned:'

/** What a table learned and past events have not been searched for yet, under its key in state. */
export interface StoredLearned extends Learned {
  readonly key: string
}

/** Stores what a table learned; resolves once that is durable. */
export async function saveLearned(db: Kysely<StateTables>, learned: Learned): Promise<StoredLearned> {
  const key = `${PREFIX}${String(learned.learnedMs).padStart(15, '0')}:${randomBytes(6).toString('hex')}`
  await setMeta(db, key, JSON.stringify(learned))
  return { ...learned, key }
}

/** Everything that was not searched for yet, oldest first. */
export async function loadLearned(db: Kysely<StateTables>): Promise<StoredLearned[]> {
  const rows = await db.selectFrom('meta').select(['key', 'value']).where('key', 'like', `${PREFIX}%`).orderBy('key').execute()
  return rows.map(({ key, value }) => ({ ...(JSON.parse(value) as Learned), key }))
}

export async function deleteLearned(db: Kysely<StateTables>, keys: readonly string[]): Promise<void> {
  await db.deleteFrom('meta').where('key', 'in', keys).execute()
}
