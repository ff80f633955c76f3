import { isObject, type JsonObject, type JsonValue } from '../model/json.ts'
import { parseJson } from '../util/json.ts'

/** A table's row that was joined to an event. */
export interface EnrichmentEvidence {
  readonly table: string
  /** The event's field whose value matched. */
  readonly selector: string
  /** The value that matched. */
  readonly match: JsonValue
  /** The table's version at that time. */
  readonly version: JsonValue
  readonly row: JsonObject
}

/** The maximum depth of an event plus the few levels that enrichment adds. */
const MAX_DEPTH = 510

/** The rows that tables added to an event (exact JSON text), in the event's order. */
export function enrichmentOf(event: string): EnrichmentEvidence[] {
  const parsed = parseJson(event, { maxDepth: MAX_DEPTH })
  if (parsed.kind !== 'ok' || !isObject(parsed.value) || !Object.hasOwn(parsed.value, 'p_enrichment')) return []
  const tables = parsed.value['p_enrichment']
  if (!isObject(tables)) return []
  return Object.entries(tables).flatMap(([table, bySelector]) => {
    // Next to the tables are the indicators of their rows.
    if (table.startsWith('p_any_') || !isObject(bySelector)) return []
    return Object.entries(bySelector).flatMap(([selector, value]) => {
      const rows = Array.isArray(value) ? value : [value]
      return rows
        .filter(isObject)
        .map(({ p_match = null, p_version = null, ...row }) => ({ table, selector, match: p_match, version: p_version, row }))
    })
  })
}
