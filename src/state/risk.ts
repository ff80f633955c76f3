import type { Kysely, Transaction } from 'kysely'
import type { IndicatorField } from '../model/event.ts'
import type { EntityRef, RiskChanges, RiskEntity, RiskShare, RiskStore } from '../model/risk.ts'
import type { StateTables } from './tables.ts'

const AT_ONCE = 500
/** Less than this is no risk any more. */
const LEAST = 0.001

export function riskStore(db: Kysely<StateTables>): RiskStore {
  return { read: (refs) => readRisk(db, refs) }
}

async function readRisk(db: Kysely<StateTables>, refs: readonly EntityRef[]): Promise<RiskEntity[]> {
  const entities: RiskEntity[] = []
  for (const field of new Set(refs.map((ref) => ref.field))) {
    const values = refs.filter((ref) => ref.field === field).map(({ value }) => value)
    for (let at = 0; at < values.length; at += AT_ONCE) {
      const some = values.slice(at, at + AT_ONCE)
      const rows = await db.selectFrom('risk').selectAll().where('field', '=', field).where('value', 'in', some).execute()
      entities.push(
        ...rows.map((row) => ({
          field: row.field as IndicatorField,
          value: row.value,
          score: row.score,
          atMs: row.at_ms,
          isAlerted: row.is_alerted === 1,
          shares: JSON.parse(row.shares) as RiskShare[],
        })),
      )
    }
  }
  return entities
}

/** Stores changed entities, and forgets those without risk and those with the least risk beyond the limit. */
export async function saveRisk(tx: Transaction<StateTables>, changes: RiskChanges | undefined): Promise<void> {
  if (!changes || changes.entities.length === 0) return
  const { entities, halfLifeMs, maxEntities } = changes
  let nowMs = Number.NEGATIVE_INFINITY
  for (const { field, value, score, atMs, isAlerted, shares } of entities) {
    nowMs = Math.max(nowMs, atMs)
    const own = {
      score,
      at_ms: atMs,
      is_alerted: isAlerted ? 1 : 0,
      shares: JSON.stringify(shares),
      rank: rankOf(score, atMs, halfLifeMs),
    }
    await tx
      .insertInto('risk')
      .values({ field, value, ...own })
      .onConflict((oc) => oc.columns(['field', 'value']).doUpdateSet(own))
      .execute()
  }
  await tx
    .deleteFrom('risk')
    .where('rank', '<', rankOf(LEAST, nowMs, halfLifeMs))
    .execute()
  const { n } = await tx
    .selectFrom('risk')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  if (Number(n) <= maxEntities) return
  const least = tx
    .selectFrom('risk')
    .select(['field', 'value'])
    .orderBy('rank')
    .orderBy('field')
    .orderBy('value')
    .limit(Number(n) - maxEntities)
  for (const { field, value } of await least.execute())
    await tx.deleteFrom('risk').where('field', '=', field).where('value', '=', value).execute()
}

/** Orders scores of different times by what is left of them at any one time. */
function rankOf(score: number, atMs: number, halfLifeMs: number): number {
  return Math.log2(score) + atMs / halfLifeMs
}
