import type { OutgoingAlert } from '../../model/outgoing-alert.ts'
import type { Severity } from '../../model/rule.ts'

/** The alert of a delivery of kind `test`. It is about no event and says so. */
export function testAlert(nowMs: number, severity: Severity, baseUrl: string): OutgoingAlert {
  const time = new Date(nowMs).toISOString()
  return {
    alertId: `test-${nowMs}`,
    ruleId: 'Caracal.Test',
    type: 'SYSTEM',
    severity,
    title: 'Test alert from Caracal: this destination works',
    name: 'Test alert',
    description: 'Someone ran `caracal destinations test`. No action is needed.',
    reference: '',
    runbook: '',
    tags: ['Test'],
    reports: {},
    dedup: 'test',
    context: '{}',
    createdTime: time,
    firstEventTime: time,
    lastEventTime: time,
    eventCount: 0,
    logTypes: [],
    indicators: {},
    sourceLabels: [],
    link: baseUrl,
  }
}
