import type { Kysely, Transaction } from 'kysely'
import type { AlertBody, AlertStatus, AlertWindow, StoredAlert } from '../model/alert.ts'
import type { AlertHold, AlertQuality, Happening } from '../model/alert-work.ts'
import type { Severity } from '../model/rule.ts'
import { addEntries, type NewEntry } from './alert-timeline.ts'
import type { AlertRow, StateTables } from './tables.ts'

/** Maximum number of rows per statement, far below SQLite's limit on bound values. */
const ROWS_PER_STATEMENT = 200

/**
 * Writes windows, and what this means for alerts to their timelines. For windows that already exist, what people recorded is preserved;
 * only matches that re-open an alert change its status. Returns the alerts that were opened again because one that they are merged with was.
 */
export async function saveWindows(tx: Transaction<StateTables>, windows: readonly AlertWindow[]): Promise<StoredAlert[]> {
  const before = await openedBefore(tx, windows)
  await upsert(tx, windows)
  const entries = windows.flatMap((window) => happenings(window, before.get(window.alertId)))
  await addEntries(tx, entries)
  for (const { alertId, happening } of entries)
    if (happening.kind === 'changed' && happening.field === 'status') await reopen(tx, alertId)
  const followers: StoredAlert[] = []
  for (const { alertId, atMs, happening } of entries)
    if (happening.kind === 'changed' && happening.field === 'status') followers.push(...(await reopenMerged(tx, alertId, atMs)))
  return followers
}

type Before = Pick<AlertRow, 'alert_id' | 'status' | 'reason' | 'severity' | 'event_count' | 'muted_by'>

/** Those of the windows that are alerts already. */
async function openedBefore(tx: Transaction<StateTables>, windows: readonly AlertWindow[]): Promise<Map<string, Before>> {
  const ids = windows.filter(({ opened }) => opened).map(({ alertId }) => alertId)
  const found = new Map<string, Before>()
  for (let i = 0; i < ids.length; i += ROWS_PER_STATEMENT) {
    const rows = await tx
      .selectFrom('alerts')
      .select(['alert_id', 'status', 'reason', 'severity', 'event_count', 'muted_by'])
      .where('alert_id', 'in', ids.slice(i, i + ROWS_PER_STATEMENT))
      .where('opened', '=', 1)
      .execute()
    for (const row of rows) found.set(row.alert_id, row)
  }
  return found
}

/** What happened to an alert from one stored form to the next. */
function happenings(window: AlertWindow, before: Before | undefined): NewEntry[] {
  if (!window.opened) return []
  const { alertId, eventCount, severity, mutedBy = null, updatedMs } = window
  const entry = (happening: Happening): NewEntry => ({ alertId, atMs: updatedMs, by: '', happening })
  if (!before) return [entry({ kind: 'opened', severity, event_count: eventCount, muted_by: mutedBy })]
  const added = eventCount - before.event_count
  const isReopened = window.status === 'OPEN' && (before.status === 'RESOLVED' || before.status === 'CLOSED')
  const list: Happening[] = []
  if (added > 0) list.push({ kind: 'matches', added, event_count: eventCount })
  if (before.severity !== severity) list.push({ kind: 'severity', from: before.severity as Severity, to: severity })
  if (before.muted_by !== mutedBy) list.push({ kind: 'changed', field: 'muted_by', from: before.muted_by, to: mutedBy })
  if (isReopened) list.push({ kind: 'changed', field: 'status', from: before.status, to: 'OPEN' })
  if (isReopened && before.reason !== null) list.push({ kind: 'changed', field: 'reason', from: before.reason, to: null })
  return list.map(entry)
}

async function reopen(tx: Transaction<StateTables>, alertId: string): Promise<void> {
  await tx
    .updateTable('alerts')
    .set((eb) => ({ status: 'OPEN', reason: null, version: eb('version', '+', 1) }))
    .where('alert_id', '=', alertId)
    .execute()
}

/** Opens again what is merged with an alert that was opened again, because they have one status. */
async function reopenMerged(tx: Transaction<StateTables>, alertId: string, atMs: number): Promise<StoredAlert[]> {
  const one = tx.selectFrom('alerts').select('merged_into').where('alert_id', '=', alertId)
  const root = (await one.executeTakeFirstOrThrow()).merged_into ?? alertId
  const others = await tx
    .selectFrom('alerts')
    .selectAll()
    .where((eb) => eb.or([eb('alert_id', '=', root), eb('merged_into', '=', root)]))
    .where('status', 'in', ['RESOLVED', 'CLOSED'])
    .execute()
  for (const { alert_id, status, reason } of others) {
    const changed = { alertId: alert_id, atMs, by: '' }
    const entries: NewEntry[] = [{ ...changed, happening: { kind: 'changed', field: 'status', from: status, to: 'OPEN' } }]
    if (reason !== null) entries.push({ ...changed, happening: { kind: 'changed', field: 'reason', from: reason, to: null } })
    await addEntries(tx, entries)
    await reopen(tx, alert_id)
  }
  return others.map((row) => ({ ...storedAlert(row), status: 'OPEN', reason: null, version: row.version + 1 }))
}

async function upsert(tx: Transaction<StateTables>, windows: readonly AlertWindow[]): Promise<void> {
  const rows = windows.map((window) => ({
    alert_id: window.alertId,
    rule_id: window.ruleId,
    group_key: window.groupKey,
    window_number: window.number,
    rule_version: window.ruleVersion,
    retroactive: window.retroactive ? 1 : 0,
    window_start_ms: window.startMs,
    window_end_ms: window.endMs,
    opened: window.opened ? 1 : 0,
    status: 'OPEN',
    severity: window.severity,
    event_count: window.eventCount,
    created_ms: window.createdMs,
    updated_ms: window.updatedMs,
    muted_by: window.mutedBy ?? null,
    body: JSON.stringify(window.body),
  }))
  for (let i = 0; i < rows.length; i += ROWS_PER_STATEMENT) {
    await tx
      .insertInto('alerts')
      .values(rows.slice(i, i + ROWS_PER_STATEMENT))
      .onConflict((oc) =>
        oc.column('alert_id').doUpdateSet((eb) => ({
          opened: eb.ref('excluded.opened'),
          severity: eb.ref('excluded.severity'),
          muted_by: eb.ref('excluded.muted_by'),
          event_count: eb.ref('excluded.event_count'),
          created_ms: eb.ref('excluded.created_ms'),
          updated_ms: eb.ref('excluded.updated_ms'),
          body: eb.ref('excluded.body'),
        })),
      )
      .execute()
  }
}

export function windowOf(row: AlertRow): AlertWindow {
  return {
    alertId: row.alert_id,
    ruleId: row.rule_id,
    groupKey: row.group_key,
    number: row.window_number,
    ruleVersion: row.rule_version,
    ...(row.retroactive === 1 && { retroactive: true }),
    startMs: row.window_start_ms,
    endMs: row.window_end_ms,
    opened: row.opened === 1,
    mutedBy: row.muted_by,
    status: row.status as AlertStatus,
    severity: row.severity as Severity,
    eventCount: row.event_count,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
    body: JSON.parse(row.body) as AlertBody,
  }
}

export function storedAlert(row: AlertRow): StoredAlert {
  return {
    ...windowOf(row),
    mutedBy: row.muted_by,
    status: row.status as AlertStatus,
    reason: row.reason,
    quality: row.quality as AlertQuality | null,
    owner: row.owner,
    contextTags: JSON.parse(row.context_tags) as string[],
    version: row.version,
    mergedInto: row.merged_into,
    hold: row.hold === null ? null : (JSON.parse(row.hold) as AlertHold),
  }
}

/** The alert with this id or unique prefix; `undefined` if none or several match. */
export async function findAlert(db: Kysely<StateTables>, idPrefix: string): Promise<AlertRow | undefined> {
  if (!/^[0-9a-f]{4,32}$/.test(idPrefix)) return undefined
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('opened', '=', 1)
    // A range rather than LIKE, which would read the whole table: 'g' is after every hexadecimal digit.
    .where('alert_id', '>=', idPrefix)
    .where('alert_id', '<', `${idPrefix}g`)
    .limit(2)
    .execute()
  return rows.length === 1 ? rows[0] : undefined
}
