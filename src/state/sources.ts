import type { Kysely } from 'kysely'
import { deleteWindows } from './groups.ts'
import { heldAlertIds } from './holds.ts'
import type { StateTables } from './tables.ts'

export interface SourceCounts {
  readonly received: number
  readonly stored: number
  readonly filtered: number
  readonly deadLettered: number
  readonly reasons: Readonly<Record<string, number>>
  /** Log type → how many of the `stored` records were assigned it by a guess. */
  readonly guessed: Readonly<Record<string, number>>
  /** Filter → number of records that it dropped. */
  readonly filters: Readonly<Record<string, number>>
}

/** Records by outcome, per source. */
export async function sourceCounts(db: Kysely<StateTables>): Promise<Map<string, SourceCounts>> {
  const counts = new Map<
    string,
    {
      received: number
      stored: number
      filtered: number
      deadLettered: number
      reasons: Record<string, number>
      guessed: Record<string, number>
      filters: Record<string, number>
    }
  >()
  for (const { source_id, outcome, reason, n } of await db.selectFrom('counters').selectAll().where('n', '!=', 0).execute()) {
    let of = counts.get(source_id)
    if (!of) {
      of = { received: 0, stored: 0, filtered: 0, deadLettered: 0, reasons: {}, guessed: {}, filters: {} }
      counts.set(source_id, of)
    }
    if (outcome === 'received') of.received += n
    else if (outcome === 'stored') {
      of.stored += n
      if (reason !== '') of.guessed[reason] = (of.guessed[reason] ?? 0) + n
    } else if (outcome === 'filtered') {
      of.filtered += n
      of.filters[reason] = (of.filters[reason] ?? 0) + n
    } else {
      of.deadLettered += n
      of.reasons[reason] = (of.reasons[reason] ?? 0) + n
    }
  }
  return counts
}

/** Fields of a source's events that no schema has, most frequent first. */
export async function unknownFields(
  db: Kysely<StateTables>,
): Promise<Map<string, { logType: string; field: string; count: number }[]>> {
  const fields = new Map<string, { logType: string; field: string; count: number }[]>()
  for (const row of await db.selectFrom('unknown_fields').selectAll().orderBy('n', 'desc').execute()) {
    const [logType = '', field = ''] = JSON.parse(row.field) as string[]
    const list = fields.get(row.source_id) ?? []
    list.push({ logType, field, count: row.n })
    fields.set(row.source_id, list)
  }
  return fields
}

/** Tables with rows that are about one source. */
const OF_SOURCE = ['cursors', 'counters', 'batches', 'unknown_fields', 'source_activity', 'source_flow'] as const

/**
 * Deletes a source's cursors, counters, batches and evidence, and the alerts that contain only its events, with their deliveries. Alerts on
 * hold stay, with their evidence.
 */
export async function removeSource(db: Kysely<StateTables>, sourceId: string, label: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const table of OF_SOURCE) await tx.deleteFrom(table).where('source_id', '=', sourceId).execute()
    const held = await heldAlertIds(tx)
    await tx.deleteFrom('alert_evidence').where('source_id', '=', sourceId).where('alert_id', 'not in', held).execute()
    const rows = await tx.selectFrom('alerts').select(['alert_id', 'body']).execute()
    const own = rows.filter(({ alert_id, body }) => {
      if (held.includes(alert_id)) return false
      const labels = (JSON.parse(body) as { sourceLabels: string[] }).sourceLabels
      return labels.length === 1 && labels[0] === label
    })
    for (const { alert_id } of own) await tx.deleteFrom('deliveries').where('alert_id', '=', alert_id).execute()
    await deleteWindows(
      tx,
      own.map(({ alert_id }) => alert_id),
    )
  })
}

export async function getMeta(db: Kysely<StateTables>, key: string): Promise<string | undefined> {
  return (await db.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst())?.value
}

export async function setMeta(db: Kysely<StateTables>, key: string, value: string): Promise<void> {
  await db
    .insertInto('meta')
    .values({ key, value })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
    .execute()
}
