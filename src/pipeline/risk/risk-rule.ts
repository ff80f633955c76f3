import type { Match } from '../../model/match.ts'
import { decayed, ENTITY_KINDS, type RiskEntity, type RiskSettings } from '../../model/risk.ts'
import type { Rule } from '../../model/rule.ts'

/** The built-in rule whose matches are entities that have reached the threshold. */
export const RISK_RULE: Rule = {
  id: 'Caracal.Risk',
  displayName: 'Risk of an entity',
  enabled: true,
  logTypes: [],
  severity: 'HIGH',
  description: 'Matches of several rules, or repeated matches, name the same entity. Each may be harmless by itself.',
  reference: '',
  runbook: '',
  tags: ['Risk'],
  reports: {},
  // Each time that the threshold is reached is an alert.
  dedupPeriodMinutes: 0,
  threshold: 1,
  summaryAttributes: [],
  outputIds: [],
  createAlert: true,
  tests: [],
  file: 'built in',
  source: { language: 'risk', file: 'built in', code: '' },
}

const MAX_TITLE_CHARS = 200

/** The match of an entity that has reached the threshold with the last of its matches. */
export function riskMatch(
  { field, value, score, atMs, shares }: RiskEntity,
  last: Match,
  { threshold, halfLifeMs }: RiskSettings,
  rules: ReadonlyMap<string, Rule>,
): Match {
  const kind = ENTITY_KINDS[field]
  const shown = value.length <= MAX_TITLE_CHARS ? value : `${value.slice(0, MAX_TITLE_CHARS).toWellFormed()}…`
  const now = shares.map((share) => ({ ...share, points: decayed(share.points, atMs - share.lastMs, halfLifeMs) }))
  const context = {
    entity: value,
    kind,
    score: rounded(score),
    threshold,
    half_life_hours: halfLifeMs / 3_600_000,
    rules: now
      .sort((a, b) => b.points - a.points || (a.ruleId < b.ruleId ? -1 : 1))
      .map(({ ruleId, points, times, lastMs }) => ({
        rule_id: ruleId,
        ...(rules.get(ruleId)?.displayName !== undefined && { name: rules.get(ruleId)!.displayName }),
        points: rounded(points),
        times,
        last_time: new Date(lastMs).toISOString(),
      })),
  }
  const count = shares.length === 1 ? '1 rule' : `${shares.length} rules`
  return {
    kind: 'match',
    ruleId: RISK_RULE.id,
    event: last.event,
    title: `Risk of ${shown} has reached ${rounded(score)} (${count})`,
    dedup: `${kind}:${value}`,
    severity: RISK_RULE.severity,
    description: RISK_RULE.description,
    reference: '',
    runbook: `The context has the rules and what each contributed. \`caracal timeline\` shows everything about it: kind ${kind}, indicator ${shown}.`,
    destinations: undefined,
    alertContext: JSON.stringify(context),
    functionErrors: {},
  }
}

function rounded(points: number): number {
  return Math.round(points * 10) / 10
}
