import type { Finding, Match, RuleError } from '../../../../model/match.ts'
import type { Rule, Severity } from '../../../../model/rule.ts'
import type { Row } from '../sandbox/protocol.ts'

/** A row of an evaluation as a finding: values that the rule's functions did not return come from its metadata. */
export function toFinding(row: Row, rule: Rule, event: number): Finding {
  if (row.length === 4 && typeof row[2] === 'string') {
    return ruleError(rule.id, event, row[2], (row[3] as string).toWellFormed())
  }
  return toMatch(row as Extract<Row, readonly [number, number, object, object]>, rule, event)
}

export function ruleError(ruleId: string, event: number, cause: RuleError['cause'], message: string): RuleError {
  return { kind: 'error', ruleId, event, cause, message }
}

function toMatch(
  [, , values, errors]: Extract<Row, readonly [number, number, object, object]>,
  rule: Rule,
  event: number,
): Match {
  // If title() fails, the title is the id; without a title(), it is the display name.
  const title = (values.title ?? (errors['title'] ? rule.id : (rule.displayName ?? rule.id))).toWellFormed()
  const fromTitle = values.title ?? (errors['title'] ? rule.id : '')
  const dedup = values.dedup ?? (errors['dedup'] ? '' : fromTitle)
  const severity = values.severity && values.severity !== 'DEFAULT' ? (values.severity as Severity) : rule.severity
  return {
    kind: 'match',
    ruleId: rule.id,
    event,
    title,
    dedup: dedup.toWellFormed() || `defaultDedupString:${rule.id}`,
    severity,
    description: values.description?.toWellFormed() ?? rule.description,
    reference: values.reference?.toWellFormed() ?? rule.reference,
    runbook: values.runbook?.toWellFormed() ?? rule.runbook,
    destinations: values.destinations?.map((name) => name.toWellFormed()),
    alertContext: values.alert_context?.toWellFormed(),
    ...(values.unique !== undefined && { unique: values.unique?.toWellFormed() ?? null }),
    functionErrors: errors,
  }
}
