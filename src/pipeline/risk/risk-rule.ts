import type { IndicatorField } from '../../model/event.ts'
import type { Match } from '../../model/match.ts'
import { decayed, type RiskEntity, type RiskSettings } from '../../model/risk.ts'
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

/** How `caracal timeline --kind` calls an indicator. */
const KINDS: Partial<Record<IndicatorField, string>> = {
  p_any_ip_addresses: 'ip',
  p_any_domain_names: 'domain',
  p_any_emails: 'email',
  p_any_usernames: 'user',
  p_any_md5_hashes: 'hash',
  p_any_sha1_hashes: 'hash',
  p_any_sha256_hashes: 'hash',
  p_any_aws_arns: 'arn',
  p_any_aws_account_ids: 'account',
  p_any_aws_instance_ids: 'instance',
  p_any_aws_tags: 'tag',
  p_any_trace_ids: 'trace',
}

const MAX_TITLE_CHARS = 200

/** The match of an entity that has reached the threshold with the last of its matches. */
export function riskMatch(
  { field, value, score, atMs, shares }: RiskEntity,
  last: Match,
  { threshold, halfLifeMs }: RiskSettings,
  rules: ReadonlyMap<string, Rule>,
): Match {
  const kind = KINDS[field]!
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
