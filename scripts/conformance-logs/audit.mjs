const count = (list, test) => list.filter(test).length

/** Records of the Linux audit daemon. */
export const audit = {
  name: 'audit',
  sets: [
    {
      name: 'plaso, enriched',
      files: ['auth/plaso-syslog/audit_enriched.log'],
      logType: 'Linux.Auditd',
      rows: 29,
      facts: (events) => [
        [
          'commands of EXECVE',
          events.flatMap(({ command }) => command ?? []),
          ['id', '/bin/sh -c grep -c . /etc/hostname', '/usr/bin/cat /tmp/my report.txt'],
        ],
        [
          'records with names',
          count(events, (event) => event.uid_name || event.ouid_name),
          count(events, ({ type }) => !/^(EXECVE|CWD|PROCTITLE)$/.test(type)),
        ],
      ],
    },
    {
      name: 'plaso, malformed on purpose',
      files: ['auth/plaso-syslog/selinux.log'],
      logType: 'Linux.Auditd',
      rows: 11,
      deadLettered: { no_match: 4 },
      facts: (events) => [
        ['types', events.map(({ type }) => type).slice(0, 5), ['LOGIN', 'SHORTDATE', 'NOMSG', 'UNDER_SCORE', 'UNKNOWN[1323]']],
      ],
    },
    {
      name: 'CrowdSec',
      files: ['crowdsec/auditd-*/*.log'],
      logType: 'Linux.Auditd',
      facts: (events) => [['programs of auditd-logs', events.slice(-4).map(({ exe }) => exe).length, 4]],
    },
    {
      name: 'fail2ban',
      files: ['fail2ban/selinux-ssh'],
      logType: 'Linux.Auditd',
      input: (text) =>
        text
          .split('\n')
          .filter((line) => line.startsWith('type='))
          .join('\n'),
      rows: 11,
      facts: (events, { readText, files }) => [
        ['hosts', events.map(({ addr }) => addr), [...readText(files[0]).matchAll(/"host": "([^"]+)"/g)].map(([, host]) => host)],
      ],
    },
  ],
}
