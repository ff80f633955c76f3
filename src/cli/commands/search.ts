import type { Command } from 'commander'
import { isObject, type JsonObject } from '../../model/json.ts'
import { parseJson, stringifyJson } from '../../util/json.ts'
import { printable } from '../../util/terminal.ts'
import { columns } from '../columns.ts'
import { UsageError } from '../exit.ts'
import { eventLines } from '../indicator-timeline-text.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { count, counted } from '../style.ts'
import { momentOf } from '../times.ts'

interface Flags extends ServerFlags {
  readonly logType?: string[]
  readonly since?: string
  readonly until?: string
  readonly text?: string
  readonly limit: string
  readonly top?: string
  readonly sql?: boolean
}

const HELP = `
A filter is a field, a sign and a value:
  user=ana         is this            user!=ana         is not this
  path~login       contains this      path!~login       does not contain it
  bytes>1000       also >=, < and <=  ip@192.0.2.0/24   is in this network
  user=            is missing         user!=            is there
All filters must hold; several with = for the same field mean any of these values. Without times, the last 24 hours are searched.

Examples:
  caracal search user=ana --log-type Shop.Login --since 7d
  caracal search 'p_any_ip_addresses=203.0.113.9' --text failed
  caracal search --log-type Zeek.Conn 'orig_bytes>1000000' --top id_orig_h`

export function registerSearch(program: Command, io: Io): void {
  withServer(program.command('search').summary('search events by the values of their fields'))
    .description('Shows the events that meet all filters, newest first.')
    .argument('[filters...]', 'as in user=ana')
    .option('--log-type <type...>', 'only events of these log types')
    .option('--since <time>', 'from this time on, or a span before now such as 7d')
    .option('--until <time>', 'before this time')
    .option('--text <text>', 'occurs in some field, in any case')
    .option('--limit <n>', 'maximum number of events, or with --top of values', '50')
    .option('--top <field>', "show this field's most frequent values instead of events")
    .option('--sql', 'show the SQL for the same events instead of the events')
    .addHelpText('after', HELP)
    .action((filters: string[], flags: Flags) => search(filters, flags, io))
}

interface Filter {
  readonly field: string
  readonly op: string
  readonly values: string[]
}

const OPS: Readonly<Record<string, string>> = {
  '=': 'equals',
  '!=': 'not_equals',
  '~': 'contains',
  '!~': 'not_contains',
  '>': 'greater',
  '>=': 'greater_or_equal',
  '<': 'less',
  '<=': 'less_or_equal',
  '@': 'in_network',
  '!@': 'not_in_network',
}

/** Throws `UsageError` for a text that is no filter. */
function filtersOf(texts: readonly string[]): Filter[] {
  const filters: Filter[] = []
  for (const text of texts) {
    const [, field, sign, value] = /^([^=!~<>@]{1,300})(!=|!~|!@|>=|<=|[=~<>@])([\s\S]*)$/.exec(text) ?? []
    if (field === undefined || sign === undefined || value === undefined)
      throw new UsageError(`'${text}' is no filter: give a field, a sign and a value, as in user=ana (see caracal search --help)`)
    const op = value !== '' ? OPS[sign]! : sign === '=' ? 'missing' : sign === '!=' ? 'exists' : OPS[sign]!
    const same = filters.find((one) => one.field === field && one.op === op && op === 'equals')
    if (same) same.values.push(value)
    else filters.push({ field, op, values: op === 'missing' || op === 'exists' ? [] : [value] })
  }
  return filters
}

async function search(texts: readonly string[], flags: Flags, io: Io): Promise<void> {
  const { logType, since, until, text, top, limit } = flags
  const asked = {
    filters: filtersOf(texts),
    limit: Number(limit),
    ...(logType && { log_types: logType }),
    ...(since && { since: momentOf('--since', since) }),
    ...(until && { until: momentOf('--until', until) }),
    ...(text !== undefined && { text }),
  }
  if (!/^[1-9]\d{0,3}$/.test(limit) || Number(limit) > (top === undefined ? 1000 : 100))
    throw new UsageError(`--limit '${limit}' is not a number from 1 to ${top === undefined ? 1000 : 100}`)
  if (top !== undefined) return printTop(asked, top, flags, io)
  const client = clientOf(flags, io)
  const answer = await (await client.call('/api/v1/search', { method: 'POST', body: asked })).text()
  const page = JSON.parse(answer) as Page
  if (flags.sql) return io.out(`${page.sql}\n`)
  if (flags.json) return printJson(answer, io)
  const all = page.histogram?.bars.reduce((sum, { events }) => sum + events, 0) ?? 0
  io.err(`${counted(all, 'event')} from ${page.since} to ${page.until}.\n`)
  for (const line of eventLines(page.results, io)) await io.write(`${line}\n`)
  if (page.next !== null) io.err(`These are the newest ${counted(page.results.length, 'event')}: --limit shows more.\n`)
}

interface Page {
  readonly since: string
  readonly until: string
  readonly results: Parameters<typeof eventLines>[0]
  readonly next: string | null
  readonly histogram: { readonly bars: readonly { readonly events: number }[] } | null
  readonly sql: string
}

/** An event per line, with its exact numbers. */
async function printJson(answer: string, io: Io): Promise<void> {
  const parsed = parseJson(answer, { maxDepth: 1020 })
  if (parsed.kind !== 'ok' || !isObject(parsed.value)) throw new Error('the result is incomplete: the connection ended too early')
  for (const one of parsed.value['results'] as JsonObject[]) await io.write(`${stringifyJson(one)}\n`)
}

async function printTop(asked: object, field: string, flags: Flags, io: Io): Promise<void> {
  const call = { method: 'POST', body: { ...asked, field } } as const
  const summary = await clientOf(flags, io).json<Summary>('/api/v1/search/fields', call)
  if (flags.json) return io.out(`${JSON.stringify(summary)}\n`)
  const { total, distinct, top } = summary
  io.err(`${counted(distinct, 'value')} of ${printable(field)} in ${counted(total, 'event')}.\n`)
  const rows = top.map(({ value, events, share }) => [
    { text: value },
    { text: count(events), isNumber: true },
    { text: `${(share * 100).toFixed(1)} %`, isNumber: true },
  ])
  io.out(`${columns(['VALUE', 'EVENTS', 'SHARE'], rows, io.isTty ? io.columns : Number.POSITIVE_INFINITY).join('\n')}\n`)
}

interface Summary {
  readonly total: number
  readonly distinct: number
  readonly top: readonly { readonly value: string; readonly events: number; readonly share: number }[]
}
