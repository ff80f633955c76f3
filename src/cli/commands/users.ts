import { type Command, Option } from 'commander'
import type { z } from 'zod'
import type { linkSchema, userSchema } from '../../api/account-fields.ts'
import type { sessionCountSchema } from '../../api/routes/user-sessions.ts'
import { ROLES } from '../../model/account.ts'
import { columns } from '../columns.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'

type User = z.output<typeof userSchema>
type Listed = User & z.output<typeof sessionCountSchema>
type Link = z.output<typeof linkSchema>

interface CreateFlags extends ServerFlags {
  readonly role: string
  readonly name?: string
  readonly logType?: readonly string[]
}

interface RoleFlags extends ServerFlags {
  readonly logType?: readonly string[]
  readonly allLogTypes?: boolean
}

const HELP = `
Roles: admin may do everything, analyst works on alerts, viewer only reads. docs/accounts.md has the table.

Examples:
  caracal users create ana@example.com --name 'Ana Silva' --role analyst
  caracal users role ana@example.com viewer --log-type 'Nginx.*'
  caracal users reset ana@example.com --second-factor`

/** Email addresses contain characters that paths must not. */
const pathOf = (user: string, rest = '') => `/api/v1/users/${encodeURIComponent(user)}${rest}`

export function registerUsers(program: Command, io: Io): void {
  const users = program
    .command('users')
    .summary('people who may sign in, and what they may do')
    .description('Lists the people who may sign in; its commands create, change and remove them.')
  withServer(users.command('list', { isDefault: true }).description('List users by email address; with --json one per line.'))
    .addHelpText('after', HELP)
    .action(async (flags: ServerFlags) => {
      const { results } = await clientOf(flags, io).json<{ results: Listed[] }>('/api/v1/users')
      if (flags.json) return io.write(results.map((user) => `${JSON.stringify(user)}\n`).join(''))
      if (results.length === 0)
        return io.out('Nobody has an account yet: `caracal users first-link` prints a link for the first one.\n')
      await io.write(`${table(results, io).join('\n')}\n`)
    })
  withServer(
    users.command('create <email>').description('Create a user and print a one-time link, with which they set a password.'),
  )
    .addOption(new Option('--role <role>', 'what they may do').choices(ROLES).makeOptionMandatory())
    .option('--name <name>', 'what colleagues call them (default: the address)')
    .option('--log-type <pattern>', "only show them events of this log type, such as 'Nginx.*'; may be repeated", more)
    .addHelpText('after', HELP)
    .action(async (email: string, { role, name, logType, ...flags }: CreateFlags) => {
      const body = { email, role, ...(name !== undefined && { name }), ...(logType && { log_types: logType }) }
      const user = await clientOf(flags, io).json<User & Link>('/api/v1/users', { method: 'POST', body })
      if (flags.json) return io.out(`${JSON.stringify(user)}\n`)
      printLink(user, `${user.email} is ${article(user.role)}. Pass this link on; it sets the password`, io)
    })
  withServer(users.command('role <email> <role>').description('Change what a user may do and see, at once.'))
    .option('--log-type <pattern>', 'only show them events of this log type; may be repeated', more)
    .option('--all-log-types', 'show them events of all log types')
    .action(async (email: string, role: string, { logType, allLogTypes, ...flags }: RoleFlags) => {
      const limits = allLogTypes ? { log_types: [] } : logType ? { log_types: logType } : {}
      const user = await clientOf(flags, io).json<User>(pathOf(email), { method: 'PATCH', body: { role, ...limits } })
      const seen = user.log_types.length > 0 ? ` for ${user.log_types.join(', ')}` : ''
      io.out(flags.json ? `${JSON.stringify(user)}\n` : `${user.email} is ${article(user.role)}${seen} now.\n`)
    })
  withServer(
    users.command('reset <email>').description('End the sessions of a user and print a one-time link for a new password.'),
  )
    .option('--second-factor', 'also remove their authenticator app')
    .action(async (email: string, { secondFactor = false, ...flags }: ServerFlags & { secondFactor?: boolean }) => {
      const body = { second_factor: secondFactor }
      const user = await clientOf(flags, io).json<User & Link>(pathOf(email, '/reset'), { method: 'POST', body })
      if (flags.json) return io.out(`${JSON.stringify(user)}\n`)
      printLink(user, `${user.email} is signed out everywhere. Pass this link on; it sets a new password`, io)
    })
  withServer(
    users.command('sign-out <email>').description('End the sessions of a user; their password and their tokens stay.'),
  ).action(async (email: string, flags: ServerFlags) => {
    const { ended } = await clientOf(flags, io).json<{ ended: number }>(pathOf(email, '/sessions'), { method: 'DELETE' })
    if (flags.json) return io.out(`${JSON.stringify({ email, ended })}\n`)
    io.out(`${ended} ${ended === 1 ? 'session' : 'sessions'} of ${email} ended.\n`)
  })
  for (const [command, disabled, what, done] of [
    ['disable', true, 'Sign a user out everywhere and let them do nothing any more.', 'disabled'],
    ['enable', false, 'Let a user who was disabled sign in again.', 'enabled'],
  ] as const)
    withServer(users.command(`${command} <email>`).description(what)).action(async (email: string, flags: ServerFlags) => {
      const user = await clientOf(flags, io).json<User>(pathOf(email), { method: 'PATCH', body: { disabled } })
      io.out(flags.json ? `${JSON.stringify(user)}\n` : `${user.email} is ${done}.\n`)
    })
  withServer(users.command('delete <email>').description('Remove a user; what they did keeps their name.')).action(
    async (email: string, flags: ServerFlags) => {
      const user = await clientOf(flags, io).json<User>(pathOf(email), { method: 'DELETE' })
      io.out(flags.json ? `${JSON.stringify(user)}\n` : `${user.email} is removed.\n`)
    },
  )
  withServer(
    users.command('first-link').description('Print a one-time link to create the first administrator, while there are no users.'),
  ).action(async (flags: ServerFlags) => {
    const link = await clientOf(flags, io).json<Link>('/api/v1/users/first-link', { method: 'POST' })
    if (flags.json) return io.out(`${JSON.stringify(link)}\n`)
    printLink(link, 'Open this link to create the first administrator', io)
  })
}

/** Only the link goes to standard output, for scripts. */
function printLink({ link, expires_time }: Link, what: string, io: Io): void {
  io.err(`${what}, once, until ${expires_time}:\n`)
  io.out(`${link}\n`)
}

function article(role: string): string {
  return role.startsWith('a') ? `an ${role}` : `a ${role}`
}

function more(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

function table(users: readonly Listed[], io: Io): string[] {
  const rows = users.map((user) => [
    { text: user.email },
    { text: user.name },
    { text: user.role },
    { text: user.state },
    { text: user.has_second_factor ? 'yes' : 'no' },
    { text: user.last_sign_in_time?.replace(/\.\d+Z$/, 'Z') ?? 'never' },
    { text: String(user.sessions) },
    { text: user.log_types.join(' ') },
  ])
  const head = ['EMAIL', 'NAME', 'ROLE', 'STATE', 'APP', 'LAST SIGN-IN', 'SESSIONS', 'LIMITS']
  return columns(head, rows, io.isTty ? io.columns : Number.POSITIVE_INFINITY)
}
