import { type Command, Option } from 'commander'
import type { z } from 'zod'
import type { alertDetailSchema, alertSchema } from '../../api/alert-view.ts'
import { ALERT_STATUSES } from '../../model/alert.ts'
import { SEVERITIES } from '../../model/rule.ts'
import { alertText } from '../alert-text.ts'
import { columns } from '../columns.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { severityText } from '../style.ts'

type Alert = z.output<typeof alertSchema>

interface ListFlags extends ServerFlags {
  readonly severity?: string
  readonly status?: string
  readonly rule?: string
  readonly limit: number
}

const HELP = `
An id may be shortened as long as it is unique.

Examples:
  caracal alerts --severity CRITICAL --status OPEN
  caracal alerts show 61e3cd32
  caracal alerts set 61e3cd32 RESOLVED
  caracal alerts --limit 1000 --json | jq -r .title`

export function registerAlerts(program: Command, io: Io): void {
  const alerts = program
    .command('alerts')
    .summary('list and explain alerts, set their status')
    .description('Lists alerts, newest first; `alerts show` explains one, `alerts set` changes its status.')
  withServer(alerts.command('list', { isDefault: true }).description('List alerts, newest first; with --json one per line.'))
    .addOption(severityOption())
    .addOption(
      new Option('--status <status>', 'only alerts with this status').choices(ALERT_STATUSES).argParser(choice(ALERT_STATUSES)),
    )
    .option('--rule <id>', 'only alerts of this rule')
    .option('--limit <n>', 'maximum number of alerts to list', wholeNumber, 50)
    .addHelpText('after', HELP)
    .action((flags: ListFlags) => list(flags, io))
  withServer(alerts.command('show <id>').description('Show everything about why an alert was raised.')).action(
    async (id: string, flags: ServerFlags) => {
      const response = await clientOf(flags, io).call(`/api/v1/alerts/${encodeURIComponent(id)}`)
      const text = await response.text()
      if (flags.json) return io.out(`${text}\n`)
      io.out(alertText(JSON.parse(text) as z.output<typeof alertDetailSchema>, text, io))
    },
  )
  withServer(alerts.command('set <id> <status>').description(`Set an alert's status: ${ALERT_STATUSES.join(', ')}.`)).action(
    async (id: string, status: string, flags: ServerFlags) => {
      const body = { status: choice(ALERT_STATUSES)(status) }
      const alert = await clientOf(flags, io).json<Alert>(`/api/v1/alerts/${encodeURIComponent(id)}`, { method: 'PATCH', body })
      io.out(flags.json ? `${JSON.stringify(alert)}\n` : `${alert.alert_id.slice(0, 8)} is ${alert.status}.\n`)
    },
  )
}

function severityOption(): Option {
  return new Option('--severity <severity>', 'only alerts with this severity').choices(SEVERITIES).argParser(choice(SEVERITIES))
}

/** One of the given words, in any case. */
function choice<const T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((one) => one === text.toUpperCase())
    if (!word) throw new UsageError(`'${text}' is not one of ${words.join(', ')}`)
    return word
  }
}

const MAX_LIMIT = 1_000_000

function wholeNumber(text: string): number {
  const n = /^\d{1,7}$/.test(text) ? Number(text) : 0
  if (n < 1 || n > MAX_LIMIT) throw new UsageError(`--limit '${text}' is not a number from 1 to ${MAX_LIMIT}`)
  return n
}

const PAGE = 200

async function list({ severity, status, rule, limit, ...flags }: ListFlags, io: Io): Promise<void> {
  const client = clientOf(flags, io)
  const shown: Alert[] = []
  let cursor: string | null = null
  let found = 0
  do {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, limit - found)) })
    for (const [key, value] of Object.entries({ severity, status, rule, cursor })) if (value) query.set(key, value)
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
