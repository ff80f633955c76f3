import type { Command } from 'commander'
import { printable } from '../../util/terminal.ts'
import { columns } from '../columns.ts'
import type { Io } from '../io.ts'
import type { Job } from '../query-job.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { span } from '../style.ts'

interface Flags extends ServerFlags {
  readonly limit: string
}

export function registerQueries(program: Command, io: Io): void {
  const group = program.command('queries').summary('the queries of the last days, and those that run')
  withServer(group.command('list', { isDefault: true }).description('Lists your queries, newest first.'))
    .option('--limit <n>', 'maximum number of queries', '20')
    .action((flags: Flags) => list(flags, io))
  withServer(group.command('cancel').description('Ends a query, also in the lake.').argument('<id>', 'its id')).action(
    async (id: string, flags: ServerFlags) => {
      const job = await clientOf(flags, io).json<Job>(`/api/v1/queries/${encodeURIComponent(id)}/cancel`, { method: 'POST' })
      io.out(flags.json ? `${JSON.stringify(job)}\n` : `The query ${job.id} is ${job.state}.\n`)
    },
  )
  withServer(group.command('delete').description('Deletes a query and its result.').argument('<id>', 'its id')).action(
    async (id: string, flags: ServerFlags) => {
      await clientOf(flags, io).call(`/api/v1/queries/${encodeURIComponent(id)}`, { method: 'DELETE' })
      io.out(flags.json ? `${JSON.stringify({ id })}\n` : `The query ${printable(id)} was deleted.\n`)
    },
  )
}

async function list({ limit, ...flags }: Flags, io: Io): Promise<void> {
  const path = `/api/v1/queries?limit=${encodeURIComponent(limit)}`
  const { results } = await clientOf(flags, io).json<{ results: Job[] }>(path)
  if (flags.json) {
    for (const job of results) await io.write(`${JSON.stringify(job)}\n`)
    return
  }
  if (results.length === 0) return io.out('There are no queries. `caracal query` runs one.\n')
  const rows = results.map((job) => [
    { text: job.id },
    { text: job.created_time.slice(0, 19) },
    { text: job.state },
    { text: job.rows === null ? '' : String(job.rows), isNumber: true },
    { text: span(job.elapsed_ms) },
    { text: job.sql.replaceAll(/\s+/g, ' ').slice(0, 200) },
  ])
  io.out(`${columns(['ID', 'TIME', 'STATE', 'ROWS', 'TOOK', 'QUERY'], rows, io.columns).join('\n')}\n`)
}
