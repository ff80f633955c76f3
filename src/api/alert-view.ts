import { z } from 'zod'
import { ALERT_STATUSES, ALERT_TYPES, type AlertBody, type StoredAlert } from '../model/alert.ts'
import { ALERT_QUALITIES } from '../model/alert-work.ts'
import type { JsonValue } from '../model/json.ts'
import { DELIVERY_KINDS } from '../model/outgoing-alert.ts'
import { SEVERITIES } from '../model/rule.ts'
import { topValues } from '../model/summary.ts'
import type { StoredDelivery } from '../state/read.ts'
import { stringifyJson } from '../util/json.ts'
import { enrichmentOf } from './enrichment.ts'
import { ExactJson, exactObject } from './exact-json.ts'

const time = z.string().describe('RFC 3339, UTC.')

/** An alert as lists show it. */
export const alertSchema = z.object({
  alert_id: z.string(),
  rule_id: z.string(),
  rule_name: z.string(),
  rule_version: z
    .string()
    .nullable()
    .describe(
      'Hash of the rule, code included, at the first match; null if it was not recorded or the alert is not from a rule.',
    ),
  retroactive: z.boolean().describe('True if a replay found it in stored events. Its window then uses event time.'),
  type: z.enum(ALERT_TYPES),
  title: z.string(),
  severity: z.enum(SEVERITIES),
  status: z.enum(ALERT_STATUSES),
  reason: z.string().nullable().describe('Why it was resolved or closed.'),
  quality: z.enum(ALERT_QUALITIES).nullable().describe('Whether it was worth raising, if somebody has said so.'),
  owner: z.string().nullable(),
  context_tags: z.array(z.string()).describe('Tags that people gave it; those of its rule are `tags`.'),
  version: z.int().describe('Counts changes of what people record; the ETag of the alert.'),
  muted_by: z.string().nullable().describe('The mute that covers all of its matches: it was not sent.'),
  merged_into: z.string().nullable().describe('The alert that it was merged into; `hidden` if the caller may not see that one.'),
  hold: z
    .object({ reason: z.string(), by: z.string(), since_time: time })
    .nullable()
    .describe('The legal hold that keeps it and its events until it is released.'),
  dedup: z.string(),
  event_count: z.number(),
  created_time: time,
  updated_time: time,
  first_event_time: time,
  last_event_time: time,
  log_types: z.array(z.string()),
  source_labels: z.array(z.string()),
  latency_ms: z.number().nullable().describe('From receipt of the record that opened the alert to the committed alert.'),
})

const deliverySchema = z.object({
  delivery_id: z.string(),
  destination: z.string(),
  kind: z.enum(DELIVERY_KINDS).describe('Why it is sent.'),
  state: z.enum(['pending', 'delivered', 'dead']),
  tries: z.number(),
  next_try_time: time.nullable(),
  error: z.string().nullable().describe('Error of the last failed attempt.'),
})

/** An alert with everything about why it was raised. */
export const alertDetailSchema = alertSchema.extend({
  learned: z
    .object({ table: z.string(), value: z.string(), time })
    .nullable()
    .describe('What a lookup table learned after the first event was judged, and when, if a retro-match found it; else null.'),
  threshold: z.number(),
  window_start_time: time,
  window_end_time: time,
  description: z.string(),
  reference: z.string(),
  runbook: z.string(),
  tags: z.array(z.string()),
  reports: z.record(z.string(), z.array(z.string())),
  function_errors: z.record(z.string(), z.string()).describe("Errors in the rule's functions other than `rule`."),
  indicators: z.record(z.string(), z.array(z.string())),
  indicators_cut: z.boolean(),
  summaries: z
    .array(
      z.object({
        attribute: z.string(),
        values: z.array(z.object({ value: z.string(), count: z.int() })).describe('The five most frequent, with their matches.'),
        estimated: z.boolean().describe('There were too many values to count each; the counts are then lower limits.'),
      }),
    )
    .describe("The values of the rule's `SummaryAttributes`."),
  context: z.record(z.string(), z.unknown()).nullable().describe("The result of the rule's `alert_context`."),
  enrichment: z
    .array(
      z.object({
        table: z.string(),
        selector: z.string(),
        match: z.unknown(),
        version: z.unknown(),
        row: z.record(z.string(), z.unknown()),
      }),
    )
    .describe('The rows of lookup tables joined to the sample event.'),
  sample_event: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('The first event of the alert; null if it is too large to store.'),
  deliveries: z.array(deliverySchema),
  merged_alerts: z.array(alertSchema).describe('The alerts that were merged into it, newest first.'),
})

export function alertView(alert: StoredAlert): z.output<typeof alertSchema> {
  const { alertId, ruleId, ruleVersion, severity, status, eventCount, createdMs, updatedMs, body } = alert
  return {
    alert_id: alertId,
    rule_id: ruleId,
    rule_name: body.displayName,
    rule_version: ruleVersion,
    retroactive: alert.retroactive === true,
    type: body.type,
    title: body.title,
    severity,
    status,
    reason: alert.reason,
    quality: alert.quality,
    owner: alert.owner,
    context_tags: [...alert.contextTags],
    version: alert.version,
    muted_by: alert.mutedBy,
    merged_into: alert.mergedInto,
    hold: alert.hold && { reason: alert.hold.reason, by: alert.hold.by, since_time: iso(alert.hold.sinceMs) },
    dedup: body.dedup,
    event_count: eventCount,
    created_time: iso(createdMs),
    updated_time: iso(updatedMs),
    first_event_time: body.firstEventTime,
    last_event_time: body.lastEventTime,
    log_types: body.logTypes,
    source_labels: body.sourceLabels,
    latency_ms: body.latencyMs,
  }
}

/** JSON text matching `alertDetailSchema`, with exact context and events. */
export function alertDetail(alert: StoredAlert, deliveries: readonly StoredDelivery[], merged: readonly StoredAlert[]): string {
  const { startMs, endMs, body } = alert
  const { threshold, description, reference, runbook, tags, reports, functionErrors, indicators, indicatorsCut } = body
  return exactObject({
    ...alertView(alert),
    learned: body.learned ?? null,
    threshold,
    window_start_time: iso(startMs),
    window_end_time: iso(endMs),
    description,
    reference,
    runbook,
    tags,
    reports,
    function_errors: functionErrors,
    indicators,
    indicators_cut: indicatorsCut,
    summaries: topValues(body.summaries).map(({ isEstimated: estimated, ...summary }) => ({ ...summary, estimated })),
    context: exact(body.context),
    enrichment: new ExactJson(stringifyJson(evidenceOf(body))),
    sample_event: exact(body.sampleEvent),
    deliveries: deliveries.map(deliveryView),
    merged_alerts: merged.map(alertView),
  })
}

function evidenceOf({ sampleEvent }: AlertBody): JsonValue {
  return (sampleEvent === null ? [] : enrichmentOf(sampleEvent)).map((evidence) => ({ ...evidence }))
}

function deliveryView(delivery: StoredDelivery): z.output<typeof deliverySchema> {
  const { deliveryId, destination, kind, state, tries, nextMs, error } = delivery
  const next_try_time = state === 'pending' ? iso(nextMs) : null
  return { delivery_id: deliveryId, destination, kind, state, tries, next_try_time, error }
}

function exact(text: string | null): ExactJson | null {
  return text === null ? null : new ExactJson(text)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
