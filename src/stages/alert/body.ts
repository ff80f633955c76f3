import {
  type AlertBody,
  type AlertWindow,
  CROWD_DEDUP,
  type LearnedLater,
  MAX_INDICATORS,
  MAX_SAMPLE_CHARS,
} from '../../model/alert.ts'
import { INDICATOR_FIELDS } from '../../model/event.ts'
import type { Finding, Match, RuleError } from '../../model/match.ts'
import type { Rule, RuleKind, Severity } from '../../model/rule.ts'
import { isBefore } from '../../util/instant.ts'
import { logTypeOf } from './log-type.ts'
import type { Judged } from './step.ts'

/** The body of an alert, from the first finding of its window. */
export function bodyOf(item: Judged, rule: Rule | undefined): AlertBody {
  const { finding } = item
  return finding.kind === 'match' ? matchBody(finding, rule, item) : errorBody(finding, rule, item)
}

/** The body of the window that collects a rule's matches beyond `limit` windows. */
export function crowdBody(item: Judged, rule: Rule | undefined, limit: number): AlertBody {
  const body = bodyOf(item, rule)
  const because = `The rule already has ${limit} windows, so further dedup strings share this alert. The event shown is one of many.`
  return {
    ...body,
    title: `More than ${limit} dedup strings at once: ${body.displayName}`,
    dedup: CROWD_DEDUP,
    description: body.description === '' ? because : `${because}\n\n${body.description}`,
  }
}

/** The body of an alert that was raised because a table learned of a value after the event: it says when each happened. */
export function learnedBody(body: AlertBody, learned: LearnedLater | undefined): AlertBody {
  if (!learned) return body
  const { table, value, time } = learned
  const because = `This happened on ${body.firstEventTime} and was found in stored events: the table ${table} learned of ${value} on ${time}.`
  return {
    ...body,
    title: `${body.title} (past event, ${body.firstEventTime.slice(0, 10)})`,
    description: body.description === '' ? because : `${because}\n\n${body.description}`,
    learned,
  }
}

export function severityOf(finding: Finding, rule: Rule | undefined): Severity {
  if (finding.kind === 'match') return finding.severity
  return rule?.severity === 'CRITICAL' || rule?.severity === 'HIGH' ? 'HIGH' : 'MEDIUM'
}

function matchBody(match: Match, rule: Rule | undefined, item: Judged): AlertBody {
  const { title, dedup, description, reference, runbook, functionErrors } = match
  return {
    ...common(rule, match.ruleId, item),
    type: typeOf(rule),
    title,
    dedup,
    description,
    reference,
    runbook,
    destinations: match.destinations ?? null,
    context: match.alertContext ?? null,
    functionErrors,
    threshold: rule?.threshold ?? 1,
  }
}

function errorBody(error: RuleError, rule: Rule | undefined, item: Judged): AlertBody {
  return {
    ...common(rule, error.ruleId, item),
    type: `${typeOf(rule)}_ERROR`,
    title: `Rule error in ${error.ruleId}: ${error.message.split('\n', 1)[0]!.slice(0, 300)}`,
    dedup: `${error.ruleId}:error`,
    description: 'The rule failed, so it may have missed events. Other rules are not affected.',
    reference: '',
    runbook: `Fix the rule${rule ? ` (${rule.source.file})` : ''} and run \`caracal test\`.`,
    destinations: null,
    context: JSON.stringify({ cause: error.cause, error: error.message }),
    functionErrors: {},
    threshold: 1,
  }
}

const TYPES = { rule: 'RULE', scheduled_rule: 'SCHEDULED_RULE', policy: 'POLICY' } as const

/** The type of an alert about matches of the rule. */
function typeOf(rule: Rule | undefined): 'CORRELATION_RULE' | (typeof TYPES)[RuleKind] {
  return rule?.source.language === 'correlation' ? 'CORRELATION_RULE' : TYPES[rule?.kind ?? 'rule']
}

function common(rule: Rule | undefined, ruleId: string, { event, text }: Judged) {
  const sample = event ? text() : ''
  return {
    displayName: rule?.displayName ?? ruleId,
    tags: rule?.tags ?? [],
    reports: rule?.reports ?? {},
    firstEventTime: event?.p_event_time ?? '',
    lastEventTime: event?.p_event_time ?? '',
    logTypes: [],
    indicators: {},
    indicatorsCut: false,
    sampleEvent: event && sample.length <= MAX_SAMPLE_CHARS ? sample : null,
    latencyMs: null,
    sourceLabels: [],
  }
}

/** Adds a finding to the window: event times, log types, sources and indicators. */
export function join(window: AlertWindow, item: Judged, nowMs: number): void {
  const { event, span } = item
  window.eventCount++
  window.updatedMs = nowMs
  const { body } = window
  const first = span?.first ?? event?.p_event_time
  const last = span?.last ?? event?.p_event_time
  if (first !== undefined && (body.firstEventTime === '' || isBefore(first, body.firstEventTime))) body.firstEventTime = first
  if (last !== undefined && isBefore(body.lastEventTime, last)) body.lastEventTime = last
  if (!event) return
  const logType = logTypeOf(item)
  if (logType !== undefined && !body.logTypes.includes(logType)) body.logTypes.push(logType)
  if (!body.sourceLabels.includes(event.p_source_label) && body.sourceLabels.length < MAX_INDICATORS)
    body.sourceLabels.push(event.p_source_label)
  for (const field of INDICATOR_FIELDS) {
    const values = event[field]
    if (Array.isArray(values)) addIndicators(body, field, values as readonly string[])
  }
}

/** Longer values are not useful for lookups, and 500 of a megabyte each would be stored with the alert. */
const MAX_INDICATOR_CHARS = 2048

function addIndicators(body: AlertBody, field: string, values: readonly string[]): void {
  body.indicators[field] ??= []
  const have = body.indicators[field]
  for (const value of values) {
    if (have.includes(value)) continue
    if (have.length < MAX_INDICATORS && value.length <= MAX_INDICATOR_CHARS) have.push(value)
    else body.indicatorsCut = true
  }
}
