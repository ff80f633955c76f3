import { setTimeout } from 'node:timers/promises'
import type { Command } from 'commander'
import type { ArchivedAnswer, RestoreAnswer } from '../../api/routes/archive.ts'
import { CallFailed } from '../client.ts'
import { columns } from '../columns.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { count, counted, size } from '../style.ts'

interface ListFlags extends ServerFlags {
  readonly logType?: string
  readonly from?: string
  readonly to?: string
}

interface RestoreFlags extends ServerFlags {
  readonly keepDays: string
}

const LOOK_MS = 500

const HELP = `
Rows are archived before retention deletes them from the lake, if retention.archive names a folder or a bucket. Days are those on
which rows were received, UTC. Restored rows can be queried as before; no rule judges them again, and no alert is raised.
See docs/retention.md.

Examples:
  caracal archive
  caracal archive --log-type Zeek.Conn --from 2027-01-01
  caracal archive restore Zeek.Conn 2027-01-04 2027-01-06 --keep-days 30`

export function registerArchive(program: Command, io: Io): void {
  const archive = program
    .command('archive')
    .summary('what was archived before it was deleted, and load it back')
    .description('Lists what retention has archived; `archive restore` loads days of it back into the lake.')
  withServer(
    archive
      .command('list', { isDefault: true })
      .description('List archived days: log type, day, rows, size and place; with --json one per line.'),
  )
    .option('--log-type <type>', 'of this log type')
    .option('--from <day>', 'received on this day or later, as in 2027-01-04')
    .option('--to <day>', 'received on this day or earlier')
    .addHelpText('after', HELP)
    .action(async ({ logType, from, to, ...flags }: ListFlags) => {
      const filter = Object.entries({ log_type: logType, from, to }).filter(([, value]) => value !== undefined)
      const query = new URLSearchParams(filter as [string, string][])
      const results = await clientOf(flags, io).all<ArchivedAnswer>(`/api/v1/archive?limit=1000&${query}`)
      if (flags.json) return io.write(results.map((one) => `${JSON.stringify(one)}\n`).join(''))
      if (results.length === 0) return io.out('Nothing is archived.\n')
      await io.write(`${table(results, io).join('\n')}\n`)
    })
  withServer(
    archive
      .command('restore <log-type> <from> <to>')
      .description('Load archived events and matches back into the lake, from one day to another, inclusive.'),
  )
    .option('--keep-days <n>', 'how many days retention leaves them alone', '7')
    .addHelpText('after', HELP)
    .action(async (logType: string, from: string, to: string, { keepDays, ...flags }: RestoreFlags) => {
      if (!/^\d{1,4}$/.test(keepDays)) throw new UsageError(`--keep-days '${keepDays}' is not a number of days`)
      const client = clientOf(flags, io)
      const body = { log_type: logType, from, to, keep_days: Number(keepDays) }
      let restore = await client.json<RestoreAnswer>('/api/v1/archive/restores', { method: 'POST', body })
      while (restore.state === 'running') {
        await setTimeout(LOOK_MS)
        restore = await client.json<RestoreAnswer>(`/api/v1/archive/restores/${restore.id}`)
      }
      if (flags.json) io.out(`${JSON.stringify(restore)}\n`)
      else if (restore.state === 'done') io.out(textOf(restore))
      if (restore.state === 'failed') throw new CallFailed(restore.message ?? 'the restore failed')
    })
}

function table(results: readonly ArchivedAnswer[], io: Io): string[] {
  const rows = results.map(({ database, log_type, day, rows: n, bytes, place }) => [
    { text: log_type },
    { text: database === 'logs' ? 'events' : 'matches' },
    { text: day },
    { text: count(n), isNumber: true },
    { text: size(bytes), isNumber: true },
    { text: place },
  ])
  return columns(['LOG TYPE', 'ROWS ARE', 'RECEIVED', 'ROWS', 'SIZE', 'PLACE'], rows, io.columns)
}

function textOf({ log_type, rows, restored, present, kept_until_time }: RestoreAnswer): string {
  const there = present > 0 ? `; ${count(present)} were in the lake already` : ''
  return `Restored ${count(restored)} of ${counted(rows, 'archived row')} of ${log_type}${there}. Retention leaves them alone until ${kept_until_time}.\n`
}
