import type { z } from 'zod'
import { alertTables } from '../api/alert-tables.ts'
import type { alertDetailSchema } from '../api/alert-view.ts'
import type { relatedSchema } from '../api/routes/alert-related.ts'
import type { timelineSchema } from '../api/timeline-view.ts'
import type { JsonObject, JsonValue } from '../model/json.ts'
import { summaryLine } from '../model/summary.ts'
import { parseJson, stringifyJson } from '../util/json.ts'
import { printable } from '../util/terminal.ts'
import type { Io } from './io.ts'
import { selfCall } from './self.ts'
import { bold, count, counted, faint, severityText, span } from './style.ts'
import { timelineLines } from './timeline-text.ts'

type Alert = z.output<typeof alertDetailSchema>
type Related = z.output<typeof relatedSchema>
type Entry = z.output<typeof timelineSchema>

/** The maximum depth of a context or an event within the response. */
const MAX_DEPTH = 520

/** Everything about why an alert was raised, for people. `text` is the raw response, which has exact numbers. */
export function alertText(
  alert: Alert,
  text: string,
  { timeline, related }: { readonly timeline: readonly Entry[]; readonly related: Related },
  io: Io,
): string {
  const exact = exactOf(text)
  const lines = [
    `${severityText(io, alert.severity)}  ${bold(io, alert.title)}`,
    '',
    ...fields(io, [
      ['Alert', `${alert.alert_id} (${alert.status})`],
      ['Reason', alert.reason ?? ''],
      ['Quality', alert.quality ?? ''],
      ['Owner', alert.owner ?? ''],
      ['Context tags', alert.context_tags.join(', ')],
      ['Muted by', alert.muted_by ?? ''],
      ['Merged into', alert.merged_into ?? ''],
      ['On hold', alert.hold ? `since ${alert.hold.since_time}, by ${alert.hold.by}: ${alert.hold.reason}` : ''],
      ['Rule', `${alert.rule_id}${alert.rule_name && alert.rule_name !== alert.rule_id ? ` (${alert.rule_name})` : ''}`],
      ['Rule version', alert.rule_version ?? ''],
      ['Kind', KINDS[alert.type]],
      [
        'Created',
        `${alert.created_time}${alert.latency_ms === null ? '' : `, ${span(alert.latency_ms)} after its line came in`}`,
      ],
      [
        'Events',
        `${count(alert.event_count)} (threshold ${count(alert.threshold)}), ${alert.first_event_time} to ${alert.last_event_time}`,
      ],
      ['Window', `${alert.window_start_time} to ${alert.window_end_time}, grouped by '${alert.dedup}'`],
      ['Found', foundText(alert)],
      ['Log types', alert.log_types.join(', ')],
      ['Sources', alert.source_labels.join(', ')],
      ['Tags', alert.tags.join(', ')],
      ['Description', alert.description],
      ['Runbook', alert.runbook],
      ['Reference', alert.reference],
      ...Object.entries(alert.indicators).map(
        ([name, values]): Field => [name, `${values.join(', ')}${alert.indicators_cut ? ', …' : ''}`],
      ),
      ...Object.entries(alert.reports).map(([name, values]): Field => [name, values.join(', ')]),
    ]),
    ...errorLines(alert, io),
    ...summaryLines(alert, io),
    ...enrichmentLines(exact['enrichment'], io),
    ...block('Context', exact['context'], io),
    ...sampleLines(alert, exact, io),
    ...mergedLines(alert, io),
    ...relatedLines(related, io),
    ...deliveryLines(alert, io),
    ...timelineLines(timeline, io),
    ...(alert.type === 'SYSTEM' ? [] : ['', faint(io, allEvents(alert))]),
  ]
  return `${lines.join('\n')}\n`
}

function foundText({ retroactive, learned }: Alert): string {
  if (learned) return `in stored events, after the table ${learned.table} learned of ${learned.value} on ${learned.time}`
  return retroactive ? 'by a replay of stored records, so its window runs on event time' : ''
}

function exactOf(text: string): JsonObject {
  const parsed = parseJson(text, { maxDepth: MAX_DEPTH })
  return parsed.kind === 'ok' ? (parsed.value as JsonObject) : (JSON.parse(text) as JsonObject)
}

const KINDS: Readonly<Record<Alert['type'], string | undefined>> = {
  RULE: undefined,
  RULE_ERROR: 'the rule itself failed',
  SCHEDULED_RULE: 'rows that a scheduled query returned',
  SCHEDULED_RULE_ERROR: 'the rule of a scheduled query itself failed',
  CORRELATION_RULE: 'matches of other rules, in the combination that the rule describes',
  CORRELATION_RULE_ERROR: 'the correlation rule reached a limit, and may have missed something',
  POLICY: 'a resource that does not comply',
  POLICY_ERROR: 'the policy itself failed',
  SYSTEM: 'a problem of Caracal itself; see `docs/health.md`',
}

/** Where the lake stores an alert's events; for several log types, their common columns. */
function allEvents(alert: Alert): string {
  return `All its events: ${selfCall(`query "SELECT * FROM ${tableOf(alert)} WHERE p_alert_id = '${alert.alert_id}'"`)}`
}

function tableOf({ type, log_types }: Alert): string {
  const [table, ...others] = alertTables(type, log_types)
  return table !== undefined && others.length === 0 ? table : 'matches.all'
}

type Field = readonly [name: string, text: string | undefined]

function fields(io: Io, list: readonly Field[]): string[] {
  const given = list.filter(([, text]) => text)
  const width = Math.max(...given.map(([name]) => name.length))
  return given.map(([name, text]) => `${faint(io, name.padEnd(width))}  ${linesOf(text!).join(`\n${' '.repeat(width + 2)}`)}`)
}

/** Untrusted multi-line text (a runbook), with each line made safe. */
function linesOf(text: string): string[] {
  return text.trimEnd().split(/\r?\n/).map(printable)
}

function errorLines({ function_errors }: Alert, io: Io): string[] {
  const errors = Object.entries(function_errors)
  if (errors.length === 0) return []
  return [
    '',
    bold(io, 'Functions of the rule that failed'),
    ...errors.map(([name, error]) => `  ${printable(name)}: ${printable(error)}`),
  ]
}

function summaryLines({ summaries }: Alert, io: Io): string[] {
  if (summaries.length === 0) return []
  const lines = summaries.map(
    ({ attribute, values, estimated: isEstimated }) =>
      `  ${printable(attribute)}: ${printable(summaryLine({ attribute, values, isEstimated }))}`,
  )
  return ['', bold(io, 'Top values'), ...lines]
}

function enrichmentLines(enrichment: JsonValue | undefined, io: Io): string[] {
  if (!Array.isArray(enrichment) || enrichment.length === 0) return []
  const lines = (enrichment as JsonObject[]).flatMap(({ table, selector, match, version, row }) => [
    `  ${printable(`${plain(selector)} ${plain(match)} is in ${plain(table)}`)}${faint(io, `  version ${plain(version)}`)}`,
    ...Object.entries((row ?? {}) as JsonObject).map(([key, value]) => `    ${printable(key)}: ${printable(plain(value))}`),
  ])
  return ['', bold(io, 'Enrichment of the event'), ...lines]
}

function sampleLines(alert: Alert, { sample_event }: JsonObject, io: Io): string[] {
  // A correlation match or a rule that does not load is not about one event.
  if (alert.log_types.length === 0) return []
  if (alert.sample_event === null) return ['', faint(io, 'The first event is too large to be stored here; it is in the lake.')]
  const { p_enrichment: _shown, ...event } = sample_event as JsonObject
  return block('First event', event, io)
}

function block(title: string, value: JsonValue | undefined, io: Io): string[] {
  if (value === null || value === undefined) return []
  return ['', bold(io, title), ...pretty(value, '  ')]
}

/** Exact JSON on several lines, indented by `indent`. */
function pretty(value: JsonValue, indent: string): string[] {
  if (typeof value !== 'object' || value === null) return [`${indent}${printable(plain(value))}`]
  return Object.entries(value).flatMap(([key, inner]) => {
    if (inner === undefined) return []
    const isNested = typeof inner === 'object' && inner !== null && stringifyJson(inner as JsonValue).length > 100
    if (!isNested) return [`${indent}${printable(key)}: ${printable(plain(inner as JsonValue))}`]
    return [`${indent}${printable(key)}:`, ...pretty(inner as JsonValue, `${indent}  `)]
  })
}

/** Text unchanged, anything else as exact JSON. */
function plain(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : value === undefined ? '' : stringifyJson(value)
}

function mergedLines({ merged_alerts, event_count }: Alert, io: Io): string[] {
  if (merged_alerts.length === 0) return []
  const events = merged_alerts.reduce((sum, one) => sum + one.event_count, event_count)
  const lines = merged_alerts.map(
    (one) =>
      `  ${one.alert_id.slice(0, 8)}  ${one.severity}  ${counted(one.event_count, 'event')}, last ${one.last_event_time}  ${printable(one.title)}`,
  )
  return ['', bold(io, 'Merged into this alert'), ...lines, `  together: ${counted(events, 'event')}`]
}

/** Maximum number of shared values shown for a related alert. */
const MAX_SHARED = 5

function relatedLines({ results, next }: Related, io: Io): string[] {
  if (results.length === 0) return []
  const lines = results.map(({ alert, shared }) => {
    const values = [...new Set(Object.values(shared).flat())]
    const more = values.length > MAX_SHARED ? ', …' : ''
    const { alert_id, created_time, severity, status, title } = alert
    const head = [alert_id.slice(0, 8), created_time.replace(/\.\d+Z$/, 'Z'), severity, status, printable(title)].join('  ')
    return `  ${head}${faint(io, `  shares ${printable(values.slice(0, MAX_SHARED).join(', '))}${more}`)}`
  })
  return ['', bold(io, 'Related alerts'), ...lines, ...(next !== null ? [faint(io, '  and more')] : [])]
}

function deliveryLines({ deliveries, muted_by }: Alert, io: Io): string[] {
  const nowhere = `  nowhere: ${muted_by === null ? 'no destination accepts it' : 'it is muted'}`
  const lines = deliveries.map(({ destination, kind, state, tries, next_try_time, error }) => {
    const next = next_try_time ? `, next attempt ${next_try_time}` : ''
    return `  ${printable(destination)}${kind === 'opened' ? '' : ` (${kind})`}: ${state} after ${counted(tries, 'try').replace('trys', 'tries')}${next}${error ? `: ${printable(error)}` : ''}`
  })
  return ['', bold(io, 'Sent to'), ...(lines.length > 0 ? lines : [nowhere])]
}
