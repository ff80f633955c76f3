import { z } from 'zod'
import { ALERT_TYPES, type AlertBody } from '../../model/alert.ts'
import { type AlertChange, DELIVERY_KINDS, type DeliveryKind, type OutgoingAlert } from '../../model/outgoing-alert.ts'
import { SEVERITIES, type Severity } from '../../model/rule.ts'
import { topValues } from '../../model/summary.ts'
import { messageOf, Refused } from '../../util/errors.ts'
import { webhookParts } from './webhook-body.ts'

/** The data from which a delivery's body is built. */
export interface AlertForDelivery {
  readonly alertId: string
  readonly ruleId: string
  readonly severity: Severity
  readonly eventCount: number
  readonly createdMs: number
  readonly retroactive?: true
  readonly body: AlertBody
}

/** What a delivery contains: the alert, and why it is sent. */
export interface DeliveryContent {
  readonly kind: DeliveryKind
  readonly alert: OutgoingAlert
}

/** Version of the stored form of a delivery. */
const VERSION = 2

/**
 * The stored form of a delivery, written in the transaction that opens or changes the alert: `{version, kind, alert}` as JSON, where
 * `alert` is an `OutgoingAlert`. Destinations convert it to their own form when they send it.
 */
export function deliveryBody(alert: AlertForDelivery, baseUrl: string, kind: AlertChange | 'changed' = 'opened'): string {
  return JSON.stringify({ version: VERSION, kind, alert: outgoingAlert(alert, baseUrl) })
}

/** The alert as destinations see it. `link` opens it on this machine. */
function outgoingAlert(
  { alertId, ruleId, severity, eventCount, createdMs, retroactive, body }: AlertForDelivery,
  baseUrl: string,
): OutgoingAlert {
  const summaries = topValues(body.summaries)
  return {
    alertId,
    ruleId,
    type: body.type,
    severity,
    title: body.title,
    name: body.displayName,
    description: body.description,
    reference: body.reference,
    runbook: body.runbook,
    tags: body.tags,
    reports: body.reports,
    dedup: body.dedup,
    context: body.context ?? '{}',
    createdTime: new Date(createdMs).toISOString(),
    firstEventTime: body.firstEventTime,
    lastEventTime: body.lastEventTime,
    eventCount,
    logTypes: body.logTypes,
    indicators: body.indicators,
    sourceLabels: body.sourceLabels,
    ...(summaries.length > 0 && { summaries }),
    ...(retroactive && { retroactive }),
    ...(body.learned && { learned: body.learned }),
    link: `${baseUrl}/api/v1/alerts/${alertId}`,
  }
}

const texts = z.array(z.string())
const kept = z.object({
  version: z.literal(VERSION),
  kind: z.enum(DELIVERY_KINDS),
  alert: z.object({
    alertId: z.string(),
    ruleId: z.string(),
    type: z.enum(ALERT_TYPES),
    severity: z.enum(SEVERITIES),
    title: z.string(),
    name: z.string(),
    description: z.string(),
    reference: z.string(),
    runbook: z.string(),
    tags: texts,
    reports: z.record(z.string(), texts),
    dedup: z.string(),
    context: z.string(),
    createdTime: z.string(),
    firstEventTime: z.string(),
    lastEventTime: z.string(),
    eventCount: z.number(),
    logTypes: texts,
    indicators: z.record(z.string(), texts),
    sourceLabels: texts,
    summaries: z
      .array(
        z.object({
          attribute: z.string(),
          values: z.array(z.object({ value: z.string(), count: z.number() })),
          isEstimated: z.boolean(),
        }),
      )
      .optional(),
    retroactive: z.literal(true).optional(),
    learned: z.object({ table: z.string(), value: z.string(), time: z.string() }).optional(),
    link: z.string(),
  }),
})

/** Version 1: the body of a webhook, as it was sent. */
const webhookBodySchema = z.object({
  version: z.literal('1'),
  id: z.string(),
  createdAt: z.string(),
  severity: z.enum(SEVERITIES),
  type: z.enum(ALERT_TYPES),
  link: z.string(),
  title: z.string(),
  name: z.string(),
  alertId: z.string(),
  description: z.string(),
  runbook: z.string(),
  tags: texts,
  eventCount: z.number(),
  firstEventTime: z.string(),
  lastEventTime: z.string(),
  dedup: z.string(),
})

/** The content of a delivery stored by this or an earlier version. Throws `Refused` if it is neither. */
export function readDeliveryBody(text: string): DeliveryContent {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Refused(`the alert stored for this delivery is not JSON: ${messageOf(error)}`, { cause: error })
  }
  const now = kept.safeParse(value)
  if (now.success) return now.data
  const before = webhookBodySchema.safeParse(value)
  if (before.success) return { kind: 'opened', alert: fromWebhookBody(before.data, text) }
  throw new Refused('the alert stored for this delivery cannot be read: a newer version of Caracal may have written it')
}

function fromWebhookBody(body: z.output<typeof webhookBodySchema>, text: string): OutgoingAlert {
  const { id, createdAt, version: _, ...same } = body
  const absent = { reference: '', reports: {}, logTypes: [], indicators: {}, sourceLabels: [] }
  const alert = { ...absent, ...same, ruleId: id, createdTime: createdAt, context: '{}' }
  // The context is cut out of the text, because parsing and serialising it would change long numbers.
  const { head, tail } = webhookParts(alert)
  const isAsWritten = text.startsWith(head) && text.endsWith(tail)
  return isAsWritten ? { ...alert, context: text.slice(head.length, -tail.length) } : alert
}
