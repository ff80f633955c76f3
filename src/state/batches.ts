import type { Kysely, Transaction } from 'kysely'
import type { Count, Cursor, Extent, FinishedRows, RecordedBatch } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import { hash16 } from '../util/hash.ts'
import { ownAdapter } from './own-adapter.ts'
import { type Rows, statement } from './statement.ts'
import type { StateTables } from './tables.ts'

/** Maximum number of rows per statement, far below SQLite's limit on bound values. */
const ROWS_PER_STATEMENT = 200

/**
 * Records the extent. From now on the batch always has exactly this extent, even after a crash. If the power fails before anything else is
 * committed, it may be gone as if the batch had never begun: nothing follows from a batch before its own commit.
 */
export async function recordBatch(db: Kysely<StateTables>, batch: RecordedBatch): Promise<void> {
  const row = {
    batch_id: batch.batchId,
    source_id: batch.sourceId,
    extent: JSON.stringify(batch.extent),
    received_ms: batch.receivedMs,
    done: 0,
  }
  await ownAdapter(db).unhurried(db, (one) => insertBatch(one, [row]))
}

const insertBatch = statement((db, rows: Rows<StateTables['batches']>) =>
  db
    .insertInto('batches')
    .values(rows)
    .onConflict((oc) => oc.doNothing()),
)

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
  const { numAffectedRows } = await mark(tx, [{ batchId }])
  if (!numAffectedRows) return false
  await deleteEarlier(tx, [{ batchId, sourceId }])
  return true
}

const mark = statement((db, [{ batchId }]: Rows<{ batchId: string }>) =>
  db.updateTable('batches').set({ done: 1 }).where('batch_id', '=', batchId).where('done', '=', 0),
)

const deleteEarlier = statement((db, [{ batchId, sourceId }]: Rows<{ batchId: string; sourceId: string }>) =>
  db.deleteFrom('batches').where('source_id', '=', sourceId).where('done', '=', 1).where('batch_id', '<', batchId),
)

/** The position at which each place of a source resumes. */
export async function cursorsOf(db: Kysely<StateTables>, sourceId: string): Promise<Cursor[]> {
  const rows = await db.selectFrom('cursors').selectAll().where('source_id', '=', sourceId).execute()
  return rows.map((row) => ({ place: row.place, value: JSON.parse(row.value) as object }))
}

export async function saveCursor(tx: Transaction<StateTables>, sourceId: string, cursor: Cursor, nowMs: number): Promise<void> {
  await upsertCursor(tx, [{ source_id: sourceId, place: cursor.place, value: JSON.stringify(cursor.value), updated_ms: nowMs }])
}

const upsertCursor = statement((db, rows: Rows<StateTables['cursors']>) =>
  db
    .insertInto('cursors')
    .values(rows)
    .onConflict((oc) =>
      oc
        .columns(['source_id', 'place'])
        .doUpdateSet((eb) => ({ value: eb.ref('excluded.value'), updated_ms: eb.ref('excluded.updated_ms') })),
    ),
)

/** Adds finished rows to the outbox. Ids always increase, even after the outbox was emptied. */
export async function saveRows(tx: Transaction<StateTables>, finished: readonly FinishedRows[], nowMs: number): Promise<void> {
  if (finished.length === 0) return
  const last = (await raiseOutbox(tx, [{ n: finished.length }])).rows[0]!.value
  for (let i = 0; i < finished.length; i += ROWS_PER_STATEMENT) {
    const first = last - finished.length + 1 + i
    const part = finished.slice(i, i + ROWS_PER_STATEMENT).map(({ spec, ...more }) => ({ ...more, spec: storedSpec(spec) }))
    await insertSpecs(tx, [...new Map(part.map(({ spec }) => [spec.spec_id, spec])).values()])
    await insertRows(
      tx,
      part.map(({ spec: { spec_id }, rows, count }, n) => {
        return { id: first + n, spec_id, rows, row_count: count, bytes: rows.length, created_ms: nowMs }
      }),
    )
  }
}

const raiseOutbox = statement((db, [{ n }]: Rows<{ n: number }>) =>
  db
    .insertInto('sequences')
    .values({ name: 'outbox', value: n })
    .onConflict((oc) => oc.column('name').doUpdateSet((eb) => ({ value: eb('sequences.value', '+', eb.ref('excluded.value')) })))
    .returning('value'),
)

const insertSpecs = statement((db, rows: Rows<StateTables['specs']>) =>
  db
    .insertInto('specs')
    .values(rows)
    .onConflict((oc) => oc.doNothing()),
)

const insertRows = statement((db, rows: Rows<StateTables['outbox']>) => db.insertInto('outbox').values(rows))

/** By shape of a table, which lives as long as the content that needs it. */
const specs = new WeakMap<TableSpec, { readonly spec_id: string; readonly spec: string }>()

function storedSpec(spec: TableSpec): { readonly spec_id: string; readonly spec: string } {
  const known = specs.get(spec)
  if (known) return known
  const text = JSON.stringify(spec)
  const made = { spec_id: hash16(text), spec: text }
  specs.set(spec, made)
  return made
}

/** Adds to the counters; negative numbers subtract, for rows that the lake refused later. */
export async function addCounts(tx: Transaction<StateTables>, counts: readonly Count[]): Promise<void> {
  const sums = new Map<string, { source_id: string; outcome: string; reason: string; n: number }>()
  for (const { sourceId, outcome, reason, n } of counts) {
    const key = JSON.stringify([sourceId, outcome, reason])
    sums.set(key, { source_id: sourceId, outcome, reason, n: n + (sums.get(key)?.n ?? 0) })
  }
  const rows = [...sums.values()].filter(({ n }) => n !== 0)
  for (let i = 0; i < rows.length; i += ROWS_PER_STATEMENT) await upsertCounts(tx, rows.slice(i, i + ROWS_PER_STATEMENT))
}

const upsertCounts = statement((db, rows: Rows<StateTables['counters']>) =>
  db
    .insertInto('counters')
    .values(rows)
    .onConflict((oc) =>
      oc.columns(['source_id', 'outcome', 'reason']).doUpdateSet((eb) => ({ n: eb('counters.n', '+', eb.ref('excluded.n')) })),
    ),
)

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
