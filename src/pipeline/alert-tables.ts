import type { AlertTable, AlertWindow } from '../model/alert.ts'
import { isObject, type JsonValue } from '../model/json.ts'
import type { Judged } from '../stages/alert/step.ts'
import { withReadRows } from './read-rows.ts'

/** The version of a table's content; rows that events have written are versioned by themselves. */
const CONTENT_VERSION = /^(?:\d{4}-\d{2}-\d{2}-)?[0-9a-f]{12}$/

/** The versions of tables that were joined to the events of alerts, and of those that rules read by themselves. */
export function alertTables(windowOf: ReadonlyMap<Judged, AlertWindow>): AlertTable[] {
  const found = new Map<string, AlertTable>()
  for (const [{ event, finding }, { alertId }] of windowOf) {
    const enrichment = event && withReadRows(event, finding)['p_enrichment']
    if (!isObject(enrichment)) continue
    for (const [name, bySelector] of Object.entries(enrichment)) {
      // Next to the tables are the indicators of their rows.
      if (name.startsWith('p_any_') || !isObject(bySelector)) continue
      const table = name.toWellFormed()
      for (const version of versionsIn(Object.values(bySelector)))
        found.set(`${alertId}\0${version}\0${table}`, { alertId, table, version })
    }
  }
  return [...found.values()]
}

function versionsIn(rows: readonly (JsonValue | undefined)[]): string[] {
  return rows.flat().flatMap((row) => {
    const version = isObject(row) ? row['p_version'] : undefined
    return typeof version === 'string' && CONTENT_VERSION.test(version) ? [version] : []
  })
}
