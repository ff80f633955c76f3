import { crowdsecFacts } from './expectations/crowdsec.mjs'
import { fail2banFacts, fail2banInput } from './expectations/fail2ban.mjs'

const count = (list, test) => list.filter(test).length

function bySource(events) {
  const counts = {}
  for (const { source_ip } of events) counts[source_ip] = (counts[source_ip] ?? 0) + 1
  return counts
}

/** Log lines with Wazuh's expectations: `log 1 pass = …`. */
const wazuhLines = (text) =>
  text
    .split('\n')
    .filter((line) => /^log \d+ pass = /.test(line))
    .map((line) => `${line.slice(line.indexOf('= ') + 2)}\n`)
    .join('')

/** rsyslog separates forwarded messages by their length, which is not in the capture: a message begins at its priority. */
const forwardedLines = (text) => `${text.replace(/(?<=[^\n])(?=<\d{1,3}>(?:1 )?(?:2021|Mar))/g, '\n').trimEnd()}\n`

/** What one message is in every dialect; process ids and times differ between the captures. */
const content = ({ hostname, appname, message, action, unit }) => ({ hostname, appname, message, action, unit })

const DIALECTS = ['ForwardFormat', 'SysklogdFileFormat', 'SyslogProtocol23Format', 'TraditionalForwardFormat']
const plaso = 'auth/plaso-syslog'

const plasoFiles = [
  ['traditional lines', 'syslog', 18, 2],
  ['Chrome OS', 'syslog_chromeos', 9, 1],
  ['cron', 'syslog_cron.log', 9, 0],
  ['macOS', 'syslog_osx', 2, 0],
  ['rsyslog, FileFormat', 'syslog_rsyslog', 5, 0],
  ['rsyslog, TraditionalFileFormat', 'syslog_rsyslog_traditional', 11, 3],
]

/** The lines of vsftpd are in two formats. */
const fail2ban = [
  ['sshd', 155, undefined],
  ['pam-generic', 9, 'Syslog.RFC3164'],
  ['vsftpd', 8, undefined],
]

const crowdsec = [
  ['sshd-logs', 24],
  ['sshd-logs-fp', undefined],
  ['opnsense-sshd', undefined],
  ['pam-logs', undefined],
]

/** Lines that belong to the one before them. */
const continuations = (number) => (number === 0 ? {} : { no_match: number })

export const auth = {
  name: 'auth',
  sets: [
    {
      name: 'OpenSSH of Loghub',
      files: ['auth/loghub/OpenSSH_2k.log'],
      logType: 'Syslog.RFC3164',
      rows: 2000,
      facts(events) {
        const failed = events.filter(
          ({ action, method, message }) => action === 'login_failed' && method === 'password' && message,
        )
        const sources = bySource(failed)
        return [
          // 519 lines and the last one, which has no line break.
          ['Failed password', failed.length, 520],
          [
            '… from 183.62.140.253, 187.141.143.180, 103.99.0.122',
            ['183.62.140.253', '187.141.143.180', '103.99.0.122'].map((ip) => sources[ip]),
            [286, 80, 46],
          ],
          [
            'Invalid user',
            count(events, ({ action, message }) => action === 'invalid_user' && message.startsWith('Invalid')),
            113,
          ],
          ['POSSIBLE BREAK-IN ATTEMPT', count(events, ({ action }) => action === 'reverse_mapping_failed'), 85],
          [
            'Accepted password',
            events.filter(({ action }) => action === 'login_succeeded').map(({ user, source_ip }) => [user, source_ip]),
            [['fztu', '119.137.62.142']],
          ],
        ]
      },
    },
    {
      name: '/var/log/messages of Loghub',
      files: ['auth/loghub/Linux_2k.log'],
      logType: 'Syslog.RFC3164',
      rows: 2000,
      facts: (events) => [['authentication failure', count(events, ({ action }) => action === 'authentication_failed'), 490]],
    },
    ...plasoFiles.map(([name, file, rows, deadLettered]) => ({
      name: `plaso, ${name}`,
      files: [`${plaso}/${file}`],
      logType: 'Syslog.RFC3164',
      asOf: '2012-12-31T23:00:00Z',
      rows,
      deadLettered: continuations(deadLettered),
    })),
    {
      name: 'plaso, the same messages in four dialects',
      files: DIALECTS.map((dialect) => `${plaso}/syslog_rsyslog_${dialect}`),
      asOf: '2021-03-06T05:00:00Z',
      input: forwardedLines,
      rows: 40,
      deadLettered: { not_a_log: 4 },
      facts(events) {
        const dialects = [0, 1, 2, 3].map((i) => events.slice(9 * i, 9 * i + 9).map(content))
        const hours = new Set(events.map(({ p_event_time }) => p_event_time.slice(0, 16)))
        return [
          ['events of each', dialects.map(({ length }) => length), [9, 9, 9, 9]],
          [
            'events that differ from those of the first',
            dialects.slice(1).flatMap((list) => list.filter((one, i) => JSON.stringify(one) !== JSON.stringify(dialects[0][i]))),
            [],
          ],
          ['the minute they happened in', [...hours], ['2021-03-06T04:07']],
        ]
      },
    },
    {
      name: 'plaso, sshd',
      files: [`${plaso}/syslog_ssh.log`],
      logType: 'Syslog.RFC3164',
      rows: 9,
      facts: (events) => [['understood; the other is "Server listening"', count(events, ({ action }) => action), 8]],
    },
    ...['sshd', 'sudo', 'su', 'pam'].map((program) => ({
      name: `Wazuh, ${program}`,
      files: [`auth/wazuh-ini/${program}.ini`],
      logType: 'Syslog.RFC3164',
      input: wazuhLines,
      rows: { sshd: 26, sudo: 8, su: 3, pam: 5 }[program],
      facts: (events) => [
        [
          'messages with an address that the event does not have',
          events
            .filter(({ message, source_ip }) => /\d+\.\d+\.\d+\.\d+/.test(message) && !source_ip)
            .map(({ message }) => message),
          [],
        ],
        ['understood', count(events, ({ action }) => action), { sshd: 9, sudo: 8, su: 3, pam: 5 }[program]],
      ],
    })),
    ...fail2ban.map(([name, rows, logType]) => ({
      name: `fail2ban, ${name}`,
      files: [`fail2ban/${name}`],
      logType,
      asOf: '2005-08-14T12:00:00Z',
      input: fail2banInput,
      rows,
      facts: fail2banFacts,
    })),
    {
      name: 'plaso, vsftpd',
      files: ['auth/plaso-syslog/vsftpd.log'],
      logType: 'Vsftpd.Log',
      rows: 25,
      facts: (events) => [
        [
          'logins of jean',
          count(events, ({ action, result, user }) => action === 'login' && result === 'ok' && user === 'jean'),
          3,
        ],
        ['clients', new Set(events.map(({ source_ip }) => source_ip)).size, 3],
      ],
    },
    ...crowdsec.map(([name, rows]) => ({
      name: `CrowdSec, ${name}`,
      files: [`crowdsec/${name}/*.log`],
      asOf: '2024-12-31T00:00:00Z',
      rows,
      facts: crowdsecFacts,
    })),
  ],
}
