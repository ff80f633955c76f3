const count = (events, test) => events.filter(test).length

/** How often the files' text has what the pattern describes. */
const inText = ({ readText, files }, pattern) =>
  files.reduce((sum, file) => sum + (readText(file).match(pattern)?.length ?? 0), 0)

/** Windows events with one attack a file, and a Log4Shell attack as Log Analytics exports it. */
export const windows = {
  name: 'windows',
  sets: [
    {
      name: 'Windows events of attacks',
      files: ['windows/otrf/*'],
      rows: 5227,
      facts: (events, texts) => [
        ['events of Windows.FlatEventLogs', count(events, (one) => one.p_log_type === 'Windows.FlatEventLogs'), 5227],
        ['clearings of the audit log', count(events, (one) => one.EventID === 1102), inText(texts, /"EventID":1102\b/g)],
      ],
    },
    {
      name: 'Log Analytics of a Log4Shell attack',
      files: ['linux/otrf-log4shell/*.json'],
      rows: 630,
      facts: (events, texts) => [
        ['lines of syslog', count(events, (one) => one.p_log_type === 'AzureMonitor.Syslog'), inText(texts, /"Type":"Syslog"/g)],
        [
          'Windows events',
          count(events, (one) => one.p_log_type === 'AzureMonitor.WindowsEvent'),
          inText(texts, /"Type":"WindowsEvent"/g),
        ],
      ],
    },
  ],
}
