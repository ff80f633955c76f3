import { type Command, Option } from 'commander'
import type { z } from 'zod'
import type { contentSearchSchema, searchRunSchema } from '../../api/content-search-view.ts'
import { columns } from '../columns.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { counted, span } from '../style.ts'
import { runJob } from './query.ts'

type Search = z.output<typeof contentSearchSchema>
type Run = z.output<typeof searchRunSchema>

const HELP = `
Examples:
  caracal searches
  caracal searches run 'Failed Logins' --format csv`

export function registerSearches(program: Command, io: Io): void {
  const group = program.command('searches').summary('saved and scheduled queries of the content').addHelpText('after', HELP)
  withServer(group.command('list', { isDefault: true }).description('Lists the queries of the content.')).action(
    (flags: ServerFlags) => list(flags, io),
  )
  withServer(
    group
      .command('run')
      .description('Runs a query of the content now. No rule judges its rows, unless --judge is given.')
      .argument('<name>', 'its name')
      .option('--judge', 'have the rules of a scheduled query judge its rows, and raise alerts as if it had been due'),
  )
    .addOption(new Option('--format <format>', 'of the result').choices(['table', 'ndjson', 'json', 'csv']))
    .action((name: string, flags: ServerFlags & { readonly format?: string; readonly judge?: boolean }) => {
      if (flags.judge) return judge(name, flags, io)
      const format = flags.format ?? (flags.json || !io.isTty ? 'ndjson' : 'table')
      return runJob(clientOf(flags, io), `/api/v1/searches/${encodeURIComponent(name)}/run`, {}, { format }, io)
    })
}

async function judge(name: string, flags: ServerFlags, io: Io): Promise<void> {
  const path = `/api/v1/searches/${encodeURIComponent(name)}/judge`
  const run = await clientOf(flags, io).json<Run>(path, { method: 'POST' })
  if (flags.json) return io.out(`${JSON.stringify(run)}\n`)
  io.out(`${counted(run.rows, 'row')} in ${span(run.ms)}, matches of rules: ${run.matches}\n`)
  if (run.truncated) io.err('The result was cut, and no rule has seen the rest: narrow the query.\n')
}

/** The outcome of the last run that rules judged, in a few words. */
function outcomeOf({ last_run: run }: Search): string {
  if (!run) return '-'
  return run.error === null ? `${counted(run.rows, 'row')}, matches: ${run.matches}` : `failed: ${run.error}`
}

async function list(flags: ServerFlags, io: Io): Promise<void> {
  const { results } = await clientOf(flags, io).json<{ results: Search[] }>('/api/v1/searches')
  if (flags.json) return io.out(results.map((one) => `${JSON.stringify(one)}\n`).join(''))
  if (results.length === 0) return io.out('The content has no saved or scheduled queries.\n')
  const rows = results.map((search) => [
    { text: search.name },
    { text: search.schedule === null ? 'on demand' : search.runs ? search.schedule : 'off' },
    { text: search.last_time?.slice(0, 19) ?? '-' },
    { text: search.next_time?.slice(0, 19) ?? '-' },
    { text: outcomeOf(search) },
    { text: search.file },
  ])
  io.out(
    `${columns(['NAME', 'SCHEDULE', 'LAST', 'NEXT', 'OUTCOME', 'FILE'], rows, io.isTty ? io.columns : Number.POSITIVE_INFINITY).join('\n')}\n`,
  )
}
