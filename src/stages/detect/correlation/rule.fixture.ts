import { parseCorrelationRule } from './parse.ts'
import type { CorrelationRule, Signal } from './rule.ts'

/** A rule of a test, from its `Detection` item. */
export function ruleOf(detection: object, more: object = {}): CorrelationRule {
  const document = {
    AnalysisType: 'correlation_rule',
    RuleID: 'Correlated',
    Enabled: true,
    Severity: 'High',
    Detection: [detection],
    ...more,
  }
  return parseCorrelationRule(document, { file: 'c.yml' })
}

export const MINUTE = 60_000

/** A signal of a test: `A` at minute 5 for bob. */
export function signal(
  ruleId: string,
  minute: number,
  user: unknown = 'bob',
  rowId = `${ruleId}@${minute}/${String(user)}`,
): Signal {
  return { ruleId, rowId, timeMs: minute * MINUTE, fields: { user } as Signal['fields'] }
}

/** Members joined on `user`. */
export function groupOf(members: readonly object[], more: object = {}): object {
  const ids = members.map((member) => (member as { RuleID: string }).RuleID)
  return { Group: members, MatchCriteria: { user: ids.map((GroupID) => ({ GroupID, Match: 'user' })) }, ...more }
}

/** Steps joined on `user`, each with the next. */
export function sequenceOf(steps: readonly object[], more: object = {}, within: readonly (number | undefined)[] = []): object {
  const ids = steps.map((step) => (step as { ID?: string; RuleID: string }).ID ?? (step as { RuleID: string }).RuleID)
  const transitions = ids.slice(1).map((To, at) => ({
    From: ids[at],
    To,
    ...(within[at] !== undefined && { WithinTimeFrameMinutes: within[at] }),
    Match: [{ On: 'user' }],
  }))
  return { Sequence: steps, Transitions: transitions, ...more }
}
