import type { Command } from 'commander'
import type { z } from 'zod'
import type { alertSchema } from '../api/alert-view.ts'
import { MAX_CHANGED } from '../model/alert-work.ts'
import { printable } from '../util/terminal.ts'
import { parametersOf, whereOf } from './alert-options.ts'
import type { Client } from './client.ts'
import { Exit, UsageError } from './exit.ts'
import type { Io } from './io.ts'
import { clientOf, type ServerFlags } from './server-options.ts'
import { count, counted } from './style.ts'

type Alert = z.output<typeof alertSchema>

/** Which alerts a command changes, if they are not named. */
export interface ChosenFlags extends ServerFlags {
  readonly where?: readonly string[]
  readonly yes?: boolean
}

interface Result {
  readonly id: string
  readonly message: string | null
  readonly alert: Alert | null
}

/** Adds the options that choose alerts by a filter instead of by their ids. */
export function chosen(command: Command): Command {
  return command
    .option(
      '--where <name=value>',
      'instead of ids: alerts with this severity, status, quality, rule, owner, tag, log-type, indicator or text, or since or until a time; may be repeated',
      (one: string, before: readonly string[] | undefined) => [...(before ?? []), one],
    )
    .option('--yes', 'with --where: change them; without it, only say how many they are')
}

/** The ids in arguments; several may be in one, with commas in between. */
export function idsOf(args: readonly string[]): string[] {
  return args.flatMap((one) => one.split(',')).filter((id) => id !== '')
}

/** Makes the same change to each of the alerts, and reports each. Exits with 1 if any was refused. */
export async function change(ids: readonly string[], body: object, flags: ChosenFlags, io: Io): Promise<void> {
  const { where = [], yes } = flags
  if (ids.length > 0 === where.length > 0) throw new UsageError('name the alerts by their ids, or choose them with --where')
  if (yes && where.length === 0) throw new UsageError('--yes goes with --where')
  const filter = whereOf(where)
  const client = clientOf(flags, io)
  if (where.length > 0 && !yes) {
    const n = await countOf(client, filter)
    if (n > MAX_CHANGED) {
      const most = count(MAX_CHANGED)
      throw new UsageError(
        `more than ${most} alerts fit, and at most ${most} are changed at once: choose fewer with another --where`,
      )
    }
    if (n === 0) return io.err('No alert fits; nothing was changed.\n')
    const them = n === 1 ? 'it' : 'them'
    io.err(`${counted(n, 'alert')} would be changed; nothing was. Repeat the command with --yes to change ${them}.\n`)
    throw new Exit(1)
  }
  const which = where.length > 0 ? { filter } : { ids }
  const { results } = await client.json<{ results: Result[] }>('/api/v1/alerts', {
    method: 'PATCH',
    body: { ...which, change: body },
  })
  for (const { id, message, alert } of results) {
    if (message !== null) io.err(`caracal: ${printable(id)}: ${printable(message)}\n`)
    else if (alert) await io.write(flags.json ? `${JSON.stringify(alert)}\n` : `${sentence(alert)}\n`)
  }
  if (results.length === 0 && !flags.json) io.out('No alerts.\n')
  if (results.some(({ message }) => message !== null)) throw new Exit(1)
}

/** Counts no further than the first page beyond what can be changed at once. */
async function countOf(client: Client, filter: Parameters<typeof parametersOf>[0]): Promise<number> {
  const query = parametersOf(filter)
  query.set('limit', '200')
  let n = 0
  for (;;) {
    const page = await client.json<{ results: Alert[]; next: string | null }>(`/api/v1/alerts?${query}`)
    n += page.results.length
    if (page.next === null || n > MAX_CHANGED) return n
    query.set('cursor', page.next)
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
