import type { JsonObject } from '../../../model/json.ts'
import type { Match } from '../../../model/match.ts'
import type { Rule } from '../../../model/rule.ts'
import { stringifyJson } from '../../../util/json.ts'
import type { CorrelationMatch } from './match.ts'
import type { CorrelationRule } from './rule.ts'

/** Panther's limit for titles and dedup strings. */
const MAX_TITLE = 985
/** Matches of one rule and joined values come together for this long. */
const DEDUP_MINUTES = 60

/** The rule's metadata in the form that alerts and their deliveries are made of. */
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

/** The match as the alert stage takes it. It is about several events, so it is about none of the batch: `event` is -1. */
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

/** What the alert shows: the values, and which signals made the match. */
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
      judged_by_schedule: `A run of the schedule judged by what had come until then; what spoils the match could still come until ${new Date(openUntilMs).toISOString()}.`,
    }),
    ...(isCut && { incomplete: 'Signals were left out because there were too many: the match may be wrong.' }),
  }
}

function cut(text: string): string {
  return text.length <= MAX_TITLE ? text : `${text.slice(0, MAX_TITLE).toWellFormed()}…`
}
