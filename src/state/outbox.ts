import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Count, FinishedRows, Flush, FlushPart, OutboxSize } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import { addCounts, saveRows } from './batches.ts'
import type { StateTables } from './tables.ts'

/** How much waits for the lake. */
export async function outboxSize(db: Kysely<StateTables>): Promise<OutboxSize> {
  const row = await db
    .selectFrom('outbox')
    .select((eb) => [
      eb.fn.sum<number | null>('row_count').as('rows'),
      eb.fn.sum<number | null>('bytes').as('bytes'),
      eb.fn.min('created_ms').as('oldest'),
    ])
    .executeTakeFirst()
  return { rows: row?.rows ?? 0, bytes: row?.bytes ?? 0, oldestMs: row?.oldest ?? undefined }
}

/** The flush under way, or a new one over the oldest rows (about `maxBytes`); `undefined` when nothing waits. */
export async function beginFlush(db: Kysely<StateTables>, maxBytes: number, nowMs: number): Promise<Flush | undefined> {
  const open = await db.selectFrom('flushes').selectAll().executeTakeFirst()
  if (open) return { flushId: open.flush_id, fromId: open.from_id, toId: open.to_id }
  const heads = await db.selectFrom('outbox').select(['id', 'bytes']).orderBy('id').limit(5000).execute()
  const first = heads[0]
  if (!first) return undefined
  let bytes = 0
  let toId = first.id
  for (const head of heads) {
    bytes += head.bytes
    if (bytes > maxBytes && head !== first) break
    toId = head.id
  }
  // Outbox ids are never used twice, so the range names the flush; the epoch tells it from one of a state that was lost,
  // because a lake that has seen a token once takes nothing more under it.
  const flush = { flushId: `${await epochOf(db)}-${first.id}-${toId}`, fromId: first.id, toId }
  await db
    .insertInto('flushes')
    .values({ flush_id: flush.flushId, from_id: flush.fromId, to_id: flush.toId, created_ms: nowMs })
    .execute()
  return flush
}

/** A random name that this state database was born with. */
async function epochOf(db: Kysely<StateTables>): Promise<string> {
  await db
    .insertInto('meta')
    .values({ key: 'epoch', value: randomBytes(4).toString('hex') })
    .onConflict((oc) => oc.doNothing())
    .execute()
  return (await db.selectFrom('meta').select('value').where('key', '=', 'epoch').executeTakeFirstOrThrow()).value
}

/** The rows of a flush by table. */
export async function flushParts(db: Kysely<StateTables>, flush: Flush): Promise<FlushPart[]> {
  const rows = await db
    .selectFrom('outbox')
    .innerJoin('specs', 'specs.spec_id', 'outbox.spec_id')
    .select(['outbox.spec_id', 'specs.spec', 'outbox.rows', 'outbox.row_count'])
    .where('outbox.id', '>=', flush.fromId)
    .where('outbox.id', '<=', flush.toId)
    .orderBy('outbox.id')
    .execute()
  const bySpec = new Map<string, { spec: TableSpec; pieces: Uint8Array[]; count: number }>()
  for (const row of rows) {
    let part = bySpec.get(row.spec_id)
    if (!part) {
      part = { spec: JSON.parse(row.spec) as TableSpec, pieces: [], count: 0 }
      bySpec.set(row.spec_id, part)
    }
    part.pieces.push(new Uint8Array(row.rows))
    part.count += row.row_count
  }
  const seen = new Map<string, number>()
  return [...bySpec.values()].map(({ spec, pieces, count }) => {
    const name = `${spec.database}.${spec.table}`
    const nth = seen.get(name) ?? 0
    seen.set(name, nth + 1)
    // One table twice in a flush: its schema got a column in between. Each shape is an insert of its own.
    const token = nth === 0 ? `${flush.flushId}/${name}` : `${flush.flushId}/${name}/${nth}`
    return { spec, token, rows: Buffer.concat(pieces), count }
  })
}

/** The flush is in the lake: its rows go, what the lake refused comes back as dead letters. */
export async function endFlush(
  db: Kysely<StateTables>,
  flush: Flush,
  refused: { readonly rows: readonly FinishedRows[]; readonly counts: readonly Count[] },
  nowMs: number,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx.deleteFrom('outbox').where('id', '>=', flush.fromId).where('id', '<=', flush.toId).execute()
    await tx.deleteFrom('flushes').where('flush_id', '=', flush.flushId).execute()
    await saveRows(tx, refused.rows, nowMs)
    await addCounts(tx, refused.counts)
  })
}
