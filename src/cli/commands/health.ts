import type { Command } from 'commander'
import { printable } from '../../util/terminal.ts'
import { Exit } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'

interface Health {
  readonly status: string
  readonly problems: readonly string[]
  readonly notices: readonly string[]
  readonly nodes?: readonly {
    readonly name: string
    readonly roles: readonly string[]
    readonly version: string
    readonly address: string
    readonly silent_seconds: number
  }[]
}

export function registerHealth(program: Command, io: Io): void {
  withServer(program.command('health').summary('what is wrong'))
    .description('Shows whether everything is all right, and what is wrong if it is not.')
    .addHelpText('after', '\nExit code: 0 ok or degraded; 1 failing, or no server is running.')
    .action(async (flags: ServerFlags) => {
      const health = await clientOf(flags, io).json<Health>('/api/v1/health')
      if (flags.json) io.out(`${JSON.stringify(health)}\n`)
      else io.out(`${[health.status, ...lines(health)].join('\n')}\n`)
      if (health.status === 'failing') throw new Exit(1)
    })
}

function lines({ problems, notices, nodes = [] }: Health): string[] {
  const own =
    notices.length > 0 ? ['', 'Not a problem, but worth knowing:', ...notices.map((notice) => `  ${printable(notice)}`)] : []
  const others = nodes.map(
    ({ name, roles, version, address, silent_seconds: seconds }) =>
      `  ${printable(name)}: ${printable(roles.join(', '))}, at ${printable(address)}, version ${printable(version)}, seen ${seconds} s ago`,
  )
  return [
    ...problems.map((problem) => `  ${printable(problem)}`),
    ...own,
    ...(others.length > 0 ? ['', 'Nodes:', ...others] : []),
  ]
}
