import type { Kysely, Transaction } from 'kysely'
import { RATE_MINUTES, type SourceActivity } from '../model/activity.ts'
import type { BatchEffects } from '../model/batch.ts'
import { type Rows, statement } from './statement.ts'
import type { StateTables } from './tables.ts'

const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
/** How long counts are kept: minutes for the rates, hours for comparing days. */
const MINUTES_KEPT_MS = 2 * HOUR_MS
const HOURS_KEPT_MS = 16 * 24 * HOUR_MS

/** Adds a batch to its source's flow. A batch without records (only a header, for example) does not count. */
export async function addActivity(
  tx: Transaction<StateTables>,
  { batch, counts, activity }: Pick<BatchEffects, 'batch' | 'counts' | 'activity'>,
): Promise<void> {
  const records = counts.reduce((sum, { outcome, n }) => (outcome === 'received' ? sum + n : sum), 0)
  if (!activity || records === 0) return
  const { sourceId, receivedMs } = batch
  const { bytes, newestEventMs } = activity
  const lag = newestEventMs === undefined ? null : Math.max(0, receivedMs - newestEventMs)
  await upsertActivity(tx, [
    { source_id: sourceId, received_ms: receivedMs, bytes, event_ms: newestEventMs ?? null, lag_ms: lag },
  ])
  await upsertFlow(
    tx,
    [MINUTE_MS, HOUR_MS].map((span) => {
      return { source_id: sourceId, span_ms: span, start_ms: receivedMs - (receivedMs % span), records, bytes }
    }),
  )
}

interface Arrival extends Pick<StateTables['source_activity'], 'source_id' | 'bytes' | 'event_ms' | 'lag_ms'> {
  readonly received_ms: number
}

/** A batch without a time of an event leaves the last one as it is. */
const upsertActivity = statement((db, [{ received_ms, ...row }]: Rows<Arrival>) =>
  db
    .insertInto('source_activity')
    .values({ ...row, watched_ms: received_ms, is_configured: 1, first_ms: received_ms, last_ms: received_ms })
    .onConflict((oc) =>
      oc.column('source_id').doUpdateSet((eb) => ({
        first_ms: eb.fn.coalesce('source_activity.first_ms', 'excluded.first_ms'),
        last_ms: eb.ref('excluded.last_ms'),
        bytes: eb('source_activity.bytes', '+', eb.ref('excluded.bytes')),
        event_ms: eb.fn.coalesce('excluded.event_ms', 'source_activity.event_ms'),
        lag_ms: eb.fn.coalesce('excluded.lag_ms', 'source_activity.lag_ms'),
      })),
    ),
)

const upsertFlow = statement((db, rows: Rows<StateTables['source_flow']>) =>
  db
    .insertInto('source_flow')
    .values(rows)
    .onConflict((oc) =>
      oc.columns(['source_id', 'span_ms', 'start_ms']).doUpdateSet((eb) => ({
        records: eb('source_flow.records', '+', eb.ref('excluded.records')),
        bytes: eb('source_flow.bytes', '+', eb.ref('excluded.bytes')),
      })),
    ),
)

/**
 * Records which sources are configured. A source that was not configured before is watched from now on, whatever it sent earlier; for the
 * others nothing changes, so a restart does not delay an alarm.
 */
export async function watchSources(db: Kysely<StateTables>, sourceIds: readonly string[], nowMs: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const known = await tx.selectFrom('source_activity').select(['source_id', 'is_configured']).execute()
    const wasConfigured = new Set(known.filter((row) => row.is_configured === 1).map((row) => row.source_id))
    await tx.updateTable('source_activity').set({ is_configured: 0 }).execute()
    for (const source_id of sourceIds) {
      const again = wasConfigured.has(source_id) ? {} : { watched_ms: nowMs }
      await tx
        .insertInto('source_activity')
        .values({
          source_id,
          watched_ms: nowMs,
          is_configured: 1,
          bytes: 0,
          first_ms: null,
          last_ms: null,
          event_ms: null,
          lag_ms: null,
        })
        .onConflict((oc) => oc.column('source_id').doUpdateSet({ is_configured: 1, ...again }))
        .execute()
    }
  })
}

/** The flow of every source, by id. */
export async function sourceActivity(db: Kysely<StateTables>, nowMs: number): Promise<Map<string, SourceActivity>> {
  const untilMs = nowMs - (nowMs % MINUTE_MS)
  const rates = await db
    .selectFrom('source_flow')
    .select((eb) => ['source_id', eb.fn.sum<number>('records').as('records'), eb.fn.sum<number>('bytes').as('bytes')])
    .where('span_ms', '=', MINUTE_MS)
    .where('start_ms', '>=', untilMs - RATE_MINUTES * MINUTE_MS)
    .where('start_ms', '<', untilMs)
    .groupBy('source_id')
    .execute()
  const rateOf = new Map(rates.map((row) => [row.source_id, row]))
  const rows = await db.selectFrom('source_activity').selectAll().execute()
  return new Map(
    rows.map((row): [string, SourceActivity] => [
      row.source_id,
      {
        watchedMs: row.watched_ms,
        ...(row.first_ms !== null && { firstReceivedMs: row.first_ms }),
        ...(row.last_ms !== null && { lastReceivedMs: row.last_ms }),
        ...(row.event_ms !== null && { lastEventMs: row.event_ms }),
        ...(row.lag_ms !== null && { lagMs: row.lag_ms }),
        bytes: row.bytes,
        recordsPerMinute: (rateOf.get(row.source_id)?.records ?? 0) / RATE_MINUTES,
        bytesPerMinute: (rateOf.get(row.source_id)?.bytes ?? 0) / RATE_MINUTES,
      },
    ]),
  )
}

/** Records by hour (its start, epoch ms) and source, from `fromMs` until before `untilMs`. Hours without records are missing. */
export async function hourlyRecords(
  db: Kysely<StateTables>,
  fromMs: number,
  untilMs: number,
): Promise<Map<string, Map<number, number>>> {
  const rows = await db
    .selectFrom('source_flow')
    .select(['source_id', 'start_ms', 'records'])
    .where('span_ms', '=', HOUR_MS)
    .where('start_ms', '>=', fromMs)
    .where('start_ms', '<', untilMs)
    .execute()
  const bySource = new Map<string, Map<number, number>>()
  for (const { source_id, start_ms, records } of rows) {
    const hours = bySource.get(source_id) ?? new Map<number, number>()
    bySource.set(source_id, hours.set(start_ms, records))
  }
  return bySource
}

/** Deletes counts that are no longer needed. */
export async function pruneActivity(db: Kysely<StateTables>, nowMs: number): Promise<void> {
  const old = [
    [MINUTE_MS, nowMs - MINUTES_KEPT_MS],
    [HOUR_MS, nowMs - HOURS_KEPT_MS],
  ] as const
  for (const [span, beforeMs] of old)
    await db.deleteFrom('source_flow').where('span_ms', '=', span).where('start_ms', '<', beforeMs).execute()
}
