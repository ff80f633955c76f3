import { z } from 'zod'
import { type Command, CommandIntake, commandKeys } from './exec.ts'
import { hasJournal } from './journald/journald.ts'
import { defineSource, sourceBase } from './source.ts'

const config = z.object({
  ...sourceBase,
  log_types: z
    .array(z.string())
    .max(0, 'each command has its own log type')
    .default([])
    .describe('Stays empty: each command has its own log type.'),
  ...commandKeys,
  journal: z
    .boolean()
    .default(true)
    .describe(
      'Also read sudo, sshd, logins, changes of accounts, cron and units from the systemd journal, if this machine has one: by the source `<id>-journal`, of type `journald`.',
    ),
})

/** Programs whose entries are read from the journal: who becomes whom, who comes in, and what is started. */
const IDENTIFIERS = [
  ...['sudo', 'su', 'pkexec', 'polkitd', 'sshd', 'sshd-session', 'login', 'systemd-logind'],
  ...['useradd', 'userdel', 'usermod', 'groupadd', 'groupdel', 'groupmod', 'gpasswd', 'passwd', 'chpasswd', 'chage'],
  ...['systemd', 'cron', 'CRON', 'crond', 'crontab', 'atd'],
]
const MAX_ID_CHARS = 64
const SUFFIX = '-journal'

const NO_JOURNAL =
  'sudo, sshd, accounts and units are not read: there is no systemd journal here. Point a source of type file at /var/log/auth.log instead, or set `journal: false`'

/** `Custom.Netstat` and the log types of the pack for Linux commands. */
const COMMANDS: readonly Command[] = [
  command('Custom.Netstat', ['ss', '-tulnp'], ['netstat', '-tunlp']),
  command('Linux.KernelModules', ['lsmod'], ['/sbin/lsmod']),
  command('Linux.Logins', ['last', '--time-format', 'iso', '-n', '1000']),
  command('Linux.Sessions', ['who']),
]

function command(logType: string, ...argv: readonly string[][]): Command {
  return {
    name: argv[0]!.join(' '),
    isOptional: true,
    argv,
    decoding: `command-lines?${new URLSearchParams({ log_type: logType })}`,
  }
}

/** The machine that Caracal runs on, without a shipper: listening ports, kernel modules, logins and sessions as they change, and its journal. */
export const host = defineSource({
  type: 'host',
  summary: 'Watches listening ports, kernel modules, logins and sessions of this machine.',
  config,
  example: { id: 'host' },
  pushes({ journal, ...settings }, deps) {
    const more = () => (journal && !hasJournal() ? [NO_JOURNAL] : [])
    return new CommandIntake(COMMANDS, { ...settings, only_changes: true }, deps, more)
  },
  brings: ({ id, label, journal }) =>
    journal && hasJournal()
      ? [
          {
            type: 'journald',
            id: `${id.slice(0, MAX_ID_CHARS - SUFFIX.length)}${SUFFIX}`,
            identifiers: IDENTIFIERS,
            ...(label !== undefined && { label }),
          },
        ]
      : [],
})
