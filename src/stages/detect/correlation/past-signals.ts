import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { hash16 } from '../../../util/hash.ts'
import { parseJson } from '../../../util/json.ts'
import { fieldsOf } from './match.ts'
import type { CorrelationRule, Signal } from './rule.ts'

/** Deeper than any record is allowed to be. */
const MAX_DEPTH = 1000

/**
 * Rows of the table of signals (JSON array texts of rule, row id, time, alert context, event) as signals; rows that cannot be
 * read are skipped. `rules` are all correlation rules, whose matches are signals too.
 */
export function readPastSignals(rows: readonly string[], rules: ReadonlyMap<string, CorrelationRule>): Signal[] {
  return rows.flatMap((row) => {
    const cells = read(row)
    if (!Array.isArray(cells)) return []
    const [ruleId, rowId, time, context, event] = cells as unknown as readonly (string | null)[]
    const p_alert_context = objectOf(context)
    const inner = event === null ? rules.get(ruleId!) : undefined
    const fields = inner ? fieldsOf(inner, joinedOf(inner, p_alert_context)) : { ...objectOf(event), p_alert_context }
    return { ruleId: ruleId!, rowId: rowId ?? hash16(row), timeMs: Date.parse(time!), fields }
  })
}

/** The values that a match of a correlation rule was joined on, from its alert context; `undefined` for a new name. */
function joinedOf({ joins }: CorrelationRule, { joined }: JsonObject): (string | undefined)[] {
  const list = (Array.isArray(joined) ? joined : []) as readonly { readonly name?: string; readonly value?: string }[]
  return joins.map((name) => list.find((item) => item?.name === name)?.value)
}

function objectOf(text: string | null | undefined): JsonObject {
  const value = text ? read(text) : undefined
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

function read(text: string): JsonValue | undefined {
  const parsed = parseJson(text, { maxDepth: MAX_DEPTH })
  return parsed.kind === 'ok' ? parsed.value : undefined
}
