import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Flush, FlushOutcome, FlushPart, OutboxSize } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import { addCounts, saveRows } from './batches.ts'
import type { StateTables } from './tables.ts'

/** How much is waiting for the lake. */
export async function outboxSize(db: Kysely<StateTables>): Promise<OutboxSize> {
  const held = await heldSpecs(db)
  const waiting = await db
    .selectFrom('outbox')
    .select((eb) => [
      eb.fn.sum<number | null>('row_count').as('rows'),
      eb.fn.sum<number | null>('bytes').as('bytes'),
      eb.fn.min('created_ms').as('oldest'),
    ])
    .$if(held.length > 0, (query) => query.where('spec_id', 'not in', held))
    .executeTakeFirst()
  const all =
    held.length > 0
      ? await db
          .selectFrom('outbox')
          .select((eb) => eb.fn.sum<number | null>('bytes').as('bytes'))
          .executeTakeFirst()
      : waiting
  return { rows: waiting?.rows ?? 0, bytes: all?.bytes ?? 0, oldestMs: waiting?.oldest ?? undefined }
}

/** Rows per flush, of all tables together, so that each table's rows fit into one insert. */
const MAX_FLUSH_ROWS = 200_000

/** Pieces of the outbox that one flush can have. */
const HEADS = 5000

/** The current flush, or a new one with the oldest rows (about `maxBytes`); `undefined` if nothing is waiting. */
export async function beginFlush(db: Kysely<StateTables>, maxBytes: number, nowMs: number): Promise<Flush | undefined> {
  const open = await db.selectFrom('flushes').selectAll().executeTakeFirst()
  if (open) return { flushId: open.flush_id, fromId: open.from_id, toId: open.to_id, hasMore: true }
  const held = await heldSpecs(db)
  const heads = await db
    .selectFrom('outbox')
    .select(['id', 'bytes', 'row_count'])
    .$if(held.length > 0, (query) => query.where('spec_id', 'not in', held))
    .orderBy('id')
    .limit(HEADS)
    .execute()
  const first = heads[0]
  if (!first) return undefined
  let bytes = 0
  let rows = 0
  let toId = first.id
  for (const head of heads) {
    bytes += head.bytes
    rows += head.row_count
    if ((bytes > maxBytes || rows > MAX_FLUSH_ROWS) && head !== first) break
    toId = head.id
  }
  // Outbox ids are never reused, so range and table identify the rows. The epoch distinguishes them from those of a lost state: the lake
  // ignores inserts with a token that it has already seen.
  const flush = { flushId: `${await epochOf(db)}-${first.id}-${toId}`, fromId: first.id, toId }
  await db
    .insertInto('flushes')
    .values({ flush_id: flush.flushId, from_id: flush.fromId, to_id: flush.toId, created_ms: nowMs })
    .execute()
  return toId !== heads.at(-1)!.id || heads.length === HEADS ? { ...flush, hasMore: true } : flush
}

/** A random name that this state database got when it was created. */
async function epochOf(db: Kysely<StateTables>): Promise<string> {
  await db
    .insertInto('meta')
    .values({ key: 'epoch', value: randomBytes(4).toString('hex') })
    .onConflict((oc) => oc.doNothing())
    .execute()
  return (await db.selectFrom('meta').select('value').where('key', '=', 'epoch').executeTakeFirstOrThrow()).value
}

/** The rows of a flush by table, in outbox order. */
export async function flushParts(db: Kysely<StateTables>, flush: Flush): Promise<FlushPart[]> {
  const held = flush.table === undefined ? new Set(await heldSpecs(db)) : undefined
  const own = flush.table === undefined ? undefined : await specsOf(db, [flush.table])
  const rows = await db
    .selectFrom('outbox')
    .innerJoin('specs', 'specs.spec_id', 'outbox.spec_id')
    .select(['outbox.spec_id', 'specs.spec', 'outbox.rows', 'outbox.row_count'])
    .where('outbox.id', '>=', flush.fromId)
    .where('outbox.id', '<=', flush.toId)
    .$if(own !== undefined, (query) => query.where('outbox.spec_id', 'in', own!))
    .orderBy('outbox.id')
    .execute()
  const bySpec = new Map<string, { spec: TableSpec; pieces: Uint8Array[]; count: number }>()
  for (const row of rows) {
    if (held?.has(row.spec_id)) continue
    let part = bySpec.get(row.spec_id)
    if (!part) {
      part = { spec: JSON.parse(row.spec) as TableSpec, pieces: [], count: 0 }
      bySpec.set(row.spec_id, part)
    }
    part.pieces.push(new Uint8Array(row.rows))
    part.count += row.row_count
  }
  return withTokens(flush, [...bySpec.values()])
}

function withTokens(
  flush: Flush,
  parts: readonly { readonly spec: TableSpec; readonly pieces: readonly Uint8Array[]; readonly count: number }[],
): FlushPart[] {
  const seen = new Map<string, number>()
  const named = parts.map((part) => {
    const name = `${part.spec.database}.${part.spec.table}`
    const nth = seen.get(name) ?? 0
    seen.set(name, nth + 1)
    return { ...part, name, nth }
  })
  return named.map(({ spec, pieces, count, name, nth }) => {
    // A table can occur twice in a flush if its schema changed in between. Each shape is a separate insert.
    const token = nth === 0 ? `${flush.flushId}/${name}` : `${flush.flushId}/${name}/${nth}`
    return { spec, token, late: nth < seen.get(name)! - 1, blocks: pieces, count }
  })
}

/** The flush is in the lake: deletes its rows, except those of tables that wait. Rows that the lake refused become dead letters. */
export async function endFlush(db: Kysely<StateTables>, flush: Flush, outcome: FlushOutcome, nowMs: number): Promise<void> {
  const { flushId, fromId, toId, table } = flush
  await db.transaction().execute(async (tx) => {
    for (const waiting of outcome.waiting)
      await tx
        .insertInto('held_flushes')
        .values({ lake_table: waiting, flush_id: flushId, from_id: fromId, to_id: toId })
        .execute()
    const gone = tx.deleteFrom('outbox').where('id', '>=', fromId).where('id', '<=', toId)
    if (table === undefined) {
      const held = await heldSpecs(tx)
      await gone.$if(held.length > 0, (query) => query.where('spec_id', 'not in', held)).execute()
      await tx.deleteFrom('flushes').where('flush_id', '=', flushId).execute()
    } else {
      await gone.where('spec_id', 'in', await specsOf(tx, [table])).execute()
      await tx.deleteFrom('held_flushes').where('lake_table', '=', table).execute()
    }
    await saveRows(tx, outcome.rows, nowMs)
    await addCounts(tx, outcome.counts)
  })
}

/** Rows that tables have not yet accepted, from flushes that are done for all other tables. */
export async function heldFlushes(db: Kysely<StateTables>): Promise<Flush[]> {
  const rows = await db.selectFrom('held_flushes').selectAll().orderBy('from_id').execute()
  return rows.map((row) => ({ flushId: row.flush_id, fromId: row.from_id, toId: row.to_id, table: row.lake_table }))
}

/** `database.table` of a spec. */
function lakeTable({ database, table }: TableSpec): string {
  return `${database}.${table}`
}

/** All specs of the tables that wait. */
async function heldSpecs(db: Kysely<StateTables>): Promise<string[]> {
  const held = await db.selectFrom('held_flushes').select('lake_table').execute()
  if (held.length === 0) return []
  return specsOf(
    db,
    held.map((row) => row.lake_table),
  )
}

async function specsOf(db: Kysely<StateTables>, tables: readonly string[]): Promise<string[]> {
  const rows = await db.selectFrom('specs').select(['spec_id', 'spec']).execute()
  return rows.filter(({ spec }) => tables.includes(lakeTable(JSON.parse(spec) as TableSpec))).map(({ spec_id }) => spec_id)
}
