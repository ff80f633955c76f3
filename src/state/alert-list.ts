import type { Kysely } from 'kysely'
import type { StoredAlert } from '../model/alert.ts'
import type { AlertFilter, AlertPage, AlertPlace } from '../model/alert-filter.ts'
import { sees } from '../util/glob.ts'
import { storedAlert } from './alerts.ts'
import type { AlertRow, StateTables } from './tables.ts'

/** Maximum number of alerts read for a page. Most of an alert is JSON, and reading it blocks the reader's thread. */
export const MAX_READ = 5000
export const READ_AT_ONCE = 200

/**
 * Opened alerts, newest first. A page may be shorter than `limit` although there are more: the number of alerts read for one is limited.
 */
export async function alertPage(
  db: Kysely<StateTables>,
  filter: AlertFilter,
  { limit, before, maxRead = MAX_READ }: { readonly limit: number; readonly before?: AlertPlace; readonly maxRead?: number },
): Promise<AlertPage> {
  const fits = judgeOf(filter)
  const alerts: StoredAlert[] = []
  let place = before
  for (let read = 0; read < maxRead; ) {
    // One more than fits, to know whether there is a next page.
    const most = Math.min(fits ? READ_AT_ONCE : limit + 1, maxRead - read)
    const rows = await alertRows(db, filter, { before: place, limit: most })
    read += rows.length
    for (const row of rows) {
      const alert = storedAlert(row)
      if (fits && !fits(alert)) {
        place = placeOf(alert)
        continue
      }
      if (alerts.length === limit) return { alerts, next: place! }
      alerts.push(alert)
      place = placeOf(alert)
    }
    if (rows.length < most) return { alerts }
    await new Promise(setImmediate)
  }
  return { alerts, ...(place && { next: place }) }
}

export function placeOf({ createdMs, alertId }: StoredAlert): AlertPlace {
  return { createdMs, alertId }
}

/** Opened alerts that satisfy the part of a filter which the database can judge. */
export function alertsOfFilter(db: Kysely<StateTables>, filter: AlertFilter) {
  const {
    severities = [],
    statuses = [],
    ruleId,
    owner,
    quality,
    sinceMs,
    untilMs,
    muted,
    mutedBy,
    merged,
    mergedInto,
    held,
  } = filter
  let query = db.selectFrom('alerts').where('opened', '=', 1)
  if (severities.length > 0) query = query.where('severity', 'in', severities)
  if (statuses.length > 0) query = query.where('status', 'in', statuses)
  if (ruleId !== undefined) query = query.where('rule_id', '=', ruleId)
  if (owner === null) query = query.where('owner', 'is', null)
  else if (owner !== undefined) query = query.where('owner', '=', owner)
  if (quality !== undefined) query = query.where('quality', '=', quality)
  if (sinceMs !== undefined) query = query.where('created_ms', '>=', sinceMs)
  if (untilMs !== undefined) query = query.where('created_ms', '<', untilMs)
  if (muted !== undefined) query = query.where('muted_by', muted === 'no' ? 'is' : 'is not', null)
  if (mutedBy !== undefined) query = query.where('muted_by', '=', mutedBy)
  if (merged !== undefined) query = query.where('merged_into', merged === 'no' ? 'is' : 'is not', null)
  if (mergedInto !== undefined) query = query.where('merged_into', '=', mergedInto)
  if (held) query = query.where('hold', 'is not', null)
  return query
}

/** A page of those, newest first, behind `before`. */
export async function alertRows(
  db: Kysely<StateTables>,
  filter: AlertFilter,
  { before, limit }: { readonly before: AlertPlace | undefined; readonly limit: number },
): Promise<AlertRow[]> {
  let query = alertsOfFilter(db, filter).selectAll()
  if (before)
    query = query.where((eb) =>
      eb.or([
        eb('created_ms', '<', before.createdMs),
        eb.and([eb('created_ms', '=', before.createdMs), eb('alert_id', '<', before.alertId)]),
      ]),
    )
  return query.orderBy('created_ms', 'desc').orderBy('alert_id', 'desc').limit(limit).execute()
}

/** The rest of a filter; `undefined` if there is nothing left to judge. */
export function judgeOf({
  tag,
  logType,
  seenLogTypes,
  indicator,
  text,
}: AlertFilter): ((alert: StoredAlert) => boolean) | undefined {
  if ([tag, logType, seenLogTypes, indicator, text].every((one) => one === undefined)) return undefined
  const part = text?.toLowerCase()
  const isSeen = seenLogTypes && sees(seenLogTypes)
  return (alert) => {
    const { body, contextTags } = alert
    if (tag !== undefined && !contextTags.includes(tag) && !body.tags.includes(tag)) return false
    if (isSeen && !isSeen(body.logTypes)) return false
    if (logType !== undefined && !body.logTypes.includes(logType)) return false
    if (indicator !== undefined && !Object.values(body.indicators).some((values) => values.includes(indicator))) return false
    return part === undefined || textsOf(alert).some((one) => one.toLowerCase().includes(part))
  }
}

function textsOf({ ruleId, body }: StoredAlert): string[] {
  return [body.title, ruleId, body.displayName, body.dedup, ...Object.values(body.indicators).flat()]
}

/** Opened alerts of all kinds, newest first. */
export async function listAlerts(
  db: Kysely<StateTables>,
  { limit, before }: { readonly limit: number; readonly before?: AlertPlace },
): Promise<AlertRow[]> {
  return alertRows(db, {}, { before, limit })
}
