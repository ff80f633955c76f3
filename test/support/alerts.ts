import type { OutgoingAlert } from '../../src/model/outgoing-alert.ts'

/** An alert as destinations get it. */
export function outgoingAlert(part: Partial<OutgoingAlert> = {}): OutgoingAlert {
  return {
    alertId: 'a1b2c3d4e5f60718293a4b5c6d7e8f90',
    ruleId: 'Zeek.Ssh.Tor',
    type: 'RULE',
    severity: 'HIGH',
    title: 'SSH from a Tor exit node',
    name: 'SSH from Tor',
    description: 'Somebody came by Tor.',
    reference: 'https://example.com/tor',
    runbook: 'Look at the host.',
    tags: ['Zeek'],
    reports: { 'MITRE ATT&CK': ['TA0001:T1133'] },
    dedup: '45.139.122.241',
    context: '{"id":9007199254740993}',
    createdTime: '2024-03-12T08:00:00.000Z',
    firstEventTime: '2024-03-12T07:59:59Z',
    lastEventTime: '2024-03-12T07:59:59Z',
    eventCount: 1,
    logTypes: ['Zeek.Conn'],
    indicators: { p_any_ip_addresses: ['45.139.122.241'] },
    sourceLabels: ['zeek'],
    link: 'http://127.0.0.1:4848/api/v1/alerts/a1b2c3d4e5f60718293a4b5c6d7e8f90',
    ...part,
  }
}
