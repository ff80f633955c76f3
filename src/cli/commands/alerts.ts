import type { Command } from 'commander'
import type { z } from 'zod'
import type { alertDetailSchema, alertSchema } from '../../api/alert-view.ts'
import type { relatedSchema } from '../../api/routes/alert-related.ts'
import type { timelineSchema } from '../../api/timeline-view.ts'
import { type AlertChoice, choosingAlerts, queryOf } from '../alert-options.ts'
import { alertText } from '../alert-text.ts'
import { columns } from '../columns.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { severityText } from '../style.ts'
import { registerAlertBundle } from './alert-bundle.ts'
import { registerAlertHold } from './alert-hold.ts'
import { registerAlertWork } from './alert-work.ts'

type Alert = z.output<typeof alertSchema>
type Entry = z.output<typeof timelineSchema>

interface ListFlags extends ServerFlags, AlertChoice {
  readonly limit: number
}

const HELP = `
An id may be shortened as long as it is unique.

Examples:
  caracal alerts --severity CRITICAL --status OPEN
  caracal alerts show 61e3cd32
  caracal alerts resolve 61e3cd32 --reason 'the account is locked' --quality USEFUL
  caracal alerts assign 61e3cd32 ana
  caracal alerts --limit 1000 --json | jq -r .title`

export function registerAlerts(program: Command, io: Io): void {
  const alerts = program
    .command('alerts')
    .summary('list, explain and work on alerts')
    .description('Lists alerts, newest first; `alerts show` explains one, the other commands record what became of it.')
  choosingAlerts(
    withServer(alerts.command('list', { isDefault: true }).description('List alerts, newest first; with --json one per line.')),
  )
    .option('--limit <n>', 'maximum number of alerts to list', wholeNumber, 50)
    .addHelpText('after', HELP)
    .action((flags: ListFlags) => list(flags, io))
  withServer(alerts.command('show <id>').description('Show why an alert was raised, and everything that happened to it.')).action(
    async (id: string, flags: ServerFlags) => {
      const client = clientOf(flags, io)
      const text = await (await client.call(`/api/v1/alerts/${encodeURIComponent(id)}`)).text()
      if (flags.json) return io.out(`${text}\n`)
      const alert = JSON.parse(text) as z.output<typeof alertDetailSchema>
      const related = await client.json<z.output<typeof relatedSchema>>(`/api/v1/alerts/${alert.alert_id}/related`)
      io.out(
        alertText(
          alert,
          text,
          { timeline: await client.all<Entry>(`/api/v1/alerts/${alert.alert_id}/timeline?limit=1000`), related },
          io,
        ),
      )
    },
  )
  registerAlertBundle(alerts, io)
  registerAlertWork(alerts, io)
  registerAlertHold(alerts, io)
}

const MAX_LIMIT = 1_000_000

function wholeNumber(text: string): number {
  const n = /^\d{1,7}$/.test(text) ? Number(text) : 0
  if (n < 1 || n > MAX_LIMIT) throw new UsageError(`--limit '${text}' is not a number from 1 to ${MAX_LIMIT}`)
  return n
}

const PAGE = 200

async function list({ limit, ...flags }: ListFlags, io: Io): Promise<void> {
  const chosen = queryOf(flags)
  const client = clientOf(flags, io)
  const shown: Alert[] = []
  let cursor: string | null = null
  let found = 0
  do {
    const query = new URLSearchParams(chosen)
    query.set('limit', String(Math.min(PAGE, limit - found)))
    if (cursor !== null) query.set('cursor', cursor)
    const page: { results: Alert[]; next: string | null } = await client.json(`/api/v1/alerts?${query}`)
    found += page.results.length
    if (flags.json) for (const alert of page.results) await io.write(`${JSON.stringify(alert)}\n`)
    else shown.push(...page.results)
    cursor = page.next
  } while (cursor !== null && found < limit)
  if (flags.json) return
  if (shown.length === 0) return io.out('No alerts.\n')
  await io.write(`${table(shown, io).join('\n')}\n`)
  if (cursor !== null) io.err(`There are more: --limit ${limit * 2} shows them.\n`)
}

function table(alerts: readonly Alert[], io: Io): string[] {
  const rows = alerts.map(({ alert_id, created_time, severity, status, event_count, title }) => [
    { text: alert_id.slice(0, 8) },
    { text: created_time.replace(/\.\d+Z$/, 'Z') },
    { text: severity, paint: (padded: string) => severityText(io, severity, padded) },
    { text: status },
    { text: String(event_count), isNumber: true },
    { text: title },
  ])
  return columns(
    ['ID', 'CREATED', 'SEVERITY', 'STATUS', 'EVENTS', 'TITLE'],
    rows,
    io.isTty ? io.columns : Number.POSITIVE_INFINITY,
  )
}
