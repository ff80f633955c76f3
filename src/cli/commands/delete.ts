import { setTimeout } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { z } from 'zod'
import type { deletionSchema } from '../../api/routes/deletions.ts'
import { DELETION_TYPES } from '../../model/deletion.ts'
import { printable } from '../../util/terminal.ts'
import { CallFailed } from '../client.ts'
import { Exit } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'

type Deletion = z.output<typeof deletionSchema>

interface DeleteFlags extends ServerFlags {
  readonly indicator: string
  readonly type?: string
  readonly reason: string
  readonly dryRun?: boolean
}

const LOOK_MS = 500

const HELP = `
The value is deleted wherever it is a word of its own, in any case: events, matches and dead letters with it go as a whole, alerts
stay and have "[deleted]" in its place. Alerts on hold keep it, and are listed. The archive, backups, content and the program's log are not
covered. It cannot be undone. See docs/retention.md.

Exits with 1 if the value is still somewhere.

Examples:
  caracal delete --indicator ana@example.com --type email --reason 'request 2027-14' --dry-run
  caracal delete --indicator 192.0.2.7 --type ip --reason 'request 2027-14'`

export function registerDelete(program: Command, io: Io): void {
  withServer(
    program
      .command('delete')
      .summary("delete a person's data by an indicator")
      .description('Deletes a value, such as an address or a user name, from everything that Caracal stores, while it runs.'),
  )
    .requiredOption('--indicator <value>', 'the value to delete')
    .addOption(new Option('--type <type>', 'what it is; a value of another form is refused').choices(DELETION_TYPES))
    .requiredOption('--reason <text>', 'why it is deleted; must not contain the value')
    .option('--dry-run', 'only count, and say where it would stay')
    .addHelpText('after', HELP)
    .action(async ({ indicator, type, reason, dryRun, ...flags }: DeleteFlags) => {
      const client = clientOf(flags, io)
      const body = { indicator, reason, ...(type && { type }), ...(dryRun && { dry_run: true }) }
      let deletion = await client.json<Deletion>('/api/v1/deletions', { method: 'POST', body })
      while (deletion.state === 'running') {
        await setTimeout(LOOK_MS)
        deletion = await client.json<Deletion>(`/api/v1/deletions/${deletion.id}`)
      }
      if (flags.json) io.out(`${JSON.stringify(deletion)}\n`)
      else if (deletion.state === 'done') io.out(textOf(deletion))
      if (deletion.state === 'failed') throw new CallFailed(deletion.message ?? 'the deletion failed')
      if (!deletion.dry_run && deletion.remaining.length + deletion.held_alerts.length > 0) throw new Exit(1)
    })
}

function textOf({ dry_run, rows, held_alerts, remaining, archive, backups, sha256, salt }: Deletion): string {
  const places = Object.entries(rows).map(([place, n]) => `  ${String(n).padStart(10)}  ${place}`)
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${printable(line)}`)]
  const head =
    places.length === 0 ? 'Nothing that is stored contains it.' : dry_run ? 'Would be deleted, in rows:' : 'Deleted, in rows:'
  const lines = [
    head,
    ...places,
    ...list('Alerts on hold, which keep it:', held_alerts),
    ...list('Where it still is:', dry_run ? [] : remaining),
    ...list('The archive, which is not covered:', archive === null ? [] : [archive]),
    ...list('Backups, which are not covered:', backups),
    ...(dry_run ? [] : ['', `The audit has SHA-256 ${sha256}, with the salt ${salt}.`]),
  ]
  return `${lines.join('\n')}\n`
}
