const count = (events, test) => events.filter(test).length

/** Results of osqueryd: the documentation's examples, and a host's. */
export const osquery = {
  name: 'osquery',
  sets: [
    {
      name: 'osquery, as documented',
      files: ['osquery/docs-examples/*.json'],
      rows: 6,
      facts: (events) => [
        ['differential', count(events, (one) => one.p_log_type === 'Osquery.Differential'), 4],
        ['snapshot', count(events, (one) => one.p_log_type === 'Osquery.Snapshot'), 1],
        ['batch', count(events, (one) => one.p_log_type === 'Osquery.Batch'), 1],
      ],
    },
    {
      name: 'osquery of a host',
      files: ['osquery/msticpy-jumpvm/*.log'],
      rows: 309,
      facts: (events) => [
        ['added', count(events, (one) => one.p_log_type === 'Osquery.Differential' && one.action === 'added'), 137],
        ['removed', count(events, (one) => one.p_log_type === 'Osquery.Differential' && one.action === 'removed'), 129],
        ['snapshots', count(events, (one) => one.p_log_type === 'Osquery.Snapshot'), 43],
        ['times that differ from unixTime', count(events, (one) => Date.parse(one.p_event_time) !== one.unixTime * 1000), 0],
      ],
    },
  ],
}
