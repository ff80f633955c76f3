import type { Command } from 'commander'
import type { z } from 'zod'
import type { alertSchema } from '../../api/alert-view.ts'
import { ALERT_STATUSES } from '../../model/alert.ts'
import { ALERT_QUALITIES } from '../../model/alert-work.ts'
import { type ChosenFlags, change, chosen, idsOf } from '../alert-change.ts'
import { choice, oneOf } from '../alert-options.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { counted } from '../style.ts'
import { bodyOf, type MuteFlags, made, muting } from './mutes.ts'

type Alert = z.output<typeof alertSchema>

interface EndFlags extends ChosenFlags {
  readonly reason?: string
  readonly quality?: string
}

/** Commands by which people work on alerts. */
export function registerAlertWork(alerts: Command, io: Io): void {
  const command = (name: string, description: string) => withServer(alerts.command(name).description(description))
  const several = (name: string, description: string) => chosen(command(name, description))
  ended(several('status [ids] [status]', `Set the status of alerts: ${ALERT_STATUSES.join(', ')}.`).alias('set')).action(
    (first: string | undefined, second: string | undefined, { reason, quality, ...flags }: EndFlags) => {
      const [ids, [status, ...more]] = split(flags, [first, second])
      if (status === undefined || more.length > 0)
        throw new UsageError(`name one status, after the ids: ${ALERT_STATUSES.join(', ')}`)
      return change(ids, { status: choice(ALERT_STATUSES)(status), ...given({ reason, quality }) }, flags, io)
    },
  )
  for (const [name, status, what] of [
    ['resolve', 'RESOLVED', 'Resolve alerts: what they reported is dealt with.'],
    ['close', 'CLOSED', 'Close alerts: what they reported is not a problem.'],
  ] as const)
    ended(several(`${name} [ids...]`, what)).action((ids: string[], { reason, quality, ...flags }: EndFlags) =>
      change(idsOf(ids), { status, ...given({ reason, quality }) }, flags, io),
    )
  several('assign [ids] [owner]', 'Set who works on alerts.')
    .option('--nobody', 'remove the owner')
    .action((first: string | undefined, second: string | undefined, { nobody, ...flags }: ChosenFlags & { nobody?: boolean }) => {
      const [ids, [owner, ...more]] = split(flags, [first, second])
      if ((owner === undefined) !== (nobody === true) || more.length > 0)
        throw new UsageError('name the owner, or give --nobody to remove them')
      return change(ids, { owner: owner ?? null }, flags, io)
    })
  several('tag [ids] [tags...]', 'Give alerts tags.')
    .option('--remove <tags...>', 'take these tags away')
    .action((first: string | undefined, rest: string[], { remove = [], ...flags }: ChosenFlags & { remove?: string[] }) => {
      const [ids, tags] = split(flags, [first, ...rest])
      if (tags.length + remove.length === 0) throw new UsageError('name a tag to add, or one to --remove')
      return change(ids, { add_tags: tags, remove_tags: remove }, flags, io)
    })
  command('merge <parent> <ids...>', 'Merge alerts into another, all or none; they have its status from then on.').action(
    async (parent: string, ids: string[], flags: ServerFlags) => {
      const path = `/api/v1/alerts/${encodeURIComponent(parent)}/merge`
      const { results } = await clientOf(flags, io).json<{ results: Alert[] }>(path, {
        method: 'POST',
        body: { ids: idsOf(ids) },
      })
      if (flags.json) return io.write(results.map((alert) => `${JSON.stringify(alert)}\n`).join(''))
      io.out(`${counted(results.length, 'alert')} ${results.length === 1 ? 'is' : 'are'} merged into ${parent} now.\n`)
    },
  )
  command('unmerge <ids...>', 'Take alerts out of the one that they were merged into.').action(
    async (ids: string[], flags: ServerFlags) => {
      const client = clientOf(flags, io)
      for (const id of idsOf(ids)) {
        const alert = await client.json<Alert>(`/api/v1/alerts/${encodeURIComponent(id)}/unmerge`, { method: 'POST' })
        io.out(flags.json ? `${JSON.stringify(alert)}\n` : `${alert.alert_id.slice(0, 8)} is an alert of its own again.\n`)
      }
    },
  )
  muting(command('snooze <id>', "Mute further matches of an alert's rule with its dedup string.")).action(
    (id: string, flags: ServerFlags & MuteFlags) =>
      made(`/api/v1/alerts/${encodeURIComponent(id)}/snooze`, bodyOf(flags, io), flags, io),
  )
  command('comment <id> <text>', 'Comment on an alert.').action(async (id: string, text: string, flags: ServerFlags) => {
    const path = `/api/v1/alerts/${encodeURIComponent(id)}/comments`
    const entry = await clientOf(flags, io).json<object>(path, { method: 'POST', body: { text } })
    io.out(flags.json ? `${JSON.stringify(entry)}\n` : 'The comment is in the timeline of the alert.\n')
  })
}

function ended(command: Command): Command {
  return command
    .option('--reason <text>', 'why it is resolved or closed')
    .addOption(oneOf('--quality <quality>', 'whether it was worth raising', ALERT_QUALITIES))
}

function given(values: Readonly<Record<string, string | undefined>>): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** The ids, which are the first argument unless `--where` replaces them, and the other arguments. */
function split({ where }: ChosenFlags, args: readonly (string | undefined)[]): [ids: string[], others: string[]] {
  const present = args.filter((one) => one !== undefined)
  return where ? [[], present] : [idsOf(present.slice(0, 1)), present.slice(1)]
}
