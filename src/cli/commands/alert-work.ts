import type { Command } from 'commander'
import type { z } from 'zod'
import type { alertSchema } from '../../api/alert-view.ts'
import { ALERT_STATUSES } from '../../model/alert.ts'
import { ALERT_QUALITIES } from '../../model/alert-work.ts'
import { printable } from '../../util/terminal.ts'
import { choice, oneOf } from '../alert-options.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { bodyOf, type MuteFlags, made, muting } from './mutes.ts'

type Alert = z.output<typeof alertSchema>

interface EndFlags extends ServerFlags {
  readonly reason?: string
  readonly quality?: string
}

/** Commands by which people work on single alerts. */
export function registerAlertWork(alerts: Command, io: Io): void {
  const command = (name: string, description: string) => withServer(alerts.command(name).description(description))
  ended(command('status <id> <status>', `Set an alert's status: ${ALERT_STATUSES.join(', ')}.`).alias('set')).action(
    (id: string, status: string, { reason, quality, ...flags }: EndFlags) =>
      change([id], { status: choice(ALERT_STATUSES)(status), ...given({ reason, quality }) }, flags, io),
  )
  for (const [name, status, what] of [
    ['resolve', 'RESOLVED', 'Resolve alerts: what they reported is dealt with.'],
    ['close', 'CLOSED', 'Close alerts: what they reported is not a problem.'],
  ] as const)
    ended(command(`${name} <ids...>`, what)).action((ids: string[], { reason, quality, ...flags }: EndFlags) =>
      change(ids, { status, ...given({ reason, quality }) }, flags, io),
    )
  command('assign <id> [owner]', 'Set who works on an alert.')
    .option('--nobody', 'remove the owner')
    .action((id: string, owner: string | undefined, { nobody, ...flags }: ServerFlags & { nobody?: boolean }) => {
      if ((owner === undefined) !== (nobody === true)) throw new UsageError('name the owner, or give --nobody to remove them')
      return change([id], { owner: owner ?? null }, flags, io)
    })
  command('tag <id> [tags...]', 'Give an alert tags.')
    .option('--remove <tags...>', 'take these tags away')
    .action((id: string, tags: string[], { remove = [], ...flags }: ServerFlags & { remove?: string[] }) => {
      if (tags.length + remove.length === 0) throw new UsageError('name a tag to add, or one to --remove')
      return change([id], { add_tags: tags, remove_tags: remove }, flags, io)
    })
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

async function change(ids: readonly string[], body: object, flags: ServerFlags, io: Io): Promise<void> {
  const client = clientOf(flags, io)
  for (const id of ids) {
    const alert = await client.json<Alert>(`/api/v1/alerts/${encodeURIComponent(id)}`, { method: 'PATCH', body })
    io.out(flags.json ? `${JSON.stringify(alert)}\n` : `${sentence(alert)}\n`)
  }
}

/** The alert's present state in one line. */
function sentence({ alert_id, status, reason, quality, owner, context_tags }: Alert): string {
  const facts = [
    reason === null ? undefined : `reason: ${printable(reason)}`,
    quality === null ? undefined : `quality: ${quality}`,
    owner === null ? undefined : `owner: ${printable(owner)}`,
    context_tags.length === 0 ? undefined : `tags: ${context_tags.join(', ')}`,
  ].filter((fact) => fact !== undefined)
  return `${alert_id.slice(0, 8)} is ${status}${facts.length > 0 ? ` (${facts.join('; ')})` : ''}.`
}
