import type { Kysely } from 'kysely'
import type { StateTables } from './tables.ts'

/** Failed attempts of one account or address. */
export interface SignInFailures {
  /** A hash. */
  readonly key: string
  readonly failures: number
  readonly lastMs: number
}

/** Failures older than this count no more. */
export const FAILURES_MS = 24 * 3_600_000

/** Maximum number of keys that are stored; beyond it, those with the oldest failure are forgotten. */
const MAX_KEYS = 20_000

/** Stores these counts, or forgets keys whose count is 0. */
export function saveSignInFailures(db: Kysely<StateTables>, changed: readonly SignInFailures[], nowMs: number): Promise<void> {
  return db.transaction().execute(async (tx) => {
    for (const { key, failures, lastMs } of changed) {
      if (failures === 0) await tx.deleteFrom('sign_in_failures').where('key', '=', key).execute()
      else
        await tx
          .insertInto('sign_in_failures')
          .values({ key, failures, last_ms: lastMs })
          .onConflict((conflict) => conflict.column('key').doUpdateSet({ failures, last_ms: lastMs }))
          .execute()
    }
    await tx
      .deleteFrom('sign_in_failures')
      .where('last_ms', '<', nowMs - FAILURES_MS)
      .execute()
    const newest = tx.selectFrom('sign_in_failures').select('key').orderBy('last_ms', 'desc').limit(MAX_KEYS)
    await tx.deleteFrom('sign_in_failures').where('key', 'not in', newest).execute()
  })
}

export async function storedSignInFailures(db: Kysely<StateTables>): Promise<SignInFailures[]> {
  const rows = await db.selectFrom('sign_in_failures').selectAll().execute()
  return rows.map(({ key, failures, last_ms }) => ({ key, failures, lastMs: last_ms }))
}
