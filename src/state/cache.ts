import type { Kysely, Transaction } from 'kysely'
import type { CacheEntry, CacheWrite } from '../model/match.ts'
import { sha256 } from '../util/hash.ts'
import type { StateTables } from './tables.ts'

const NEVER_MS = Number.MAX_SAFE_INTEGER
/** Far below SQLite's limit on bound values. */
const ROWS_PER_STATEMENT = 200

/** The rule cache as of the last committed batch, without expired entries, in the order in which it was written. */
export async function loadCache(db: Kysely<StateTables>, nowMs: number): Promise<CacheEntry[]> {
  const rows = await db
    .selectFrom('rule_cache')
    .selectAll()
    .where('expires_ms', '>', nowMs)
    .orderBy('written')
    .orderBy('expires_ms')
    .execute()
  return rows.map((row) => {
    const [key, entry] = JSON.parse(row.entry) as [string, string]
    return { key, entry, expiresMs: row.expires_ms === NEVER_MS ? undefined : row.expires_ms }
  })
}

/** Saves a batch's changes as part of its transaction and removes expired entries. */
export async function saveCacheWrites(tx: Transaction<StateTables>, writes: readonly CacheWrite[], nowMs: number): Promise<void> {
  if (writes.length === 0) return
  await tx.deleteFrom('rule_cache').where('expires_ms', '<=', nowMs).execute()
  const last = await tx
    .selectFrom('rule_cache')
    .select((eb) => eb.fn.max('written').as('written'))
    .executeTakeFirst()
  let written = Number(last?.written ?? 0)
  for (let i = 0; i < writes.length; i += ROWS_PER_STATEMENT) {
    const part = writes.slice(i, i + ROWS_PER_STATEMENT)
    const gone = part.filter((write) => write.entry === undefined).map(({ key }) => hashOf(key))
    if (gone.length > 0) await tx.deleteFrom('rule_cache').where('key_hash', 'in', gone).execute()
    const rows = part.flatMap((write) =>
      write.entry === undefined
        ? []
        : [
            {
              key_hash: hashOf(write.key),
              entry: JSON.stringify([write.key, write.entry]),
              // Rules can specify any number as a time, fractions included.
              expires_ms: Math.floor(Math.min(Math.max(write.expiresMs ?? NEVER_MS, -NEVER_MS), NEVER_MS)),
              written: ++written,
            },
          ],
    )
    if (rows.length === 0) continue
    await tx
      .insertInto('rule_cache')
      .values(rows)
      .onConflict((oc) =>
        oc.column('key_hash').doUpdateSet(({ ref }) => ({
          entry: ref('excluded.entry'),
          expires_ms: ref('excluded.expires_ms'),
          written: ref('excluded.written'),
        })),
      )
      .execute()
  }
}

/** A key is untrusted text. As JSON, distinct keys stay distinct, including those with lone surrogates. */
function hashOf(key: string): string {
  return sha256(Buffer.from(JSON.stringify(key)))
}
