import type { Kysely, Transaction } from 'kysely'
import type { Happening, TimelineEntry } from '../model/alert-work.ts'
import type { StateTables, TimelineRow } from './tables.ts'

/** Maximum number of rows per statement, far below SQLite's limit on bound values. */
const ROWS_PER_STATEMENT = 200

/** An entry to add. */
export interface NewEntry {
  readonly alertId: string
  readonly atMs: number
  /** Who did it; '' for Caracal itself. */
  readonly by: string
  /** The caller's own name for a comment: adding it again does nothing. */
  readonly key?: string | undefined
  readonly happening: Happening
}

/**
 * Adds entries to the timelines of their alerts. Matches that join an alert without anything else happening in between are one entry, which
 * grows, so a timeline does not get longer with every batch. Each alert may occur at most once with matches.
 */
export async function addEntries(tx: Transaction<StateTables>, entries: readonly NewEntry[]): Promise<void> {
  const growing = await lastMatches(
    tx,
    entries.flatMap(({ alertId, happening }) => (happening.kind === 'matches' ? [alertId] : [])),
  )
  const added: NewEntry[] = []
  for (const entry of entries) {
    const { alertId, atMs, happening } = entry
    const last = happening.kind === 'matches' ? growing.get(alertId) : undefined
    if (happening.kind !== 'matches' || !last) {
      added.push(entry)
      continue
    }
    const before = JSON.parse(last.detail) as Happening & { kind: 'matches' }
    const detail = JSON.stringify({ ...happening, added: before.added + happening.added })
    await tx.updateTable('alert_timeline').set({ detail, until_ms: atMs }).where('id', '=', last.id).execute()
  }
  const rows = added.map(({ alertId, atMs, by, key, happening }) => ({
    alert_id: alertId,
    at_ms: atMs,
    until_ms: atMs,
    by,
    kind: happening.kind,
    key: key ?? null,
    detail: JSON.stringify(happening),
  }))
  for (let i = 0; i < rows.length; i += ROWS_PER_STATEMENT)
    await tx
      .insertInto('alert_timeline')
      .values(rows.slice(i, i + ROWS_PER_STATEMENT))
      .onConflict((oc) => oc.doNothing())
      .execute()
}

/** By alert, its last entry if that is about matches. */
async function lastMatches(tx: Transaction<StateTables>, alertIds: readonly string[]): Promise<Map<string, TimelineRow>> {
  const found = new Map<string, TimelineRow>()
  for (let i = 0; i < alertIds.length; i += ROWS_PER_STATEMENT) {
    const rows = await tx
      .selectFrom('alert_timeline')
      .selectAll()
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('alert_timeline')
          .select((inner) => inner.fn.max('id').as('id'))
          .where('alert_id', 'in', alertIds.slice(i, i + ROWS_PER_STATEMENT))
          .groupBy('alert_id'),
      )
      .where('kind', '=', 'matches')
      .execute()
    for (const row of rows) found.set(row.alert_id, row)
  }
  return found
}

/** An alert's entries after the one with the id `after`, oldest first. */
export async function timelineOf(
  db: Kysely<StateTables>,
  alertId: string,
  { after = 0, limit }: { readonly after?: number | undefined; readonly limit: number },
): Promise<TimelineEntry[]> {
  const rows = await db
    .selectFrom('alert_timeline')
    .selectAll()
    .where('alert_id', '=', alertId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(entryOf)
}

export function entryOf(row: TimelineRow): TimelineEntry {
  const { id, alert_id: alertId, at_ms: atMs, until_ms: untilMs, by, detail } = row
  return { id, alertId, atMs, untilMs, by, happening: JSON.parse(detail) as Happening }
}
