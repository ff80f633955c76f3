const count = (events, test) => events.filter(test).length

/** Delivery files of CloudTrail (`{"Records": […]}`) while Stratus Red Team attacked an account, and of single attacks. */
export const cloudtrail = {
  name: 'cloudtrail',
  sets: [
    {
      name: 'CloudTrail of an account under attack',
      files: ['cloudtrail/invictus-2023-07-10/*.json'],
      rows: 2900,
      facts: (events) => [
        ['events of AWS.CloudTrail', count(events, (one) => one.p_log_type === 'AWS.CloudTrail'), 2900],
        ['calls of the attack', count(events, (one) => one.userAgent?.includes('stratus-red-team') ?? false), 1146],
        ['AccessDenied', count(events, (one) => one.errorCode === 'AccessDenied'), 16],
        ['Client.UnauthorizedOperation', count(events, (one) => one.errorCode === 'Client.UnauthorizedOperation'), 44],
        ['times that were corrected', count(events, (one) => one.p_event_time_corrected), 0],
        ['times that differ from the record', count(events, (one) => one.p_event_time !== one.eventTime), 0],
        [
          'addresses that are indicators',
          count(events, (one) => one.p_any_ip_addresses?.includes(one.sourceIPAddress)),
          count(events, (one) => /^[\d.]+$/.test(one.sourceIPAddress)),
        ],
      ],
    },
    {
      name: 'CloudTrail of one attack a file',
      files: ['cloudtrail/stratus-red-team/*.json'],
      rows: 142,
      facts: (events) => [['events of AWS.CloudTrail', count(events, (one) => one.p_log_type === 'AWS.CloudTrail'), 142]],
    },
  ],
}
