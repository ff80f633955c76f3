import type { Command } from 'commander'
import type { z } from 'zod'
import type { sourceSchema } from '../../api/routes/sources.ts'
import { printable } from '../../util/terminal.ts'
import { columns } from '../columns.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { ago, count, span } from '../style.ts'

type Source = z.output<typeof sourceSchema>

const HELP = `
received = stored + filtered + dead-lettered + in flight, at any time.
PER MINUTE is the mean of records over the last 15 minutes; LAG is from the newest event of the last batch to its receipt.
Dead letters: caracal dead-letters; after a fix: caracal dead-letters replay`

export function registerSources(program: Command, io: Io): void {
  withServer(program.command('sources').summary('records received, and what became of them'))
    .description('Lists sources and what became of their records; with --json one per line.')
    .addHelpText('after', HELP)
    .action(async (flags: ServerFlags) => {
      const results = await clientOf(flags, io).all<Source>('/api/v1/sources')
      if (flags.json) return io.out(results.map((source) => `${JSON.stringify(source)}\n`).join(''))
      io.out(`${[...list(results, io), ...results.flatMap(remarks)].join('\n')}\n`)
    })
}

function list(sources: readonly Source[], io: Io): string[] {
  const number = (n: number) => ({ text: count(n), isNumber: true })
  const rows = sources.map(({ id, type, records, backlog_bytes, last_received_time, records_per_minute, lag_seconds }) => [
    { text: id },
    { text: type },
    number(records.received),
    number(records.stored),
    number(records.filtered),
    number(records.dead_lettered),
    number(records.in_flight),
    number(backlog_bytes),
    { text: last_received_time === null ? '-' : ago(last_received_time) },
    { text: rate(records_per_minute), isNumber: true },
    { text: lag_seconds === null ? '-' : span(lag_seconds * 1000), isNumber: true },
  ])
  const counts = ['RECEIVED', 'STORED', 'FILTERED', 'DEAD', 'IN FLIGHT', 'BACKLOG BYTES']
  const head = ['SOURCE', 'TYPE', ...counts, 'LAST RECORD', 'PER MINUTE', 'LAG']
  return columns(head, rows, io.isTty ? io.columns : Number.POSITIVE_INFINITY)
}

function rate(perMinute: number): string {
  return perMinute > 0 && perMinute < 10 ? perMinute.toFixed(1) : count(Math.round(perMinute))
}

/** Maximum number of unknown fields shown per source. */
const MOST_FIELDS = 5

function remarks({
  id,
  problems,
  dead_letter_reasons,
  dead_letter_samples,
  filters,
  guessed,
  notices,
  unknown_fields,
}: Source): string[] {
  const reasons = Object.entries(dead_letter_reasons).map(([reason, n]) => `${reason} ${count(n)}`)
  // Those that are only counted together have no log type.
  const fields = unknown_fields
    .slice(0, MOST_FIELDS)
    .map(({ log_type, field, count: n }) => `${log_type} ${field} (${count(n)})`.trimStart())
  const more = unknown_fields.length > MOST_FIELDS ? `, and ${unknown_fields.length - MOST_FIELDS} more` : ''
  const kept = Object.entries(filters).map(([filter, n]) => `${filter} ${count(n)}`)
  const guesses = Object.entries(guessed).map(([logType, n]) => `${logType} ${count(n)}`)
  const sample = dead_letter_samples.at(-1)
  const lines = [
    ...problems,
    ...(kept.length > 0 ? [`dropped by a filter: ${kept.join(', ')}`] : []),
    ...(guesses.length > 0 ? [`log type guessed: ${guesses.join(', ')} (set the source's log_types to be sure)`] : []),
    ...(reasons.length > 0 ? [`dead letters: ${reasons.join(', ')}`] : []),
    ...(sample ? [`the last dead letter (${sample.reason}) at ${sample.position}: ${sample.message}`] : []),
    // What cannot be read is both a notice and part of a problem.
    ...notices.filter((notice) => !problems.some((problem) => problem.includes(notice))),
    ...(fields.length > 0 ? [`fields that are not in the schema, stored in the column extra: ${fields.join(', ')}${more}`] : []),
  ]
  return lines.length > 0 ? ['', ...lines.map((line) => printable(`${id}: ${line}`))] : []
}
