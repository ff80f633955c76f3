/** Audit events of Kubernetes; the file's name says what was done. */
export const kubernetes = {
  name: 'kubernetes',
  sets: [
    {
      name: 'Kubernetes audit',
      files: ['k8s-audit/falco/*.json'],
      rows: 32,
      // One file is `{"kind": 0}`.
      deadLettered: { unknown_log_type: 1 },
      facts: (events) => [
        ['events of Kubernetes.Audit', events.filter((one) => one.p_log_type === 'Kubernetes.Audit').length, 31],
        ['with the time of the record', events.filter((one) => one.requestReceivedTimestamp === one.p_event_time).length, 31],
      ],
    },
    {
      name: 'Kubernetes audit as a list of events',
      files: ['k8s-audit/falco/*.json'],
      // As the API server sends them to a webhook.
      input: (text) => {
        const event = JSON.parse(text)
        const items = event.kind === 'Event' ? [event, event] : []
        return JSON.stringify({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items })
      },
      rows: 62,
      facts: (events) => [
        ['events of Kubernetes.Audit', events.filter((one) => one.p_log_type === 'Kubernetes.Audit').length, 62],
      ],
    },
  ],
}
