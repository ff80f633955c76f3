import { z } from 'zod'
import { type Command, CommandIntake, commandKeys } from './exec.ts'
import { defineSource, sourceBase } from './source.ts'

const config = z.object({
  ...sourceBase,
  log_types: z
    .array(z.string())
    .max(0, 'each command has its own log type')
    .default([])
    .describe('Stays empty: each command has its own log type.'),
  ...commandKeys,
})

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

/** The machine that Caracal runs on, without a shipper: listening ports, kernel modules, logins and sessions, as they change. */
export const host = defineSource({
  type: 'host',
  summary: 'Watches listening ports, kernel modules, logins and sessions of this machine.',
  config,
  example: { id: 'host' },
  pushes: (settings, deps) => new CommandIntake(COMMANDS, { ...settings, only_changes: true }, deps),
})
