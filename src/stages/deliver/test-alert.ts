import type { OutgoingAlert } from '../../model/outgoing-alert.ts'
import type { Severity } from '../../model/rule.ts'

/** The alert of a delivery of kind `test`. It is about no event and says so. */
export function testAlert(nowMs: number, severity: Severity, baseUrl: string): OutgoingAlert {
  return {
    ...aboutNothing(nowMs, baseUrl),
    alertId: `test-${nowMs}`,
    ruleId: 'Caracal.Test',
    severity,
    title: 'Test alert from Caracal: this destination works',
    name: 'Test alert',
    description: 'Someone ran `caracal destinations test`. No action is needed.',
    tags: ['Test'],
    dedup: 'test',
  }
}

/** What a destination is sent as a heartbeat, also with the kind `test`. */
export function heartbeatAlert(nowMs: number, everyMs: number, baseUrl: string): OutgoingAlert {
  const minutes = Math.round(everyMs / 60_000)
  return {
    ...aboutNothing(nowMs, baseUrl),
    alertId: `heartbeat-${nowMs}`,
    ruleId: 'Caracal.Heartbeat',
    severity: 'INFO',
    title: 'Caracal is alive',
    name: 'Heartbeat',
    description: `Sent every ${minutes} minutes (\`heartbeat_minutes\`). If the next one is late, alerts may not arrive either. No action is needed.`,
    tags: ['Heartbeat'],
    dedup: 'heartbeat',
  }
}

type Empty = Omit<OutgoingAlert, 'alertId' | 'ruleId' | 'severity' | 'title' | 'name' | 'description' | 'tags' | 'dedup'>

function aboutNothing(nowMs: number, baseUrl: string): Empty {
  const time = new Date(nowMs).toISOString()
  return {
    type: 'SYSTEM',
    reference: '',
    runbook: '',
    reports: {},
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
