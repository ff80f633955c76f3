import type { Event } from '../model/event.ts'
import type { JsonObject, JsonValue } from '../model/json.ts'
import { LOOKUP_SELECTOR } from '../model/lookup.ts'
import type { Finding } from '../model/match.ts'
import { stringifyJson } from '../util/json.ts'

/** The event as the match records it: with the rows that the rule read from tables beside those that were joined. */
export function withReadRows(event: Event, finding: Finding): Event {
  const looked = finding.kind === 'match' ? finding.looked : undefined
  if (!looked) return event
  const { p_enrichment: joined, ...rest } = event
  const enrichment = { ...objectOf(joined as JsonValue) }
  for (const { table, row } of looked) {
    const selectors = objectOf(enrichment[table])
    const rows = (selectors[LOOKUP_SELECTOR] as JsonValue[] | undefined) ?? []
    enrichment[table] = { ...selectors, [LOOKUP_SELECTOR]: [...rows, row] }
  }
  // Last, wherever the event has or would have had it.
  return { ...rest, p_enrichment: enrichment } as Event
}

/** The same as exact JSON text; `undefined` if the rule read no rows. */
export function textWithRows(event: Event, finding: Finding): string | undefined {
  const own = withReadRows(event, finding)
  return own === event ? undefined : stringifyJson(own)
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}
