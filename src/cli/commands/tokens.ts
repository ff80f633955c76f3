import { type Command, Option } from 'commander'
import type { z } from 'zod'
import type { createdSchema, tokenSchema } from '../../api/routes/tokens.ts'
import { TOKEN_ROLES } from '../../model/account.ts'
import { columns } from '../columns.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { laterOf } from '../times.ts'

type Token = z.output<typeof tokenSchema>

interface CreateFlags extends ServerFlags {
  readonly role: string
  readonly logType?: readonly string[]
  readonly cidr?: readonly string[]
  readonly expires?: string
}

const HELP = `
Roles: admin may do everything, analyst works on alerts, viewer only reads, ingest only sends logs. docs/accounts.md has the table.

Examples:
  caracal tokens create fluent-bit --role ingest --cidr 10.0.0.0/8
  caracal tokens create web-team --role viewer --log-type 'Nginx.*' --expires 90d
  caracal tokens revoke web-team`

export function registerTokens(program: Command, io: Io): void {
  const tokens = program
    .command('tokens')
    .summary('tokens for programs: who may call the API or send logs')
    .description('Lists tokens; `tokens create` makes one, `tokens revoke` ends one.')
  withServer(tokens.command('list', { isDefault: true }).description('List tokens, oldest first; with --json one per line.'))
    .option('--all', 'also those that have expired or were revoked')
    .addHelpText('after', HELP)
    .action(async ({ all, ...flags }: ServerFlags & { all?: boolean }) => {
      const results = await clientOf(flags, io).all<Token>('/api/v1/tokens')
      const shown = all ? results : results.filter(({ state }) => state === 'active')
      if (flags.json) return io.write(shown.map((token) => `${JSON.stringify(token)}\n`).join(''))
      if (shown.length === 0) return io.out("No tokens: only the data folder's own is valid.\n")
      await io.write(`${table(shown, io).join('\n')}\n`)
    })
  withServer(tokens.command('create <name>').description('Create a token and print its secret, which is not shown again.'))
    .addOption(new Option('--role <role>', 'what it may do').choices(TOKEN_ROLES).makeOptionMandatory())
    .option('--log-type <pattern>', "only show it events of this log type, such as 'Nginx.*'; may be repeated", more)
    .option('--cidr <network>', 'only valid from this network; may be repeated', more)
    .option('--expires <time>', 'until when it is valid: a span from now such as 90d, or a time (default: until it is revoked)')
    .addHelpText('after', HELP)
    .action(async (name: string, { role, logType, cidr, expires, ...flags }: CreateFlags) => {
      const limits = { ...(logType && { log_types: logType }), ...(cidr && { cidrs: cidr }) }
      const body = { name, role, ...limits, ...(expires !== undefined && { expires: laterOf('--expires', expires) }) }
      const token = await clientOf(flags, io).json<z.output<typeof createdSchema>>('/api/v1/tokens', { method: 'POST', body })
      if (flags.json) return io.out(`${JSON.stringify(token)}\n`)
      // Only the secret goes to standard output, for `TOKEN=$(caracal tokens create …)`.
      io.out(`${token.token}\n`)
      const until = token.expires_time === null ? 'until it is revoked' : `until ${token.expires_time}`
      io.err(`Token '${token.name}' (${token.role}) is valid ${until}. Store it now: it is not shown again.\n`)
    })
  withServer(tokens.command('revoke <name>').description('End a token at once, by its name or id.')).action(
    async (name: string, flags: ServerFlags) => {
      const path = `/api/v1/tokens/${encodeURIComponent(name)}/revoke`
      const token = await clientOf(flags, io).json<Token>(path, { method: 'POST' })
      io.out(flags.json ? `${JSON.stringify(token)}\n` : `Token '${token.name}' is revoked.\n`)
    },
  )
}

function more(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

function table(tokens: readonly Token[], io: Io): string[] {
  const time = (text: string | null) => text?.replace(/\.\d+Z$/, 'Z') ?? 'never'
  const rows = tokens.map((token) => [
    { text: token.name },
    { text: token.role },
    { text: token.state },
    { text: time(token.expires_time) },
    { text: time(token.last_used_time) },
    { text: token.last_address ?? '' },
    { text: [...token.log_types, ...token.cidrs].join(' ') },
    { text: token.token_id },
  ])
  const head = ['NAME', 'ROLE', 'STATE', 'EXPIRES', 'LAST USED', 'FROM', 'LIMITS', 'ID']
  return columns(head, rows, io.isTty ? io.columns : Number.POSITIVE_INFINITY)
}
