import type { Engine } from '../../engine/engine.ts'
import type { StoredAlert } from '../../model/alert.ts'
import { splitJsonArray } from '../../util/json-spans.ts'
import { alertTables } from '../alert-tables.ts'
import { type ExactAnswer, exactAnswer } from '../exact-json.ts'

interface Events {
  readonly results: Record<string, unknown>[]
  readonly truncated: boolean
}

/** The lake rows of an alert's events, reading the table of each log type until there are `limit` rows. */
export async function alertEvents(
  engine: Engine,
  { alertId, body }: StoredAlert,
  limit: number,
  signal: AbortSignal,
): Promise<ExactAnswer<Events, 200>> {
  const rows: string[] = []
  let isTruncated = false
  for (const table of alertTables(body.type, body.logTypes)) {
    const sql = `SELECT * FROM ${table} WHERE p_alert_id = {alert:String} ORDER BY ${timeOf(table)} LIMIT {limit:UInt32}`
    const params = { alert: alertId, limit: limit + 1 - rows.length }
    // Only the first query must wait for a flush; it covers the other tables too.
    const answer = await engine.query(sql, { params, signal, maxRows: limit + 1, fresh: rows.length === 0 })
    rows.push(...answer.rows.map((values) => asObject(answer.columns, values)))
    isTruncated ||= answer.truncated || rows.length > limit
    if (rows.length > limit) break
  }
  return exactAnswer(`{"results":[${rows.slice(0, limit).join(',')}],"truncated":${isTruncated}}`, 200)
}

function timeOf(table: string): string {
  return table.startsWith('monitor.') ? 'p_parse_time' : 'p_event_time'
}

/** A row's exact values by name, without nulls. */
function asObject(columns: readonly { readonly name: string }[], values: string): string {
  const members = splitJsonArray(values).elements.flatMap(({ start, end }, i) => {
    const text = values.slice(start, end)
    return text === 'null' ? [] : [`${JSON.stringify(columns[i]!.name)}:${text}`]
  })
  return `{${members.join(',')}}`
}
