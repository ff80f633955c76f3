import { type Command, Option } from 'commander'
import type { z } from 'zod'
import type { muteSchema } from '../../api/mute-view.ts'
import { SEVERITIES } from '../../model/rule.ts'
import { choice } from '../alert-options.ts'
import { columns } from '../columns.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { counted } from '../style.ts'
import { laterOf } from '../times.ts'

type Mute = z.output<typeof muteSchema>

interface AddFlags extends ServerFlags, MuteFlags {
  readonly rule?: string
  readonly dedup?: string
  readonly title?: string
  readonly indicator?: string
  readonly severity?: readonly string[]
  readonly logType?: string
  readonly exact?: boolean
}

/** Who mutes, why, and until when. */
export interface MuteFlags {
  readonly for: string
  readonly reason: string
  readonly owner?: string
}

const HELP = `
A match is muted if it satisfies every option given; '*' stands for any text, in any case. A muted match opens no alert that is sent;
\`caracal alerts --muted\` lists those alerts.

Examples:
  caracal mutes add --rule 'Tor.*' --indicator 192.0.2.7 --for 7d --reason 'our own exit node'
  caracal mutes list --all
  caracal mutes end 5d1c`

export function registerMutes(program: Command, io: Io): void {
  const mutes = program
    .command('mutes')
    .summary('keep known matches from raising alerts, for a while')
    .description('Lists mutes; `mutes add` makes one, `mutes end` ends one before it expires.')
  withServer(
    mutes.command('list', { isDefault: true }).description('List mutes in force, newest first; with --json one per line.'),
  )
    .option('--all', 'also those that expired or were ended')
    .addHelpText('after', HELP)
    .action(async ({ all, ...flags }: ServerFlags & { all?: boolean }) => {
      const path = `/api/v1/mutes?state=${all ? 'all' : 'active'}`
      const results = await clientOf(flags, io).all<Mute>(path)
      if (flags.json) return io.write(results.map((mute) => `${JSON.stringify(mute)}\n`).join(''))
      if (results.length === 0) return io.out(all ? 'No mutes.\n' : 'No mutes are in force.\n')
      await io.write(`${table(results, io).join('\n')}\n`)
    })
  muting(withServer(mutes.command('add').description('Mute matches for a while.')))
    .option('--rule <id>', 'of this rule')
    .option('--dedup <text>', 'with this dedup string')
    .option('--title <text>', 'with this title')
    .option('--indicator <value>', 'whose event has this indicator, such as an address')
    .addOption(severities())
    .option('--log-type <type>', 'whose event has this log type')
    .option('--exact', "compare texts as they are: case matters, and '*' is a plain character")
    .addHelpText('after', HELP)
    .action(async (flags: AddFlags) => {
      const { rule, dedup, title, indicator, severity, logType, exact, ...rest } = flags
      const match = { rule, dedup, title, indicator, severities: severity, log_type: logType }
      if (Object.values(match).every((value) => value === undefined))
        throw new UsageError('say what to mute: --rule, --dedup, --title, --indicator, --severity or --log-type')
      await made('/api/v1/mutes', { match: { ...match, ...(exact && { exact }) }, ...bodyOf(rest, io) }, rest, io)
    })
  withServer(mutes.command('end <id>').description('End a mute before it expires.')).action(
    async (id: string, flags: ServerFlags) => {
      const path = `/api/v1/mutes/${encodeURIComponent(id)}/end`
      const mute = await clientOf(flags, io).json<Mute>(path, { method: 'POST' })
      if (flags.json) return io.out(`${JSON.stringify(mute)}\n`)
      io.out(`Mute ${mute.mute_id.slice(0, 8)} is ${mute.state}.\n`)
      if (mute.alerts > 0)
        io.out(
          `It muted ${counted(mute.alerts, 'alert')}. Those it still mutes stay muted, and are not sent, until a match joins that no mute covers: \`caracal alerts --mute ${mute.mute_id}\` lists them.\n`,
        )
    },
  )
}

/** Adds the options that every new mute has. */
export function muting(command: Command): Command {
  return command
    .requiredOption('--for <time>', 'until when: a span from now such as 4h or 7d, or a time; at most a year')
    .requiredOption('--reason <text>', 'why')
    .option('--owner <name>', 'who answers for it (default: the user of this shell)')
}

/** Makes a mute and reports it. */
export async function made(path: string, body: object, flags: ServerFlags, io: Io): Promise<void> {
  const mute = await clientOf(flags, io).json<Mute>(path, { method: 'POST', body })
  if (flags.json) return io.out(`${JSON.stringify(mute)}\n`)
  io.out(`Muted until ${mute.expires_time}; \`caracal mutes end ${mute.mute_id.slice(0, 8)}\` ends it before.\n`)
}

/** The part of a body that every new mute has. */
export function bodyOf({ for: until, reason, owner }: MuteFlags, io: Io): object {
  const name = owner ?? io.env['USER'] ?? io.env['LOGNAME']
  if (!name) throw new UsageError('the user of this shell is unknown: name who answers for the mute with --owner')
  return { reason, owner: name, expires: laterOf('--for', until) }
}

function severities(): Option {
  const read = choice(SEVERITIES)
  return new Option('--severity <severity>', 'with this severity; may be repeated')
    .choices(SEVERITIES)
    .argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), read(text)])
}

function table(mutes: readonly Mute[], io: Io): string[] {
  const rows = mutes.map(({ mute_id, state, match, owner, reason, expires_time, matches, alerts }) => [
    { text: mute_id.slice(0, 8) },
    { text: state },
    { text: expires_time.replace(/\.\d+Z$/, 'Z') },
    { text: String(matches), isNumber: true },
    { text: String(alerts), isNumber: true },
    { text: owner },
    {
      text: Object.entries(match)
        .map(([key, value]) => `${key}=${Array.isArray(value) ? value.join('|') : value}`)
        .join(' '),
    },
    { text: reason },
  ])
  const head = ['ID', 'STATE', 'EXPIRES', 'MATCHES', 'ALERTS', 'OWNER', 'COVERS', 'REASON']
  return columns(head, rows, io.isTty ? io.columns : Number.POSITIVE_INFINITY)
}
