import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import type { IndicatorField } from '../model/event.ts'
import type { EntityRef, RiskChanges, RiskEntity, RiskShare, RiskStore } from '../model/risk.ts'
import type { StateTables } from './tables.ts'

const AT_ONCE = 500
/** Maximum number of rows per statement, far below SQLite's limit on bound values. */
const ROWS_PER_STATEMENT = 100
/** Less than this is no risk any more. */
const LEAST = 0.001
/** Key in `meta`: the half-life in milliseconds that the ranks are based on. */
const HALF_LIFE = 'risk_half_life'
const ROW_ID = sql<number>`rowid`

export function riskStore(db: Kysely<StateTables>): RiskStore {
  return { read: (refs) => readRisk(db, refs) }
}

export function riskEntity(row: Selectable<StateTables['risk']>): RiskEntity {
  return {
    field: row.field as IndicatorField,
    value: row.value,
    score: row.score,
    atMs: row.at_ms,
    isAlerted: row.is_alerted === 1,
    shares: JSON.parse(row.shares) as RiskShare[],
  }
}

export async function readRisk(db: Kysely<StateTables>, refs: readonly EntityRef[]): Promise<RiskEntity[]> {
  const entities: RiskEntity[] = []
  for (const field of new Set(refs.map((ref) => ref.field))) {
    const values = refs.filter((ref) => ref.field === field).map(({ value }) => value)
    for (let at = 0; at < values.length; at += AT_ONCE) {
      const some = values.slice(at, at + AT_ONCE)
      const rows = await db.selectFrom('risk').selectAll().where('field', '=', field).where('value', 'in', some).execute()
      entities.push(...rows.map(riskEntity))
    }
  }
  return entities
}

/** Stores changed entities, and forgets those without risk and those with the least risk beyond the limit. */
export async function saveRisk(tx: Transaction<StateTables>, changes: RiskChanges | undefined): Promise<void> {
  if (!changes || changes.entities.length === 0) return
  const { entities, halfLifeMs, maxEntities } = changes
  await rankAgain(tx, halfLifeMs)
  for (let i = 0; i < entities.length; i += ROWS_PER_STATEMENT) {
    const rows = entities.slice(i, i + ROWS_PER_STATEMENT).map(({ field, value, score, atMs, isAlerted, shares }) => ({
      field,
      value,
      score,
      at_ms: atMs,
      is_alerted: isAlerted ? 1 : 0,
      shares: JSON.stringify(shares),
      rank: rankOf(score, atMs, halfLifeMs),
    }))
    await tx
      .insertInto('risk')
      .values(rows)
      .onConflict((oc) =>
        oc.columns(['field', 'value']).doUpdateSet(({ ref }) => ({
          score: ref('excluded.score'),
          at_ms: ref('excluded.at_ms'),
          is_alerted: ref('excluded.is_alerted'),
          shares: ref('excluded.shares'),
          rank: ref('excluded.rank'),
        })),
      )
      .execute()
  }
  const nowMs = entities.reduce((latest, { atMs }) => Math.max(latest, atMs), Number.NEGATIVE_INFINITY)
  await tx
    .deleteFrom('risk')
    .where('rank', '<', rankOf(LEAST, nowMs, halfLifeMs))
    .execute()
  const { n } = await tx
    .selectFrom('risk')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  if (Number(n) <= maxEntities) return
  await tx
    .deleteFrom('risk')
    .where(ROW_ID, 'in', (eb) =>
      eb
        .selectFrom('risk')
        .select(ROW_ID.as('id'))
        .orderBy('rank')
        .orderBy('field')
        .orderBy('value')
        .limit(Number(n) - maxEntities),
    )
    .execute()
}

/** Ranks are comparable only if they have the same half-life, so all are computed again after the setting was changed. */
async function rankAgain(tx: Transaction<StateTables>, halfLifeMs: number): Promise<void> {
  const value = `${halfLifeMs}`
  const last = await tx.selectFrom('meta').select('value').where('key', '=', HALF_LIFE).executeTakeFirst()
  if (last?.value === value) return
  // SQLite as it is built here has no logarithm, and the table can have a million rows.
  let after = 0
  for (;;) {
    const rows = await tx
      .selectFrom('risk')
      .select([ROW_ID.as('id'), 'score', 'at_ms'])
      .where(ROW_ID, '>', after)
      .orderBy(ROW_ID)
      .limit(AT_ONCE)
      .execute()
    if (rows.length === 0) break
    const ranks = rows.map(({ id, score, at_ms }) => sql`(${id}, ${rankOf(score, at_ms, halfLifeMs)})`)
    await sql`
      update risk set rank = cast(new.column2 as double precision) from (values ${sql.join(ranks)}) as new
      where risk.rowid = cast(new.column1 as bigint)
    `.execute(tx)
    after = rows.at(-1)!.id
  }
  await tx
    .insertInto('meta')
    .values({ key: HALF_LIFE, value })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
    .execute()
}

/** Orders scores of different times by what is left of them at any one time. */
export function rankOf(score: number, atMs: number, halfLifeMs: number): number {
  return Math.log2(score) + atMs / halfLifeMs
}
