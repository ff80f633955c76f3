const count = (events, test) => events.filter(test).length

/** Suricata's EVE records: alerts as lists, and a day's records of every kind. */
export const suricata = {
  name: 'suricata',
  sets: [
    {
      name: 'Suricata alerts of a competition',
      files: ['suricata/wrccdc-2018/alerts-only.json'],
      rows: 207,
      facts: (events) => [
        ['alerts', count(events, (one) => one.p_log_type === 'Suricata.Alert'), 207],
        [
          'sources of Tor alerts',
          [...new Set(events.filter((one) => /Known Tor Exit Node/.test(one.alert.signature)).map((one) => one.src_ip))].sort(),
          ['204.11.50.131', '5.9.158.75'],
        ],
      ],
    },
    {
      name: 'Suricata alerts of a honeypot',
      files: ['suricata/honeypot-2018/alerts-only.json'],
      rows: 44,
      facts: (events) => [['alerts', count(events, (one) => one.p_log_type === 'Suricata.Alert'), 44]],
    },
    {
      name: 'Suricata EVE',
      files: ['suricata/slips-test6/eve.json.gz'],
      rows: 5000,
      facts: (events) =>
        [
          ['Suricata.Flow', 3512],
          ['Suricata.Alert', 745],
          ['Suricata.DNS', 680],
          ['Suricata.HTTP', 56],
          ['Suricata.FileInfo', 3],
          ['Suricata.Anomaly', 3],
          ['Suricata.TLS', 1],
        ].map(([type, known]) => [type, count(events, (one) => one.p_log_type === type), known]),
    },
  ],
}
