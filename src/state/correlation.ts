import type { Kysely, Transaction } from 'kysely'
import type { CorrelationChanges, CorrelationEntry } from '../model/correlation.ts'
import type { CorrelationStore } from '../stages/detect/correlation/store.ts'
import type { StateTables } from './tables.ts'

/** Far below SQLite's limit on bound values. */
const ROWS_PER_STATEMENT = 200

/** What correlation rules remember, as of the last commit. */
export function correlationStore(db: Kysely<StateTables>): CorrelationStore {
  return {
    async load(ids) {
      const found: CorrelationEntry[] = []
      for (let i = 0; i < ids.length; i += ROWS_PER_STATEMENT) {
        const part = ids.slice(i, i + ROWS_PER_STATEMENT)
        found.push(...(await db.selectFrom('correlation').selectAll().where('id', 'in', part).execute()).map(entryOf))
      }
      return found
    },
    async count(ruleId) {
      const query = db.selectFrom('correlation').select((eb) => eb.fn.countAll<number>().as('n'))
      return (await query.where('rule_id', '=', ruleId).executeTakeFirst())?.n ?? 0
    },
    async wake(nowMs, limit) {
      const query = db.selectFrom('correlation').selectAll().where('wake_ms', '<=', nowMs)
      return (await query.orderBy('wake_ms').orderBy('id').limit(limit).execute()).map(entryOf)
    },
    async entriesOf(ruleId, afterId, limit) {
      const query = db.selectFrom('correlation').selectAll().where('rule_id', '=', ruleId).where('id', '>', afterId)
      return (await query.orderBy('id').limit(limit).execute()).map(entryOf)
    },
  }
}

/** Saves a step's changes as part of its transaction. */
export async function saveCorrelation(tx: Transaction<StateTables>, { saved, removed }: CorrelationChanges): Promise<void> {
  for (let i = 0; i < removed.length; i += ROWS_PER_STATEMENT)
    await tx
      .deleteFrom('correlation')
      .where('id', 'in', removed.slice(i, i + ROWS_PER_STATEMENT))
      .execute()
  for (let i = 0; i < saved.length; i += ROWS_PER_STATEMENT) {
    const rows = saved.slice(i, i + ROWS_PER_STATEMENT)
    await tx
      .insertInto('correlation')
      .values(rows.map(({ id, ruleId, wakeMs, value }) => ({ id, rule_id: ruleId, wake_ms: wakeMs, value })))
      .onConflict((oc) =>
        oc.column('id').doUpdateSet((eb) => ({ wake_ms: eb.ref('excluded.wake_ms'), value: eb.ref('excluded.value') })),
      )
      .execute()
  }
}

/** Deletes everything. Called when there are no correlation rules, since nothing then keeps track of time. */
export async function forgetCorrelation(db: Kysely<StateTables>): Promise<void> {
  await db.deleteFrom('correlation').execute()
}

function entryOf(row: StateTables['correlation']): CorrelationEntry {
  return { id: row.id, ruleId: row.rule_id, wakeMs: row.wake_ms, value: row.value }
}
