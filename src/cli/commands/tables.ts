import type { Command } from 'commander'
import type { z } from 'zod'
import type { refreshedSchema, tableSchema } from '../../api/routes/tables.ts'
import { printable } from '../../util/terminal.ts'
import { columns } from '../columns.ts'
import { Exit } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { count, span, until } from '../style.ts'
import { registerTableEdits } from './table-edits.ts'
import { registerTablePast } from './table-past.ts'
import { registerTableTest } from './table-test.ts'

type Table = z.output<typeof tableSchema>
type Refreshed = z.output<typeof refreshedSchema>

const HELP = `
Exit code of \`tables refresh\`: 1 the table cannot be used, or content is broken so that changes are not in force.

Examples:
  caracal tables
  caracal tables show tor_exit_nodes
  caracal tables show tor_exit_nodes 192.0.2.1 --as-of 2024-04-19
  caracal tables diff tor_exit_nodes 2024-04-01 now
  caracal tables refresh tor_exit_nodes
  caracal tables refresh tor_exit_nodes --accept`

/** States in which a table works as it should. */
const GOOD = ['ok', 'shipped', 'static']

export function registerTables(program: Command, io: Io): void {
  const tables = program
    .command('tables')
    .summary('lookup tables and how current they are')
    .description('Lists lookup tables; `tables refresh` fetches one now.')
  withServer(tables.command('list', { isDefault: true }).description('List tables; with --json one per line.'))
    .addHelpText('after', HELP)
    .action(async (flags: ServerFlags) => {
      const results = await clientOf(flags, io).all<Table>('/api/v1/tables')
      if (flags.json) return io.out(results.map((table) => `${JSON.stringify(table)}\n`).join(''))
      io.out(results.length > 0 ? `${list(results, io).join('\n')}\n` : 'No tables.\n')
    })
  withServer(
    tables
      .command('refresh <name>')
      .description('Apply changes to content, then fetch a table now.')
      .option('--accept', 'accept content that a check of the table refuses, this once'),
  ).action(async (name: string, flags: RefreshFlags) => {
    const path = `/api/v1/tables/${encodeURIComponent(name)}/refresh${flags.accept ? '?accept=true' : ''}`
    const table = await clientOf(flags, io).json<Refreshed>(path, { method: 'POST' })
    io.out(flags.json ? `${JSON.stringify(table)}\n` : `${list([table], io).join('\n')}\n`)
    if (flags.accept) io.err(acceptedText(table))
    const problems = table.content_problems
    if (problems.length > 0) {
      io.err('caracal: changes to content are not in force, so the table was refreshed with its previous definition:\n')
      for (const { file, message } of problems) io.err(`${printable(`${file}: ${message}`)}\n`)
    }
    if (problems.length > 0 || !GOOD.includes(table.state)) throw new Exit(1)
  })
  registerTableEdits(tables, io)
  registerTablePast(tables, io)
  registerTableTest(tables, io)
}

interface RefreshFlags extends ServerFlags {
  readonly accept?: boolean
}

/** What `--accept` has led to. */
function acceptedText({ passed_over: passedOver }: Refreshed): string {
  if (passedOver.length === 0) return 'No check refuses the content in force.\n'
  return passedOver.map((check) => `${printable(`Accepted although ${check}`)}\n`).join('')
}

function list(tables: readonly Table[], io: Io): string[] {
  const rows = tables.map(({ name, state, rows, version, age_seconds, next_refresh_time: next, provider }) => [
    { text: name },
    { text: state },
    { text: count(rows), isNumber: true },
    { text: version ?? '-' },
    { text: age_seconds === null ? '-' : span(age_seconds * 1000) },
    { text: next === null ? '-' : until(next) },
    { text: provider },
  ])
  const width = io.isTty ? io.columns : Number.POSITIVE_INFINITY
  const live = tables.flatMap(({ name, live: how }) => (how ? [printable(`${name}: ${describeLive(how)}`)] : []))
  const problems = tables.flatMap(({ name, problem }) => (problem === null ? [] : [printable(`${name}: ${problem}`)]))
  return [
    ...columns(['TABLE', 'STATE', 'ROWS', 'VERSION', 'AGE', 'NEXT', 'FROM'], rows, width),
    ...(live.length > 0 ? ['', ...live] : []),
    ...(problems.length > 0 ? ['', ...problems] : []),
  ]
}

/** How a table is filled that asks a service about the addresses in events. */
function describeLive(live: NonNullable<Table['live']>): string {
  const { service, asked_today: asked, left_today: left, waiting, passed_over: over, breaker } = live
  const pause = breaker === 'closed' ? '' : '; requests are paused'
  return `asked ${service} for ${count(asked)} addresses today, ${count(left)} left; ${count(waiting)} wait, ${count(over)} passed over${pause}`
}
