import type { Command } from 'commander'
import type { z } from 'zod'
import type { sourceSchema } from '../../api/routes/sources.ts'
import { printable } from '../../util/terminal.ts'
import { columns } from '../columns.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { count } from '../style.ts'

type Source = z.output<typeof sourceSchema>

const HELP = `
received = stored + filtered + dead-lettered + in flight, at any time.
Dead letters are in the lake: caracal query "SELECT * FROM monitor.dead_letters"
After a fix: caracal replay dead-letters`

export function registerSources(program: Command, io: Io): void {
  withServer(program.command('sources').summary('records received, and what became of them'))
    .description('Lists sources and what became of their records; with --json one per line.')
    .addHelpText('after', HELP)
    .action(async (flags: ServerFlags) => {
      const { results } = await clientOf(flags, io).json<{ results: Source[] }>('/api/v1/sources')
      if (flags.json) return io.out(results.map((source) => `${JSON.stringify(source)}\n`).join(''))
      io.out(`${[...list(results, io), ...results.flatMap(remarks)].join('\n')}\n`)
    })
}

function list(sources: readonly Source[], io: Io): string[] {
  const number = (n: number) => ({ text: count(n), isNumber: true })
  const rows = sources.map(({ id, type, records, backlog_bytes }) => [
    { text: id },
    { text: type },
    number(records.received),
    number(records.stored),
    number(records.filtered),
    number(records.dead_lettered),
    number(records.in_flight),
    number(backlog_bytes),
  ])
  const head = ['SOURCE', 'TYPE', 'RECEIVED', 'STORED', 'FILTERED', 'DEAD', 'IN FLIGHT', 'BACKLOG BYTES']
  return columns(head, rows, io.isTty ? io.columns : Number.POSITIVE_INFINITY)
}

/** Maximum number of unknown fields shown per source. */
const MOST_FIELDS = 5

function remarks({ id, dead_letter_reasons, filters, guessed, notices, unknown_fields }: Source): string[] {
  const reasons = Object.entries(dead_letter_reasons).map(([reason, n]) => `${reason} ${count(n)}`)
  const fields = unknown_fields.slice(0, MOST_FIELDS).map(({ log_type, field, count: n }) => `${log_type} ${field} (${count(n)})`)
  const more = unknown_fields.length > MOST_FIELDS ? `, and ${unknown_fields.length - MOST_FIELDS} more` : ''
  const kept = Object.entries(filters).map(([filter, n]) => `${filter} ${count(n)}`)
  const guesses = Object.entries(guessed).map(([logType, n]) => `${logType} ${count(n)}`)
  const lines = [
    ...(kept.length > 0 ? [`dropped by a filter: ${kept.join(', ')}`] : []),
    ...(guesses.length > 0 ? [`log type guessed: ${guesses.join(', ')} (set the source's log_types to be sure)`] : []),
    ...(reasons.length > 0 ? [`dead letters: ${reasons.join(', ')}`] : []),
    ...notices,
    ...(fields.length > 0 ? [`fields that are not in the schema, stored in the column extra: ${fields.join(', ')}${more}`] : []),
  ]
  return lines.length > 0 ? ['', ...lines.map((line) => printable(`${id}: ${line}`))] : []
}
