import type { Kysely, Transaction } from 'kysely'
import type { LimitHit, RuleLimit } from '../model/limit.ts'
import type { StateTables } from './tables.ts'

/** How often a rule has reached a limit since the data folder was created, and when it last did. */
export interface LimitCount extends LimitHit {
  readonly lastMs: number
}

/** Counts limits that rules reached, as part of the transaction in which they did. */
export async function saveLimits(tx: Transaction<StateTables>, hits: readonly LimitHit[], nowMs: number): Promise<void> {
  for (const { ruleId, what, n } of hits)
    await tx
      .insertInto('rule_limits')
      .values({ rule_id: ruleId, what, n, last_ms: nowMs })
      .onConflict((oc) =>
        oc.columns(['rule_id', 'what']).doUpdateSet((eb) => ({ n: eb('rule_limits.n', '+', n), last_ms: nowMs })),
      )
      .execute()
}

/** The limits that rules reached, by rule. */
export async function limitCounts(db: Kysely<StateTables>): Promise<LimitCount[]> {
  const rows = await db.selectFrom('rule_limits').selectAll().orderBy('rule_id').orderBy('what').execute()
  return rows.map((row) => ({ ruleId: row.rule_id, what: row.what as RuleLimit, n: row.n, lastMs: row.last_ms }))
}
