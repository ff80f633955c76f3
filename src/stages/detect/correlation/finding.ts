import type { JsonObject } from '../../../model/json.ts'
import type { Match } from '../../../model/match.ts'
import type { Rule } from '../../../model/rule.ts'
import { stringifyJson } from '../../../util/json.ts'
import type { CorrelationMatch } from './match.ts'
import type { CorrelationRule } from './rule.ts'

/** Panther's limit for titles and dedup strings. */
const MAX_TITLE = 985
/** Matches of one rule with the same joined values share an alert for this long. */
const DEDUP_MINUTES = 60

/** The rule's metadata in the form needed for alerts and their deliveries. */
export function toRule(rule: CorrelationRule): Rule {
  const { id, displayName, enabled, severity, description, reference, runbook, tags, reports, summaryAttributes, outputIds } =
    rule
  return {
    id,
    displayName,
    enabled,
    severity,
    description,
    reference,
    runbook,
    tags,
    reports,
    summaryAttributes,
    outputIds,
    createAlert: rule.createAlert,
    logTypes: [],
    dedupPeriodMinutes: DEDUP_MINUTES,
    threshold: 1,
    tests: [],
    file: rule.file,
    source: { language: 'correlation', file: rule.file, code: '' },
    version: rule.version,
  }
}

/**
 * The match in the form that the alert stage expects. It is about several events and not about one of the batch, so `event` is
 * -1.
 */
export function toFinding(rule: CorrelationRule, match: CorrelationMatch): Match {
  const joined = match.joined.map(({ value }) => value).join(', ')
  const name = rule.displayName ?? rule.id
  return {
    kind: 'match',
    ruleId: rule.id,
    event: -1,
    title: cut(joined === '' ? name : `${name}: ${joined}`),
    dedup: cut(joined === '' ? `defaultDedupString:${rule.id}` : JSON.stringify(match.joined.map(({ value }) => value))),
    severity: rule.severity,
    description: rule.description,
    reference: rule.reference,
    runbook: rule.runbook,
    destinations: undefined,
    alertContext: stringifyJson(contextOf(match)),
    functionErrors: {},
  }
}

/** The alert's context: the values and the signals that made the match. */
function contextOf({ joined, firstMs, timeMs, counts, signals, openUntilMs, isCut }: CorrelationMatch): JsonObject {
  return {
    joined: joined.map(({ name, value }) => ({ name, value })),
    first_signal_time: new Date(firstMs).toISOString(),
    last_signal_time: new Date(timeMs).toISOString(),
    members: counts.map(({ memberId: id, ruleId: rule_id, count }) => ({ id, rule_id, count })),
    signals: signals.map((signal) => ({
      id: signal.memberId,
      rule_id: signal.ruleId,
      p_row_id: signal.rowId,
      time: new Date(signal.timeMs).toISOString(),
    })),
    ...(openUntilMs !== undefined && {
      judged_by_schedule: `A scheduled run evaluated the signals that had arrived by then; signals that spoil the match could still arrive until ${new Date(openUntilMs).toISOString()}.`,
    }),
    ...(isCut && { incomplete: 'Signals were left out because there were too many: the match may be wrong.' }),
  }
}

function cut(text: string): string {
  return text.length <= MAX_TITLE ? text : `${text.slice(0, MAX_TITLE).toWellFormed()}…`
}
