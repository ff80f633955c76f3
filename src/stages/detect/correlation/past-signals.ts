import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { hash16 } from '../../../util/hash.ts'
import { parseJson } from '../../../util/json.ts'
import { quoteText } from '../../store/ddl.ts'
import { fieldsOf } from './match.ts'
import type { CorrelationRule, Signal } from './rule.ts'

/** Stored signals that are read at once, the latest. */
export const MAX_PAST = 20_000
/** Deeper than any record may be. */
const MAX_DEPTH = 1000

/** The statement for the stored signals that rules would have had within their look-back; columns as `readPastSignals` reads them. */
export function pastSignalsSql(rules: readonly CorrelationRule[], nowMs: number): string {
  const ids = [...new Set(rules.flatMap(({ members }) => members.map(({ ruleId }) => ruleId)))]
  const fromMs = nowMs - Math.max(...rules.map(({ lookbackMs }) => lookbackMs))
  return [
    'SELECT p_rule_id, p_row_id, p_event_time, p_alert_context, event FROM signals.correlation_signals',
    `WHERE p_rule_id IN (${ids.map(quoteText).join(', ')})`,
    `AND p_event_time >= fromUnixTimestamp64Milli(toInt64(${fromMs})) ORDER BY p_event_time DESC LIMIT ${MAX_PAST}`,
  ].join(' ')
}

/** Rows of `pastSignalsSql` (JSON array texts) as signals. `rules` are all correlation rules: their matches are signals too. */
export function readPastSignals(rows: readonly string[], rules: ReadonlyMap<string, CorrelationRule>): Signal[] {
  return rows.map((row) => {
    const [ruleId, rowId, time, context, event] = read(row) as unknown as readonly (string | null)[]
    const p_alert_context = objectOf(context)
    const fields = objectOf(event)
    const inner = event === null ? rules.get(ruleId!) : undefined
    return {
      ruleId: ruleId!,
      rowId: rowId ?? hash16(row),
      timeMs: Date.parse(time!),
      fields: inner ? fieldsOf(inner, joinedOf(p_alert_context)) : { ...fields, p_alert_context },
    }
  })
}

/** The values that a match of a correlation rule was joined on, from its alert context. */
function joinedOf({ joined }: JsonObject): string[] {
  return (joined as unknown as readonly { readonly value: string }[]).map(({ value }) => value)
}

function objectOf(text: string | null | undefined): JsonObject {
  return text ? (read(text) as JsonObject) : {}
}

function read(text: string): JsonValue {
  const parsed = parseJson(text, { maxDepth: MAX_DEPTH })
  if (parsed.kind !== 'ok') throw new Error(`a stored signal cannot be read: ${text.slice(0, 200)}`)
  return parsed.value
}
