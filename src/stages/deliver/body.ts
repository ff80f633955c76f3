import type { AlertBody } from '../../model/alert.ts'

/** What a delivery's body is made from. */
export interface AlertForDelivery {
  readonly alertId: string
  readonly ruleId: string
  readonly severity: string
  readonly eventCount: number
  readonly createdMs: number
  readonly body: AlertBody
}

/** The webhook body: Panther's keys, then ours. `link` opens the alert on this machine. */
export function deliveryBody(alert: AlertForDelivery, baseUrl: string): string {
  const { body } = alert
  const head = {
    id: alert.ruleId,
    createdAt: new Date(alert.createdMs).toISOString(),
    severity: alert.severity,
    type: body.type,
    link: `${baseUrl}/api/v1/alerts/${alert.alertId}`,
    title: body.title,
    name: body.displayName,
    alertId: alert.alertId,
  }
  const tail = {
    description: body.description,
    runbook: body.runbook,
    tags: body.tags,
    version: '1',
    eventCount: alert.eventCount,
    firstEventTime: body.firstEventTime,
    lastEventTime: body.lastEventTime,
    dedup: body.dedup,
  }
  // The context is exact JSON text: reading and writing it again would change big integers.
  return `${JSON.stringify(head).slice(0, -1)},"alertContext":${body.context ?? '{}'},${JSON.stringify(tail).slice(1)}`
}
