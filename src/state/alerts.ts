import type { Kysely, Transaction } from 'kysely'
import type { AlertBody, AlertStatus, AlertWindow, StoredAlert } from '../model/alert.ts'
import type { Severity } from '../model/rule.ts'
import type { AlertRow, StateTables } from './tables.ts'

/** Maximum number of rows per statement, far below SQLite's limit on bound values. */
const ROWS_PER_STATEMENT = 200

/** Writes windows. For windows that already exist, fields that users set (status) are preserved. */
export async function saveWindows(tx: Transaction<StateTables>, windows: readonly AlertWindow[]): Promise<void> {
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
    body: JSON.stringify(window.body),
  }))
  for (let i = 0; i < rows.length; i += ROWS_PER_STATEMENT) {
    await tx
      .insertInto('alerts')
      .values(rows.slice(i, i + ROWS_PER_STATEMENT))
      .onConflict((oc) =>
        oc.column('alert_id').doUpdateSet((eb) => ({
          opened: eb.ref('excluded.opened'),
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
    severity: row.severity as Severity,
    eventCount: row.event_count,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
    body: JSON.parse(row.body) as AlertBody,
  }
}

export function storedAlert(row: AlertRow): StoredAlert {
  return { ...windowOf(row), status: row.status as AlertStatus }
}

export interface AlertFilter {
  readonly severity?: Severity
  readonly status?: AlertStatus
  readonly ruleId?: string
  /** For paging: only alerts older than this one. */
  readonly before?: { readonly createdMs: number; readonly alertId: string }
  readonly limit: number
}

/** Opened alerts, newest first. */
export async function listAlerts(db: Kysely<StateTables>, filter: AlertFilter): Promise<AlertRow[]> {
  let query = db.selectFrom('alerts').selectAll().where('opened', '=', 1)
  if (filter.severity) query = query.where('severity', '=', filter.severity)
  if (filter.status) query = query.where('status', '=', filter.status)
  if (filter.ruleId) query = query.where('rule_id', '=', filter.ruleId)
  const { before } = filter
  if (before)
    query = query.where((eb) =>
      eb.or([
        eb('created_ms', '<', before.createdMs),
        eb.and([eb('created_ms', '=', before.createdMs), eb('alert_id', '<', before.alertId)]),
      ]),
    )
  return query.orderBy('created_ms', 'desc').orderBy('alert_id', 'desc').limit(filter.limit).execute()
}

/** The alert with this id or unique prefix; `undefined` if none or several match. */
export async function findAlert(db: Kysely<StateTables>, idPrefix: string): Promise<AlertRow | undefined> {
  if (!/^[0-9a-f]{4,32}$/.test(idPrefix)) return undefined
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('opened', '=', 1)
    .where('alert_id', 'like', `${idPrefix}%`)
    .limit(2)
    .execute()
  return rows.length === 1 ? rows[0] : undefined
}

export async function setAlertStatus(
  db: Kysely<StateTables>,
  alertId: string,
  status: AlertStatus,
  nowMs: number,
): Promise<boolean> {
  const result = await db
    .updateTable('alerts')
    .set({ status, updated_ms: nowMs })
    .where('alert_id', '=', alertId)
    .executeTakeFirst()
  return Number(result.numUpdatedRows) === 1
}
