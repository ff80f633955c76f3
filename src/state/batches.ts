import type { Kysely, Transaction } from 'kysely'
import type { Count, Cursor, Extent, FinishedRows, RecordedBatch } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import { hash16 } from '../util/hash.ts'
import type { StateTables } from './tables.ts'

/** Records the extent. From now on the batch always has exactly this extent, even after a crash. */
export async function recordBatch(db: Kysely<StateTables>, batch: RecordedBatch): Promise<void> {
  await db
    .insertInto('batches')
    .values({
      batch_id: batch.batchId,
      source_id: batch.sourceId,
      extent: JSON.stringify(batch.extent),
      received_ms: batch.receivedMs,
      done: 0,
    })
    .onConflict((oc) => oc.doNothing())
    .execute()
}

/** Batches that are recorded but not done, in the order they were recorded. */
export async function openBatches(db: Kysely<StateTables>): Promise<RecordedBatch[]> {
  const rows = await db.selectFrom('batches').selectAll().where('done', '=', 0).orderBy('batch_id').execute()
  return rows.map((row) => ({
    batchId: row.batch_id,
    sourceId: row.source_id,
    extent: JSON.parse(row.extent) as Extent,
    receivedMs: row.received_ms,
  }))
}

/** The highest recorded batch id, including done batches; `undefined` if there are none. */
export async function lastBatchId(db: Kysely<StateTables>): Promise<string | undefined> {
  const row = await db.selectFrom('batches').select('batch_id').orderBy('batch_id', 'desc').limit(1).executeTakeFirst()
  return row?.batch_id
}

/** Marks a recorded batch as done and deletes earlier ones. Returns false if it was already done. */
export async function markDone(tx: Transaction<StateTables>, { batchId, sourceId }: RecordedBatch): Promise<boolean> {
  const marked = await tx
    .updateTable('batches')
    .set({ done: 1 })
    .where('batch_id', '=', batchId)
    .where('done', '=', 0)
    .executeTakeFirst()
  if (Number(marked.numUpdatedRows) === 0) return false
  await tx.deleteFrom('batches').where('source_id', '=', sourceId).where('done', '=', 1).where('batch_id', '<', batchId).execute()
  return true
}

/** The position at which each place of a source resumes. */
export async function cursorsOf(db: Kysely<StateTables>, sourceId: string): Promise<Cursor[]> {
  const rows = await db.selectFrom('cursors').selectAll().where('source_id', '=', sourceId).execute()
  return rows.map((row) => ({ place: row.place, value: JSON.parse(row.value) as object }))
}

export async function saveCursor(tx: Transaction<StateTables>, sourceId: string, cursor: Cursor, nowMs: number): Promise<void> {
  const value = JSON.stringify(cursor.value)
  await tx
    .insertInto('cursors')
    .values({ source_id: sourceId, place: cursor.place, value, updated_ms: nowMs })
    .onConflict((oc) => oc.columns(['source_id', 'place']).doUpdateSet({ value, updated_ms: nowMs }))
    .execute()
}

/** Adds finished rows to the outbox. Ids always increase, even after the outbox was emptied. */
export async function saveRows(tx: Transaction<StateTables>, finished: readonly FinishedRows[], nowMs: number): Promise<void> {
  if (finished.length === 0) return
  const { value: last } = await tx
    .insertInto('sequences')
    .values({ name: 'outbox', value: finished.length })
    .onConflict((oc) => oc.column('name').doUpdateSet((eb) => ({ value: eb('sequences.value', '+', finished.length) })))
    .returning('value')
    .executeTakeFirstOrThrow()
  for (const [i, { spec, rows, count }] of finished.entries()) {
    const specId = await saveSpec(tx, spec)
    const id = last - finished.length + 1 + i
    await tx
      .insertInto('outbox')
      .values({ id, spec_id: specId, rows, row_count: count, bytes: rows.length, created_ms: nowMs })
      .execute()
  }
}

async function saveSpec(tx: Transaction<StateTables>, spec: TableSpec): Promise<string> {
  const text = JSON.stringify(spec)
  const specId = hash16(text)
  await tx
    .insertInto('specs')
    .values({ spec_id: specId, spec: text })
    .onConflict((oc) => oc.doNothing())
    .execute()
  return specId
}

/** Adds to the counters; negative numbers subtract, for rows that the lake refused later. */
export async function addCounts(tx: Transaction<StateTables>, counts: readonly Count[]): Promise<void> {
  for (const { sourceId, outcome, reason, n } of counts) {
    if (n === 0) continue
    await tx
      .insertInto('counters')
      .values({ source_id: sourceId, outcome, reason, n })
      .onConflict((oc) => oc.columns(['source_id', 'outcome', 'reason']).doUpdateSet((eb) => ({ n: eb('counters.n', '+', n) })))
      .execute()
  }
}

/**
 * Maximum number of distinct unknown fields per source. Further ones are counted under one name, so that hostile keys cannot fill the
 * state.
 */
const MAX_UNKNOWN_FIELDS = 1000

export async function addUnknownFields(
  tx: Transaction<StateTables>,
  sourceId: string,
  fields: ReadonlyMap<string, number>,
): Promise<void> {
  if (fields.size === 0) return
  const known = new Set(
    (await tx.selectFrom('unknown_fields').select('field').where('source_id', '=', sourceId).execute()).map((row) => row.field),
  )
  for (const [name, n] of fields) {
    const text = JSON.stringify(name.split('\t').map((part) => part.slice(0, 200)))
    const field = known.has(text) || known.size < MAX_UNKNOWN_FIELDS ? text : JSON.stringify(['', 'further fields'])
    known.add(field)
    await tx
      .insertInto('unknown_fields')
      .values({ source_id: sourceId, field, n })
      .onConflict((oc) => oc.columns(['source_id', 'field']).doUpdateSet((eb) => ({ n: eb('unknown_fields.n', '+', n) })))
      .execute()
  }
}
