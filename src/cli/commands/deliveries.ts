import { type Command, Option } from 'commander'
import type { z } from 'zod'
import type { listedDeliverySchema } from '../../api/routes/deliveries.ts'
import { printable } from '../../util/terminal.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { bold, faint } from '../style.ts'

type Listed = z.output<typeof listedDeliverySchema>

interface Choice extends ServerFlags {
  readonly destination?: string
  readonly alert?: string
}

interface ListFlags extends Choice {
  readonly state?: string
  readonly limit: string
}

const LIST_HELP = `
A delivery is pending until the destination accepts it, or dead after ten failed attempts or a refusal.

Examples:
  caracal deliveries --state dead
  caracal deliveries --alert 3f2a --json`

const RESEND_HELP = `
Sends dead deliveries again, once the reason is fixed: those that meet all of the conditions. Deliveries that are not dead are left alone.

Examples:
  caracal deliveries resend --destination pager
  caracal deliveries resend --alert 3f2a`

export function registerDeliveries(program: Command, io: Io): void {
  const deliveries = program
    .command('deliveries')
    .summary('alerts on their way to destinations, and why they failed')
    .description('Lists deliveries of alerts, newest first; `deliveries resend` sends dead ones again.')
  const list = deliveries.command('list', { isDefault: true }).description('List deliveries; with --json one per line.')
  choosing(withServer(list))
    .addOption(new Option('--state <state>', 'only those in this state').choices(['pending', 'delivered', 'dead']))
    .option('--limit <n>', 'maximum number of deliveries to list, up to 500', '20')
    .addHelpText('after', LIST_HELP)
    .action(async ({ destination, alert, state, limit, ...flags }: ListFlags) => {
      const query = new URLSearchParams({ limit })
      for (const [key, value] of Object.entries({ destination, alert, state })) if (value) query.set(key, value)
      const { results, next } = await clientOf(flags, io).json<{ results: Listed[]; next: string | null }>(
        `/api/v1/deliveries?${query}`,
      )
      if (flags.json) return io.out(results.map((one) => `${JSON.stringify(one)}\n`).join(''))
      if (results.length === 0) return io.out('No deliveries.\n')
      io.out(`${results.map((one) => textOf(one, io)).join('\n')}\n`)
      if (next !== null) io.err('There are more: raise --limit, or narrow the choice.\n')
    })
  choosing(withServer(deliveries.command('resend [ids...]').description('Send dead deliveries again.')))
    .addHelpText('after', RESEND_HELP)
    .action(async (ids: string[], { destination, alert, ...flags }: Choice) => {
      if (ids.length === 0 && !destination && !alert)
        throw new UsageError('say which deliveries to send again: their ids, --destination or --alert')
      const body = { ...(ids.length > 0 && { delivery_ids: ids }), ...(destination && { destination }), ...(alert && { alert }) }
      const answer = await clientOf(flags, io).json<{ resent: number }>('/api/v1/deliveries/resend', { method: 'POST', body })
      if (flags.json) return io.out(`${JSON.stringify(answer)}\n`)
      const { resent } = answer
      io.out(
        resent === 0 ? 'None of them is dead.\n' : `Sending ${resent === 1 ? '1 delivery' : `${resent} deliveries`} again.\n`,
      )
    })
}

function choosing(command: Command): Command {
  return command
    .option('--destination <id>', 'only those to this destination')
    .option('--alert <id>', 'only those of this alert; the beginning of its id is enough')
}

function textOf(
  { delivery_id, alert_id, title, destination, kind, state, tries, created_time, next_try_time, error, digest_id }: Listed,
  io: Io,
): string {
  const when = next_try_time === null ? '' : `, next try ${next_try_time}`
  const digest = digest_id === null ? '' : `, in digest ${digest_id}`
  const attempts = tries === 1 ? '1 attempt' : `${tries} attempts`
  return [
    `${created_time}  ${bold(io, state)}  ${printable(destination)}  ${kind === 'opened' ? '' : `${kind}: `}${printable(title)}`,
    faint(io, `  ${delivery_id}, ${alert_id === '' ? '' : `alert ${alert_id.slice(0, 12)}, `}${attempts}${when}${digest}`),
    ...(error === null ? [] : [`  ${printable(error)}`]),
  ].join('\n')
}
