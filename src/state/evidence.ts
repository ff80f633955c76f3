import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Kysely, Transaction } from 'kysely'
import { type Evidence, MAX_EVIDENCE_BYTES, type NewEvidence } from '../model/evidence.ts'
import { heldAlerts } from './holds.ts'
import type { StateTables } from './tables.ts'

/** Maximum number of rows per statement, far below SQLite's limit on bound values. */
const ROWS_PER_STATEMENT = 100

/** Keeps matches with their alerts. What is already kept stays. */
export async function saveEvidence(tx: Transaction<StateTables>, matches: readonly NewEvidence[]): Promise<void> {
  for (let i = 0; i < matches.length; i += ROWS_PER_STATEMENT) {
    const rows = matches.slice(i, i + ROWS_PER_STATEMENT).map(({ alertId, number, sourceId, evidence }) => {
      const detail = deflateRawSync(JSON.stringify(evidence), { level: 3 })
      return { alert_id: alertId, number, source_id: sourceId, bytes: detail.length, detail }
    })
    await tx
      .insertInto('alert_evidence')
      .values(rows)
      .onConflict((oc) => oc.doNothing())
      .execute()
  }
}

/** The matches kept with an alert, in order. */
export async function evidenceOfAlert(db: Kysely<StateTables>, alertId: string): Promise<Evidence[]> {
  const rows = await db.selectFrom('alert_evidence').select('detail').where('alert_id', '=', alertId).orderBy('number').execute()
  return rows.map(({ detail }) => JSON.parse(inflateRawSync(detail).toString()) as Evidence)
}

/**
 * Deletes the oldest evidence, at most `maxRows` matches, if all of it together is larger than allowed. That of alerts on hold stays.
 * Returns how many were deleted.
 */
export async function pruneEvidence(db: Kysely<StateTables>, maxRows: number, maxBytes = MAX_EVIDENCE_BYTES): Promise<number> {
  const { total } = await db
    .selectFrom('alert_evidence')
    .select((eb) => eb.fn.sum<number | null>('bytes').as('total'))
    .executeTakeFirstOrThrow()
  let excess = Number(total ?? 0) - maxBytes
  if (excess <= 0) return 0
  const oldest = await db
    .selectFrom('alert_evidence')
    .select(['id', 'bytes'])
    .where('alert_id', 'not in', heldAlerts(db))
    .orderBy('id')
    .limit(maxRows)
    .execute()
  let last = 0
  let count = 0
  for (const { id, bytes } of oldest) {
    if (excess <= 0) break
    excess -= bytes
    last = id
    count++
  }
  await db.deleteFrom('alert_evidence').where('id', '<=', last).where('alert_id', 'not in', heldAlerts(db)).execute()
  return count
}
