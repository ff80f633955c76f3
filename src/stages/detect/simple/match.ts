import type { JsonObject } from '../../../model/json.ts'
import type { Match } from '../../../model/match.ts'
import type { Rule } from '../../../model/rule.ts'
import type { SimpleFunctions } from './functions.ts'

// The limits that Python rules have.
const MAX_TEXT = 1000
const MAX_CONTEXT = 200 * 1024
const CUT = '... (truncated)'

/** The match of a rule on an event, with the same limits and fallbacks as for Python rules. */
export function toMatch(rule: Rule, functions: SimpleFunctions, object: JsonObject, event: number): Match {
  const title = functions.title && cut(functions.title(object))
  // If all group-by fields are missing and there is no title, all matches of the rule are one group.
  const dedup = functions.dedup ? cut(functions.dedup(object)) : title
  return {
    kind: 'match',
    ruleId: rule.id,
    event,
    title: title || (rule.displayName ?? rule.id),
    dedup: dedup || `defaultDedupString:${rule.id}`,
    severity: functions.severity?.(object) ?? rule.severity,
    description: rule.description,
    reference: rule.reference,
    runbook: rule.runbook,
    destinations: undefined,
    alertContext: functions.context && limitContext(functions.context(object)),
    functionErrors: {},
  }
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - CUT.length).toWellFormed()}${CUT}`
}

function limitContext(text: string): string {
  if (text.length * 6 <= MAX_CONTEXT) return text
  let size = text.length
  // The limit counts every non-ASCII character as a six-character escape.
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) size += 5
  if (size <= MAX_CONTEXT) return text
  return JSON.stringify({
    _error: `alert_context size is [${size}] characters, bigger than maximum of [${MAX_CONTEXT}] characters`,
  })
}
