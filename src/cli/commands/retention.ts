import type { Command } from 'commander'
import type { RetentionAnswer } from '../../api/routes/retention.ts'
import { printable } from '../../util/terminal.ts'
import { columns } from '../columns.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { count, size } from '../style.ts'

const MAX_SHOWN = 10

const HELP = `
How long data is kept is set in caracal.yml, under the key retention: docs/retention.md.

Examples:
  caracal retention
  caracal config retention`

export function registerRetention(program: Command, io: Io): void {
  withServer(
    program
      .command('retention')
      .summary('how long log types are kept, and how large they are')
      .description('Shows the size of each log type in the lake, how long it is kept, and what was deleted and archived lately.'),
  )
    .addHelpText('after', HELP)
    .action(async (flags: ServerFlags) => {
      const retention = await clientOf(flags, io).json<RetentionAnswer>('/api/v1/retention')
      if (flags.json) return io.out(`${JSON.stringify(retention)}\n`)
      await io.write(`${textOf(retention, io).join('\n')}\n`)
    })
}

function textOf({ last_run_time, failed, deleted, archive, bytes, log_types }: RetentionAnswer, io: Io): string[] {
  const rows = log_types.map(({ log_type, rows: n, bytes: size_, since, days }) => [
    { text: log_type },
    { text: count(n), isNumber: true },
    { text: size(size_), isNumber: true },
    { text: since },
    { text: days === null ? 'forever' : `${days} days` },
  ])
  return [
    `The lake is ${size(bytes)} on disk.`,
    last_run_time === null ? 'Retention has not run yet.' : `Retention last ran at ${last_run_time}.`,
    archive === null
      ? 'Rows are not archived before they are deleted (retention.archive).'
      : `Events and matches are archived in ${printable(archive)} before they are deleted.`,
    ...section('Could not be deleted', failed),
    ...section(
      'Deleted lately',
      deleted.slice(0, MAX_SHOWN).map(({ name, rows: n, archived, time }) => {
        return `${time}  ${name}: ${count(n)} rows${archived > 0 ? ', archived' : ''}`
      }),
    ),
    ...(rows.length > 0 ? ['', ...columns(['LOG TYPE', 'ROWS', 'SIZE', 'SINCE', 'KEPT'], rows, io.columns)] : []),
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${printable(line)}`)]
}
