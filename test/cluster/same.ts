import { alertsOf } from './alerts.ts'
import type { World } from './world.ts'

/** Number of records of these sources that are stored or dead letters. */
export async function processed(world: World, sources: readonly string[]): Promise<number> {
  const { caracal } = await world.active()
  const { results } = (await (await caracal.fetch('/api/v1/sources')).json()) as {
    results: { id: string; records: { stored: number; dead_lettered: number } }[]
  }
  return results
    .filter(({ id }) => sources.includes(id))
    .reduce((sum, { records }) => sum + records.stored + records.dead_lettered, 0)
}

/** What must not depend on how many nodes made it: rows, signals, matches with their alert, alerts. Times of processing are left out. */
export async function outcomeOf(world: World) {
  const { caracal } = await world.active()
  const row = 'cityHash64(p_source_id, toString(at), user, ok, ip)'
  const rows = await caracal.query(
    `SELECT p_source_id, count(), uniqExact(p_row_id), sum(${row}), countIf(p_enrichment IS NOT NULL) FROM logs.custom_login GROUP BY 1 ORDER BY 1`,
  )
  const byRule = await caracal.query(
    `SELECT p_rule_id, count(), uniqExact(p_row_id), sum(${row}) FROM matches.custom_login GROUP BY 1 ORDER BY 1`,
  )
  const signals = await caracal.query(
    `SELECT p_rule_id, count(), uniqExact(p_row_id) FROM signals.correlation_signals GROUP BY 1 ORDER BY 1`,
  )
  const matches = await caracal.query(
    `SELECT p_alert_id, count(), uniqExact(p_row_id), sum(${row}) FROM matches.custom_login GROUP BY 1`,
  )
  const byAlert = new Map(matches.map(([id, ...sums]) => [id, sums]))
  const alerts = (await alertsOf(caracal)).map((alert) =>
    JSON.stringify([
      ...['rule_id', 'title', 'dedup', 'severity', 'event_count', 'first_event_time', 'last_event_time'].map((key) => alert[key]),
      byAlert.get(alert.alert_id),
    ]),
  )
  return { rows, byRule, signals, alerts: alerts.sort() }
}
