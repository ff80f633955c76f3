import type { DeliveryKind, OutgoingAlert } from '../../model/outgoing-alert.ts'

/** An alert as webhooks receive it and `stdout` prints it as JSON: Panther's keys, then ours. `kind` is left out for `opened`. */
export function webhookBody(alert: OutgoingAlert, kind: DeliveryKind = 'opened'): string {
  const { head, tail } = webhookParts(alert, kind)
  // The context is exact JSON text, because parsing and serialising it would change long numbers.
  return head + alert.context + tail
}

/** The body's text before and after the context. */
export function webhookParts(
  alert: OutgoingAlert,
  kind: DeliveryKind = 'opened',
): { readonly head: string; readonly tail: string } {
  const head = {
    id: alert.ruleId,
    createdAt: alert.createdTime,
    severity: alert.severity,
    type: alert.type,
    link: alert.link,
    title: alert.title,
    name: alert.name,
    alertId: alert.alertId,
  }
  const tail = {
    description: alert.description,
    runbook: alert.runbook,
    tags: alert.tags,
    version: '1',
    eventCount: alert.eventCount,
    firstEventTime: alert.firstEventTime,
    lastEventTime: alert.lastEventTime,
    dedup: alert.dedup,
    ...(kind !== 'opened' && { kind }),
    ...(alert.summaries && { summaries: alert.summaries }),
    ...(alert.retroactive && { retroactive: true }),
    ...(alert.learned && { learned: alert.learned }),
  }
  return { head: `${JSON.stringify(head).slice(0, -1)},"alertContext":`, tail: `,${JSON.stringify(tail).slice(1)}` }
}
